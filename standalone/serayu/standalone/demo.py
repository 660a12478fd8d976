"""The demonstration: a made-up storm over Banyumas through real agents, a real broker, ingest, alerts and API."""

import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

import msgspec

from serayu.edge.config import AgentConfig, BrokerConfig, ClockConfig, DriverConfig, OutboxConfig
from serayu.edge.fleet import Fleet, FleetStatus
from serayu.models.broker_url import BrokerUrl
from serayu.models.command import write_atomically
from serayu.models.errors import SerayuError
from serayu.models.region import STATIONS_FILE, Region, load_region
from serayu.models.times import US_PER_HOUR, US_PER_S, SystemClock
from serayu.standalone.account import Account, settled_deliveries, take_account
from serayu.standalone.drill.receiver import Receiver
from serayu.standalone.drill.recipients import add_recipients, new_secrets, write_timers
from serayu.standalone.drill.result import Warnings, warnings_of
from serayu.standalone.drone.surveyed import Flight, FlightError, Survey, survey_of
from serayu.standalone.probe import LatencyProbe, Percentiles
from serayu.standalone.processes import ProcessTree
from serayu.standalone.stack import StackOptions, locked, running_stack
from serayu.standalone.storm.playback import write_series
from serayu.standalone.storm.simulate import Storm

TICK_S = 0.05
POLL_S = 0.5
LEAD_S = 3.0  # the agents need that long to start; they then play from the same moment
SETTLE_TIMEOUT_S = 30.0
SURVEY_TIMEOUT_S = 300.0  # beyond the storm; on a quiet machine the survey ends before it
WIB = timezone(timedelta(hours=7))
SILENCE_WALL_S = 3.0  # at 1,200 times real time a hiccup of the machine is an hour of silence


class DemoError(SerayuError):
    """The demonstration could not be finished."""


class DemoOptions(NamedTuple):
    """What to play.

    ``speed`` is simulated seconds in one second; ``patience_s`` how long the fleet may need beyond the storm;
    ``photos`` how many the drone takes.
    """

    stack: StackOptions
    hours: float = 24.0
    speed: float = 1200.0
    seed: int = 1
    patience_s: float = 120.0
    photos: int = 12


class DemoResult(msgspec.Struct):
    """What the demonstration found; ``work_orders`` and ``detours`` stay null until those parts exist.

    ``survey`` is null where none could be made; ``survey_absent`` then says why.
    """

    region: str
    stations: int
    storm: dict[str, object]
    published: int
    stored: int
    lost: int
    duplicates: int
    rejected: int
    dead_letters: dict[str, int]
    alerts: dict[str, list[dict[str, object]]]
    confirmations: dict[str, list[dict[str, object]]]
    latency_ms: dict[str, Percentiles]
    wall_s: float
    speedup: float
    survey: Survey | None = None
    survey_absent: str | None = None
    warnings: Warnings | None = None
    work_orders: None = None
    detours: None = None


def patient_copy(region: Path, target: Path, *, silence_s: float) -> None:
    """Copy a region folder; its datastreams count as silent after *silence_s* simulated seconds at the earliest."""
    shutil.copytree(region, target)
    file = target / STATIONS_FILE
    collection = json.loads(file.read_text("utf-8"))
    for feature in collection["features"]:
        for datastream in feature["properties"]["datastreams"]:
            datastream["stale_after_s"] = max(silence_s, datastream.get("stale_after_s") or 0.0)
    write_atomically(file, json.dumps(collection, ensure_ascii=False))


