"""Ingest's metrics in Prometheus' text form."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from serayu.ingest.pipeline import Outcome

_LATENCY_S = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)


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
