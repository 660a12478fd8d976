"""A small regency with real stores and a real server, for the tests of the api."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from serayu.api.server import Server
from serayu.api.service import create_app
from serayu.api.settings import ApiSettings
from serayu.models.quality.flags import QualityFlag
from serayu.models.reading import Observation, SeriesKey
from serayu.models.siaga import ChangeKind, Reason, Siaga, SiagaChange
from serayu.models.stores.hot import HotStore
from serayu.models.stores.register import Register
from serayu.models.stores.register.evaluator import CursorMove
from serayu.models.times import US_PER_S, SystemClock
from tests.registers import empty_register
from tests.servers import NO_TLS

REGION = "33.02"
PROVENANCE = "source = 'test'\nvalid_from = '2026-01-01'\napproved_by = 'nobody yet'\ninvented = true\n"
SECRET = "0123456789abcdef" * 4
STREAMS = {
    "river": ["stage"],
    "rain": ["rain"],
    "junction": ["count-mc", "speed"],
    "field": ["soil-moisture", "rain", "battery"],
}
STATIONS = [
    ("hulu", "river", "Pos Hulu", 109.30, -7.51),
    ("hilir", "river", "Pos Hilir <i>", 109.20, -7.53),
    ("hujan-a", "rain", "Pos Hujan", 109.21, -7.30),
    ("simpang-a", "junction", "Simpang A", 109.23, -7.42),
    ("sawah-a", "field", "Sawah A", 109.26, -7.36),
    ("sawah-b", "field", "Sawah B", 109.31, -7.43),
]


def now_us() -> int:
    """Return the present, to the second."""
    now = SystemClock().now_us()
    return now - now % US_PER_S


def write_region(folder: Path, stations: list[tuple[str, str, str, float, float]] | None = None) -> Path:
    """Write a region folder."""
    folder.mkdir(parents=True)
    (folder / "region.toml").write_text(f"code = '{REGION}'\nname = 'Kabupaten Uji'\nsource = 'test'\n")
    rows = STATIONS if stations is None else stations
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [lon, lat]},
            "properties": {
                "id": name,
                "kind": kind,
                "name": title,
                "source": "test",
                "invented": True,
                "datastreams": [{"property": slug, "interval_s": 60} for slug in STREAMS[kind]],
            },
        }
        for name, kind, title, lon, lat in rows
    ]
    (folder / "stations.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    posts = [name for name, kind, *_ in rows if kind == "river"]
    limits = "waspada_m = 2.0\nsiaga_m = 3.0\nawas_m = 4.0\n"
    tables = [f"[post.{name}]\n{limits}{PROVENANCE}" for name in posts]
    (folder / "thresholds.toml").write_text("\n".join(tables))
    return folder


class Site:
    """A running api, its stores, and clients of every role."""

    def __init__(self, settings: ApiSettings, url: str) -> None:
        self.settings = settings
        self.url = url
        self.hot = HotStore(settings.hot_path)
        self.register = Register(settings.register)
        self.secrets = json.loads((settings.data_dir / "keys.json").read_text())
        self._position = 0

    def close(self) -> None:
        self.hot.close()
        self.register.close()

    def client(self, role: str | None = None) -> httpx.Client:
        """Return a client with the first key of a role; anonymous without."""
        headers = {} if role is None else {"Authorization": f"Bearer {self.secrets['keys'][role]}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=20, verify=NO_TLS)

    def get(self, path: str, role: str | None = None, **parameters: str | float) -> httpx.Response:
        with self.client(role) as client:
            return client.get(path, params=parameters or None)

    def put(
        self,
        station: str,
        slug: str,
        value: float,
        *,
        age_s: float = 10,
        flag: QualityFlag = QualityFlag.GOOD,
        tests: int = 0,
    ) -> int:
        """Store an observation that is so old; returns its time."""
        now = now_us()
        t_us = now - round(age_s * US_PER_S)
        key = SeriesKey(REGION, station, slug)
        assert not self.hot.write([Observation(key, t_us, value, flag, tests, received_us=now)])
        return t_us

    def change(
        self,
        station: str,
        before: Siaga,
        after: Siaga,
        *,
        level_m: float = 3.5,
        age_s: float = 10,
        verified: bool = True,
        reason: Reason = Reason.THRESHOLD,
        kind: ChangeKind | None = None,
    ) -> int:
        """Record a change of an alert as the evaluator does; returns its number."""
        kind = kind or (ChangeKind.RAISE if after.rank > before.rank else ChangeKind.LOWER)
        at_us = now_us() - round(age_s * US_PER_S)
        change = SiagaChange(at_us, before, after, kind, reason, level_m, 0.4, verified)
        move = CursorMove("test", self._position, self._position + 1)
        self._position += 1
        (recorded,) = self.register.record_changes(
            REGION, cursor=move, states={}, changes=[(station, change)], now_us=now_us()
        )
        return recorded.id


@contextmanager
def running(settings: ApiSettings, *, port: int = 0) -> Iterator[str]:
    """Serve an api from a thread; yields its URL."""
    listener = socket.create_server((settings.host, port))
    ready = threading.Event()
    server = Server(create_app(settings), ready=ready.set)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="test-api")
    thread.start()
    try:
        assert ready.wait(20), "the api did not start"
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()
        assert not thread.is_alive(), "the api did not stop"


@contextmanager
def site(folder: Path, **changes: object) -> Iterator[Site]:
    """Start an api over a fresh region and fresh stores."""
    region = folder / "region"
    given = {
        "region": region if region.exists() else write_region(region),
        "data_dir": folder / "data",
        "session_secret": SECRET,
        "snapshot_min_age_s": 0,
        "stream_poll_s": 0.02,
        **changes,
    }
    settings = ApiSettings(**given)  # type: ignore[arg-type]
    # What an api that starts for the first time makes: tests/api/test_run.py looks at one that does.
    if settings.register_url is None and not (file := settings.data_dir / "register.sqlite").exists():
        empty_register(file)
    with running(settings) as url:
        made = Site(settings, url)
        try:
            yield made
        finally:
            made.close()
