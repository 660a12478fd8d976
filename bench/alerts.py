"""Alerts: from a reading at the broker to a signed webhook received, with 1,000 river posts reporting.

One real ingest process beside Mosquitto and iotcore; every post reports each half minute, some of the values pass a
limit. A web server of this process checks each signature and notes when the request was whole. Latency counts from
handing the deciding reading's PUBLISH to the kernel until then, both by this machine's monotonic clock, so it holds
the broker, quality control, the commit, the state machine, the bulletin with its texts, the outbox and the request.
``burst`` lets many posts pass a limit within the same second, which a storm does and an average hides. The impact of
10,000 settlements is `bench.impact`'s; the feed is what the api makes of 1,000 bulletins in force with flooded areas
of Banyumas. Values are invented.
"""

import argparse
import gzip
import json
import random
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import msgspec
from typing_extensions import override

from bench import impact
from bench.common import ROOT, case, document, emit
from bench.mqtt_load import connect, publish_packet
from bench.subjects import OurIngest, iotcore, our_ingest
from serayu.models.cap.feed import atom_feed
from serayu.models.delivery.recipient import Address, Audience, Channel, Recipient
from serayu.models.delivery.signature import SIGNATURE_HEADER, verify_signature
from serayu.models.impact import ImpactIndex
from serayu.models.senml import SenmlRecord, encode_pack, seconds
from serayu.models.siaga import Reason, Siaga
from serayu.models.stores.register import Register, upgrade
from serayu.models.stores.register.database import sqlite_url
from serayu.models.stores.register.vault import KEY_FILE, Vault
from serayu.models.times import US_PER_DAY, US_PER_S, SystemClock, parse_rfc3339
from serayu.models.topics import PREFIX
from serayu.models.uuid7 import uuid7
from serayu.models.warning.authority import load_authority
from serayu.models.warning.bulletin import Bulletin, BulletinStatus, Hazard, MessageType
from tests import servers

REGION = "33.02"
LIMITS_M = (2.0, 3.0, 4.0)
BELOW_M, ABOVE_M = 1.9, 2.1
WARM_UP_S = 10.0
SETTLE_S = 20.0
WEBHOOK, TURN_S = "webhook", 30.0
SECRET = "rahasia-tolok-ukur"  # noqa: S105 -- of this benchmark's own server
FEED_BULLETINS, FEED_LIMIT_KB = 1000, 100.0
CUTS = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
Deciding = tuple[str, int]
"""A reading: station and phenomenon time, milliseconds."""


# -- the receiver --------------------------------------------------------------------------------------------------


