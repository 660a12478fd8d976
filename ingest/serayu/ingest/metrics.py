"""Ingest's metrics in Prometheus' text form."""

from collections import Counter as Counts
from collections.abc import Iterable

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from serayu.ingest.pipeline import Outcome

_LATENCY_S = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)

# What an agent says of itself in its status; a field absent or null there has no sample here.
_AGENT_GAUGES = {
    "online": "1 while the agent is connected, by its last status or will",
    "backlog_readings": "Readings on the device that are not yet confirmed",
    "backlog_oldest_seconds": "Age of the oldest of them",
    "capacity_hours": "Hours until the device's outbox is full",
    "dropped_readings": "Readings that the device gave up for want of room",
}


class IngestMetrics:
    """Counters and gauges of one ingest process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        registry = self.registry
        self.stored = Counter("serayu_ingest_readings_stored", "Readings committed", registry=registry)
        self.duplicates = Counter(
            "serayu_ingest_readings_duplicate", "Readings committed before", registry=registry
        )
        self.rejected = Counter("serayu_ingest_readings_rejected", "Readings refused", registry=registry)
        self.late = Counter(
            "serayu_ingest_readings_late", "Readings stored too late to alert", registry=registry
        )
        self.undecodable = Counter(
            "serayu_ingest_messages_undecodable", "Messages not decoded", registry=registry
        )
        self.deliveries = Counter(
            "serayu_courier_attempts",
            "Attempts to deliver a bulletin, by the state afterwards",
            ["state"],
            registry=registry,
        )
        self.waiting = Gauge("serayu_courier_waiting", "Deliveries of bulletins that wait", registry=registry)
        self.retries = Counter(
            "serayu_ingest_store_retries", "Commits that failed and were tried again", registry=registry
        )
        self.batch = Histogram(
            "serayu_ingest_batch_messages",
            "Messages per commit",
            buckets=(1, 10, 100, 1000, 10000),
            registry=registry,
        )
        self.commit = Histogram(
            "serayu_ingest_commit_seconds",
            "Receipt to commit of a batch",
            buckets=_LATENCY_S,
            registry=registry,
        )
        self.connected = Gauge(
            "serayu_ingest_broker_connected", "1 with a connection to the broker", registry=registry
        )
        self.stale = Gauge(
            "serayu_ingest_datastreams_stale", "Datastreams that are silent", registry=registry
        )
        self.disk = Gauge("serayu_ingest_disk_used_fraction", "Disk used, 0 to 1", registry=registry)
        self.forward_rows = Gauge(
            "serayu_forwarder_lag_rows", "Rows not yet in the long store", registry=registry
        )
        self.forward_seconds = Gauge(
            "serayu_forwarder_lag_seconds", "Age of the oldest of them", registry=registry
        )
        self.alert_changes = Counter(
            "serayu_alert_changes", "Changes of alert level", ["kind"], registry=registry
        )
        self.sensor_faults = Gauge(
            "serayu_sensor_fault", "1 while a level sensor seems dead, stuck, spiking or drifting",
            ["station", "kind"], registry=registry,
        )  # fmt: skip
        self.bulletins = Counter("serayu_bulletins", "Bulletins recorded", ["type"], registry=registry)
        self.forecasts = Counter(
            "serayu_forecasts", "Forecasts asked for: made, none, failed", ["result"], registry=registry
        )
        self.forecast_seconds = Histogram(
            "serayu_forecast_seconds", "One forecast of one post", buckets=_LATENCY_S, registry=registry
        )
        self.landslides = Counter(
            "serayu_landslide_assessments", "Rounds: made, retried, failed", ["result"], registry=registry
        )
        self.landslide_seconds = Histogram(
            "serayu_landslide_seconds",
            "One assessment of all slopes",
            buckets=_LATENCY_S,
            registry=registry,
        )
        self.landslide_roads = Gauge(
            "serayu_landslide_roads", "Roads at each level of the newest round", ["level"], registry=registry
        )
        self.agents = {
            name: Gauge(f"serayu_agent_{name}", help_text, ["station"], registry=registry)
            for name, help_text in _AGENT_GAUGES.items()
        }
        self.evaluator_rows = Gauge(
            "serayu_evaluator_lag_rows", "Observations not yet evaluated", registry=registry
        )

    def count(self, outcome: Outcome, *, messages: int) -> None:
        """Add a committed batch."""
        self.stored.inc(outcome.stored)
        self.duplicates.inc(outcome.duplicates)
        self.rejected.inc(outcome.rejected)
        self.late.inc(outcome.late)
        self.undecodable.inc(outcome.undecodable)
        self.batch.observe(messages)

    def show_roads(self, levels: Iterable[str]) -> None:
        """Show how many roads are at each landslide level; a level without roads has no sample."""
        self.landslide_roads.clear()
        for level, roads in Counts(levels).items():
            self.landslide_roads.labels(level).set(roads)

    def agent(self, station: str, payload: bytes) -> None:
        """Show what an agent says of itself; a status that cannot be read is no news."""
        try:
            status = msgspec.json.decode(payload, type=_AgentStatus)
        except msgspec.MsgspecError:
            return
        backlog = status.backlog
        values: dict[str, float | None] = {
            "online": float(status.online),
            "backlog_readings": backlog.count if backlog else None,
            "backlog_oldest_seconds": backlog.oldest_age_s if backlog else None,
            "capacity_hours": backlog.capacity_hours_left if backlog else None,
            "dropped_readings": backlog.dropped if backlog else None,
        }
        for name, value in values.items():
            if value is not None:
                self.agents[name].labels(station).set(value)


class _Backlog(msgspec.Struct):
    count: int | None = None
    oldest_age_s: float | None = None
    capacity_hours_left: float | None = None
    dropped: int | None = None


class _AgentStatus(msgspec.Struct):
    online: bool = False
    backlog: _Backlog | None = None