class Demo:
    """One demonstration; use `running` and then `play`.

    Attributes
    ----------
    failed
        Whether a part of it came to nothing, which the result then tells.
    """

    def __init__(self, options: DemoOptions) -> None:
        self.options = options
        self.region: Region = load_region(options.stack.region)
        hour_us = SystemClock().now_us() // US_PER_HOUR * US_PER_HOUR
        start_us = hour_us - round(options.hours * US_PER_HOUR)
        self.storm = Storm(self.region, start_us=start_us, hours=options.hours, seed=options.seed)
        self.failed = False
        self._began_s = time.monotonic()

    @contextmanager
    def running(self) -> Iterator[ProcessTree]:
        """Start broker, ingest and API on an empty data folder."""
        data = self.options.stack.data_dir
        data.mkdir(parents=True, exist_ok=True)
        with locked(data):
            for old in data.iterdir():
                shutil.rmtree(old) if old.is_dir() else old.unlink()
        region = data / "region"
        patient_copy(self.options.stack.region, region, silence_s=SILENCE_WALL_S * self.options.speed)
        write_timers(region)
        with running_stack(self.options.stack._replace(region=region)) as tree:
            yield tree

    def play(
        self, tree: ProcessTree, *, progress: Callable[[FleetStatus, float], None], ended: threading.Event
    ) -> DemoResult | None:
        """Play the storm and return what came of it; None when somebody ended it before.

        Parameters
        ----------
        tree
            The running stack, looked after meanwhile.
        progress
            Told the fleet's state and the fraction of the storm that has passed.
        ended
            Set to stop before the end.

        Raises
        ------
        DemoError
            An agent cannot run, or the fleet does not finish.
        """
        data = self.options.stack.data_dir
        series = data / "series"
        write_series(self.storm, series)
        keys = new_secrets()
        with Receiver(data / "received.jsonl", keys) as receiver, self._flight() as flight:
            recipients = add_recipients(data, self.region.code, receiver, keys)
            probe = LatencyProbe(BrokerUrl.parse(self.options.stack.broker))
            probe.start()
            anchor_wall_us = SystemClock().now_us() + round(LEAD_S * 1e6)
            configs = self._configs(series, anchor_wall_us)
            played_s = time.monotonic()
            try:
                with Fleet(configs, folder=data / "fleet") as fleet:
                    if not self._wait(fleet, tree, receiver, progress, anchor_wall_us, ended):
                        return None
                    account = self._settled({config.station: config.state for config in configs})
                wall_s = time.monotonic() - played_s
                receiver.stay()
                self._delivered()
            finally:
                probe.stop()
            warnings = warnings_of(
                data,
                load_region(data / "region"),
                page=self.options.stack.page,
                recipients=recipients,
                received=receiver.received(),
                receiver_ends=receiver.ends,
            )
            if not self._landed(flight, tree, ended):
                return None
            survey = self._surveyed(flight)
        return self._result(account, probe, warnings, survey, wall_s=wall_s)

    def _flight(self) -> Flight:
        """Return the drone's flight: an hour before the storm, so that its slides count in the storm."""
        data, start_us = self.options.stack.data_dir, self.storm.start_us - US_PER_HOUR
        start = datetime.fromtimestamp(start_us // US_PER_S, WIB)
        return Flight(data, data / "region", start=start, photos=self.options.photos)

    def _landed(self, flight: Flight, tree: ProcessTree, ended: threading.Event) -> bool:
        """Wait for the survey, as long as one may last; False when ended before."""
        deadline = time.monotonic() + SURVEY_TIMEOUT_S
        while flight.flies and time.monotonic() < deadline:
            tree.keep_up()
            if ended.wait(POLL_S):
                return False
        return True

    def _surveyed(self, flight: Flight) -> tuple[Survey | None, str | None]:
        """Return what came of the survey, or why there is none: the storm's account stands without it."""
        data, page = self.options.stack.data_dir, self.options.stack.page
        try:
            flown = flight.flown()
            if flown is None:
                return None, flight.absent
            return survey_of(flown, data=data, page=page, bundle=flight.bundle), None
        except FlightError as error:
            self.failed = True
            return None, f"survei gagal · {error}"

    def _configs(self, series: Path, anchor_wall_us: int) -> list[AgentConfig]:
        url = BrokerUrl.parse(self.options.stack.broker)
        state = self.options.stack.data_dir.resolve() / "agents"
        return [
            AgentConfig(
                region=self.region.code,
                station=station_id,
                state=state / station_id,
                drivers=(
                    DriverConfig(
                        "csv_replay",
                        None,
                        TICK_S,
                        {
                            "file": str((series / f"{station_id}.csv").resolve()),
                            "speed": self.options.speed,
                            "anchor_us": self.storm.start_us,
                            "anchor_wall_us": anchor_wall_us,
                        },
                    ),
                ),
                broker=BrokerConfig(host=url.host, port=url.port, tls=url.tls, username=url.username),
                outbox=OutboxConfig(synchronous="NORMAL"),
                clock=ClockConfig(mode="trust"),
                heartbeat_s=5.0,
                exit_when_done=True,
            )
            for station_id in self.region.stations
        ]

    def _wait(
        self,
        fleet: Fleet,
        tree: ProcessTree,
        receiver: Receiver,
        progress: Callable[[FleetStatus, float], None],
        anchor_wall_us: int,
        ended: threading.Event,
    ) -> bool:
        """Wait until every agent has sent everything and had it confirmed; False when ended before."""
        storm_s = self.options.hours * 3600 / self.options.speed
        deadline = time.monotonic() + LEAD_S + storm_s + self.options.patience_s
        while True:
            tree.keep_up()
            receiver.step()
            status = fleet.poll()
            passed = (SystemClock().now_us() - anchor_wall_us) / 1e6 / storm_s
            progress(status, min(max(passed, 0.0), 1.0))
            if status.failed:
                station, line = next(iter(status.failed.items()))
                raise DemoError(f"agent {station} cannot run: {line}")
            if status.finished:
                return True
            if time.monotonic() > deadline:
                raise DemoError(f"the fleet did not finish: {status.pending} readings wait")
            if ended.wait(POLL_S):
                return False

    def _settled(self, states: Mapping[str, Path]) -> Account:
        """Return the account once the evaluator has caught up with the store."""
        data = self.options.stack.data_dir
        deadline = time.monotonic() + SETTLE_TIMEOUT_S
        while True:
            account = take_account(data, self.region.code, states)
            if account.evaluated:
                return account
            if time.monotonic() > deadline:
                raise DemoError("the alert evaluator did not catch up")
            time.sleep(0.2)

    def _delivered(self) -> None:
        """Wait until every change is told and no delivery is under way."""
        deadline = time.monotonic() + SETTLE_TIMEOUT_S
        while not settled_deliveries(self.options.stack.data_dir, self.region.code):
            if time.monotonic() > deadline:
                raise DemoError("the courier did not finish")
            time.sleep(0.2)

    def _result(
        self,
        account: Account,
        probe: LatencyProbe,
        warnings: Warnings,
        survey: tuple[Survey | None, str | None],
        *,
        wall_s: float,
    ) -> DemoResult:
        simulated_s = self.options.hours * 3600
        return DemoResult(
            region=self.region.code,
            stations=len(self.region.stations),
            storm={"hours": self.options.hours, "seed": self.options.seed, "invented": True},
            published=account.published,
            stored=account.stored,
            lost=account.lost,
            duplicates=account.duplicates,
            rejected=account.rejected,
            dead_letters=account.dead_letters,
            alerts=account.alerts,
            confirmations=account.confirmations,
            latency_ms={"commit": probe.commit(), "alert": probe.alert()},
            wall_s=round(wall_s, 1),
            speedup=round(simulated_s / wall_s, 1),
            survey=survey[0],
            survey_absent=survey[1],
            warnings=warnings,
        )