class Receiver:
    """A web server that checks signatures and notes when which reading's bulletin had come, by the same clock."""

    def __init__(self) -> None:
        self.came_ns: dict[Deciding, int] = {}
        self.bad = 0
        self.again = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                now_ns = time.monotonic_ns()
                good = verify_signature(body, self.headers[SIGNATURE_HEADER], SECRET, now_s=time.time())
                outer.note(body, now_ns, good=good)
                self.send_response(204)
                self.end_headers()

            @override
            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            request_queue_size = 128
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.05])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/siaga"

    def note(self, body: bytes, now_ns: int, *, good: bool) -> None:
        """Note a request; one of a reading that is known already is counted, its first one stays."""
        told = json.loads(body)
        deciding = (str(told["station"]), parse_rfc3339(told["at"]) // 1000)
        self.bad += not good
        self.again += deciding in self.came_ns
        if good:
            self.came_ns.setdefault(deciding, now_ns)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


# -- the posts -----------------------------------------------------------------------------------------------------


def station_id(number: int) -> str:
    return f"pos-{number:04d}"


def write_region(folder: Path, stations: int) -> None:
    """Write a region of river posts with limits; a value above decides at once."""
    folder.mkdir()
    source = "generated for a benchmark"
    (folder / "region.toml").write_text(f'code = "{REGION}"\nname = "Beban uji"\nsource = "{source}"\n')
    features = [
        {
            "type": "Feature",
            "geometry": {
                "type": "Point",
                "coordinates": [109 + number % 40 / 100, -7.6 + number // 40 / 100],
            },
            "properties": {
                "id": station_id(number),
                "name": f"Pos {number}",
                "kind": "river",
                "invented": True,
                "source": source,
                "datastreams": [{"property": "stage", "interval_s": TURN_S}],
            },
        }
        for number in range(stations)
    ]
    collection = {"type": "FeatureCollection", "features": features}
    (folder / "stations.geojson").write_bytes(msgspec.json.encode(collection))
    waspada, siaga, awas = LIMITS_M
    tables = [
        f"[post.{station_id(number)}]\nwaspada_m = {waspada}\nsiaga_m = {siaga}\nawas_m = {awas}\n"
        f'source = "{source}"\nvalid_from = "2026-01-01"\napproved_by = "nobody"\ninvented = true\n'
        f'[post.{station_id(number)}.siaga]\nmin_duration = "0s"\n'
        for number in range(stations)
    ]
    (folder / "thresholds.toml").write_text("\n".join(tables))


class Posts:
    """All river posts in one connection: sends one reading after the other at a steady rate."""

    def __init__(self, port: int, name: str, stations: int) -> None:
        self._connection: socket.socket = connect(port, f"load-{name}")
        self._connection.settimeout(10)
        self._name = name
        self._seq = [0] * stations
        self._packet = 0
        self.sent_ns: dict[Deciding, int] = {}
        threading.Thread(target=self._drain, daemon=True).start()

    def close(self) -> None:
        self._connection.close()

    def send(self, number: int, level_m: float) -> Deciding:
        """Send one reading of a post; returns what names it."""
        self._seq[number] += 1
        self._packet = self._packet % 65535 + 1
        t_ms = time.time_ns() // 1_000_000
        record = SenmlRecord(n="stage", u="m", v=level_m, seq=self._seq[number])
        record.bn = f"{REGION}/{station_id(number)}/"
        record.bt, record.oid = seconds(t_ms * 1000), f"{self._name}{number:04d}"
        topic = f"{PREFIX}/{REGION}/{station_id(number)}/stage"
        packet = publish_packet(topic, encode_pack([record]), self._packet)
        now_ns = time.monotonic_ns()
        self._connection.sendall(packet)
        deciding = (station_id(number), t_ms)
        self.sent_ns[deciding] = now_ns
        return deciding

    def turn(self, numbers: Sequence[int], above: frozenset[int], *, within_s: float) -> list[Deciding]:
        """Let posts report one after the other, evenly over a time; return the readings above the limit."""
        start_s = time.monotonic()
        decided = []
        for place, number in enumerate(numbers):
            time.sleep(max(0.0, start_s + within_s * place / len(numbers) - time.monotonic()))
            reading = self.send(number, ABOVE_M if number in above else BELOW_M + 0.0001 * self._seq[number])
            if number in above:
                decided.append(reading)
        return decided

    def _drain(self) -> None:
        try:
            while self._connection.recv(65536):
                pass
        except OSError:
            return


# -- one run -------------------------------------------------------------------------------------------------------


def add_recipient(data: Path, url: str) -> None:
    """Register the web server as an agency's."""
    data.mkdir(parents=True)
    register_url = sqlite_url(data / "register.sqlite")
    upgrade(register_url)
    now_us = SystemClock().now_us()
    recipient = Recipient(
        id=uuid7(now_us),
        region=REGION,
        name="tolok ukur",
        audience=Audience.AGENCY,
        channel=Channel.WEBHOOK,
        allow_private=True,
        created_us=now_us,
    )
    with Register(register_url) as register:
        register.add_recipient(recipient, Address(url, SECRET), Vault.open(data / KEY_FILE))


@contextmanager
def running(folder: Path, *, broker: str, stations: int) -> Iterator[tuple[Posts, Receiver, OurIngest]]:
    """Run broker, ingest and receiver on empty stores."""
    folder.mkdir()
    write_region(folder / "region", stations)
    with Receiver() as receiver, _broker(broker, folder / "broker") as port:
        add_recipient(folder / "ours" / "data", receiver.url)
        url = f"mqtt://127.0.0.1:{port}"
        with our_ingest(folder / "ours", broker=url, region=folder / "region") as subject:
            posts = Posts(port, folder.name, stations)
            try:
                yield posts, receiver, subject
            finally:
                posts.close()


@contextmanager
def _broker(which: str, folder: Path) -> Iterator[int]:
    if which == "iotcore":
        with iotcore(folder) as port:
            yield port
    else:
        with servers.mosquitto(folder) as server:
            yield server.port


def latencies_ms(posts: Posts, receiver: Receiver, decided: Sequence[Deciding]) -> list[float]:
    """Return how long each deciding reading took to its webhook; every one must have come, with a good signature."""
    deadline_s = time.monotonic() + SETTLE_S
    while time.monotonic() < deadline_s and not all(one in receiver.came_ns for one in decided):
        time.sleep(0.05)
    missing = [one for one in decided if one not in receiver.came_ns]
    if missing or receiver.bad:
        raise RuntimeError(
            f"{len(missing)} of {len(decided)} alerts did not come, {receiver.bad} bad signatures"
        )
    return [(receiver.came_ns[one] - posts.sent_ns[one]) / 1e6 for one in decided]


def measure(
    folder: Path, *, broker: str, stations: int, alerts: int, burst: int, chance: random.Random
) -> dict[str, list[float]]:
    """Run once; return latencies in milliseconds by case."""
    order = chance.sample(range(stations), stations)
    picked = chance.sample(order, alerts + burst)
    steady, sudden = frozenset(picked[:alerts]), frozenset(picked[alerts:])
    with running(folder, broker=broker, stations=stations) as (posts, receiver, _):
        posts.turn(order, frozenset(), within_s=WARM_UP_S)
        time.sleep(1.0)  # what the warm-up left to do is not measured
        begun_s = time.monotonic()
        decided = []
        for part in range(3):
            share = frozenset(one for place, one in enumerate(sorted(steady)) if place % 3 == part)
            decided += posts.turn(order, share, within_s=TURN_S)
        found = {"steady": latencies_ms(posts, receiver, decided)}
        rate = 3 * stations / (time.monotonic() - begun_s)
        print(f"{broker}: {rate:.0f} readings/s, {len(decided)} alerts", file=sys.stderr)
        decided = posts.turn(sorted(sudden), sudden, within_s=1.0)
        found["burst"] = latencies_ms(posts, receiver, decided)
    return found


def webhook_cases(folder: Path, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield the cases of both brokers; Mosquitto's only where it is installed."""
    brokers = ["iotcore", *(["mosquitto"] if servers.binary("mosquitto") is not None else [])]
    pooled: dict[tuple[str, str], list[list[float]]] = {}
    for number in range(options.rounds):
        for broker in brokers:
            found = measure(
                folder / f"{broker}{number}",
                broker=broker,
                stations=options.stations,
                alerts=options.alerts,
                burst=options.burst,
                chance=random.Random(number),  # noqa: S311 -- a drawn order, no secret
            )
            for name, values in found.items():
                pooled.setdefault((broker, name), []).append(values)
    for (broker, name), rounds in pooled.items():
        many = options.alerts if name == "steady" else options.burst
        label = f"{broker}, {options.stations} posts, {many} alerts {name}: reading to {WEBHOOK}"
        for cut, share in CUTS.items():
            each = [quantile(values, share) for values in rounds]
            yield case(
                f"{label}, {cut}", metric=cut, unit="ms", ours=statistics.median(each), peers={}, spread=each
            )
        most = [max(values) for values in rounds]
        yield case(f"{label}, longest", metric="max", unit="ms", ours=max(most), peers={}, spread=most)


def quantile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of all does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))]


