"""What Prometheus reads: requests as they happen, and the state of the stores when it asks."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from serayu.api.snapshot import Snapshot
from serayu.models.times import US_PER_S

__all__ = ["Metrics"]

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """The metrics of one process; base units, ``_total`` for counters."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Counter(
            "serayu_api_requests", "HTTP requests.", ("method", "route", "status"), registry=registry
        )
        self.seconds = Histogram(
            "serayu_api_request_seconds",
            "Time until the answer began.",
            ("route",),
            buckets=SECONDS,
            registry=registry,
        )
        self.listeners = Gauge(
            "serayu_api_stream_listeners", "Listeners of the live stream.", registry=registry
        )
        self.age = Gauge(
            "serayu_station_age_seconds",
            "Age of the newest reading of a station.",
            ("station",),
            registry=registry,
        )
        self.streams = Gauge("serayu_datastreams", "Datastreams by state.", ("state",), registry=registry)
        self.alerts = Gauge(
            "serayu_alerts_active", "Alerts in force by level.", ("level",), registry=registry
        )
        self.letters = Gauge(
            "serayu_dead_letters", "Messages in the dead letters.", ("reason",), registry=registry
        )
        self.bytes = Gauge("serayu_hot_store_bytes", "Size of the hot store with its log.", registry=registry)
        self.changes = Gauge(
            "serayu_hot_store_change_id", "Newest change of the hot store.", registry=registry
        )
        self.received = Gauge(
            "serayu_last_received_timestamp_seconds",
            "When ingest last received a reading.",
            registry=registry,
        )

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request."""
        self.requests.labels(method, route, str(status)).inc()
        self.seconds.labels(route).observe(seconds)

    def text(
        self, snapshot: Snapshot, *, letters: Mapping[str, int], size: int, public: Iterable[str]
    ) -> bytes:
        """Return all metrics in Prometheus' text form.

        Parameters
        ----------
        snapshot
            State of the stations.
        letters
            Dead letters by reason.
        size
            Bytes of the hot store.
        public
            Stations that may be named.
        """
        self._stations(snapshot, frozenset(public))
        self.letters.clear()
        for reason, count in letters.items():
            self.letters.labels(reason).set(count)
        self.bytes.set(size)
        self.changes.set(snapshot.change_id)
        self.received.set(snapshot.received_us / US_PER_S)
        return generate_latest(self.registry)

    def _stations(self, snapshot: Snapshot, public: frozenset[str]) -> None:
        states: dict[str, int] = dict.fromkeys(("present", "stale", "failed", "missing", "no_data"), 0)
        levels: dict[str, int] = dict.fromkeys(("waspada", "siaga", "awas"), 0)
        self.age.clear()
        for view in snapshot.views.values():
            for stream in view.datastreams:
                states[stream.reason or "present"] += 1
            if view.level is not None and view.level.alert is not None and view.level.siaga in levels:
                levels[view.level.siaga] += 1
            ages = [stream.age_s for stream in view.datastreams if stream.age_s is not None]
            if ages and view.id in public:
                self.age.labels(view.id).set(min(ages))
        for state, count in states.items():
            self.streams.labels(state).set(count)
        for level, count in levels.items():
            self.alerts.labels(level).set(count)


def store_bytes(path: Path) -> int:
    """Return the size of a SQLite file with its write-ahead log."""
    files = (path, path.with_name(f"{path.name}-wal"))
    return sum(file.stat().st_size for file in files if file.exists())