# -- the feed ------------------------------------------------------------------------------------------------------


def bulletins(number: int, *, now_us: int) -> Iterator[Bulletin]:
    """Yield bulletins in force of posts and levels of Banyumas, with what they reach."""
    folder = ROOT / "regions" / "banyumas"
    index = ImpactIndex.load(folder)
    zones = [] if index.zones is None else list(index.zones.zones)
    for place in range(number):
        station, level = zones[place % len(zones)]
        sent_us = now_us - now_us % US_PER_S - place * 60 * US_PER_S // 10 * 10
        yield Bulletin(
            id=uuid7(sent_us),
            alert_id=uuid7(sent_us),
            change_id=place,
            region=REGION,
            station=f"{station}-{place}",
            hazard=Hazard.FLOOD,
            msg_type=MessageType.ALERT,
            status=BulletinStatus.EXERCISE,
            sent_us=sent_us,
            expires_us=sent_us + US_PER_DAY,
            level=level,
            before=Siaga.NORMAL,
            reason=Reason.THRESHOLD,
            post=f"{station} {place}",
            river="Sungai Serayu",
            level_m=round(2 + place * 0.01, 2),
            limit_m=2.0,
            at_us=sent_us,
            impact=index.assess(station, level, at_us=sent_us),
        )


def feed_cases() -> list[dict[str, Any]]:
    """Return the size of the feed, and how long it takes to write."""
    now_us = SystemClock().now_us()
    listed = list(bulletins(FEED_BULLETINS, now_us=now_us))
    authority = load_authority(ROOT / "regions" / "banyumas")
    base = "https://serayu.example/api/v1/"
    started = time.perf_counter()
    feed = atom_feed(
        listed,
        authority,
        now_us=now_us,
        feed_url=f"{base}cap/feed.atom",
        alert_url=lambda one: f"{base}bulletins/{one.id}.xml",
    )
    took_ms = (time.perf_counter() - started) * 1000
    if feed.count(b"<entry>") != FEED_BULLETINS:
        raise RuntimeError(f"the feed has {feed.count(b'<entry>')} entries")
    packed_kb, whole_kb = len(gzip.compress(feed, 5)) / 1000, len(feed) / 1000
    sizes = (("gzip", packed_kb), ("plain", whole_kb))
    label = f"Atom feed of {FEED_BULLETINS} alerts"
    made = [
        case(f"{label}, {name}", metric="size", unit="kB", ours=size, peers={}, spread=[size])
        for name, size in sizes
    ]
    return [
        *made,
        case(f"{label}, written in", metric="time", unit="ms", ours=took_ms, peers={}, spread=[took_ms]),
    ]


def run(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Measure and return the document."""
    cases = list(webhook_cases(folder, options))
    index = ImpactIndex.load(impact.BANYUMAS)
    zones = (("smooth", impact.zone(index, 64, 0.0)), ("ragged", impact.zone(index, 2000, 0.005)))
    for name, area in zones:
        found = impact.settlements_case(index, name, area, number=10_000, rounds=5)
        cases.append(found | {"case": f"impact: {found['case']}"})
    return document("alerts", rounds=options.rounds, cases=[*cases, *feed_cases()])


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.alerts", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--stations", type=int, default=1000)
    parser.add_argument("--alerts", type=int, default=300, help="posts that pass a limit, in 90 s")
    parser.add_argument("--burst", type=int, default=50, help="posts that pass a limit within one second")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--output", type=Path, help="write the JSON document to this file")
    options = parser.parse_args()
    if options.rounds < 1 or options.alerts < 3 or options.alerts + options.burst > options.stations:
        parser.error("expected --rounds >= 1, --alerts >= 3 and no more alerts than stations")
    with tempfile.TemporaryDirectory(prefix="serayu-bench-") as name:
        result = run(options, Path(name))
    emit(result, as_json=options.json, output=options.output)


if __name__ == "__main__":
    main()
