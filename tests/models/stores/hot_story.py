"""Readings for the tests of the hot store, and what must always hold of its tables."""

import sqlite3

from serayu.models.quality.flags import QualityFlag
from serayu.models.reading import Observation, Reading, SeriesKey
from serayu.models.stores.hot import HotStore
from serayu.models.stores.hot_transaction import Verdict
from serayu.models.times import US_PER_DAY

KEY = SeriesKey("33.02", "bgs-hulu", "stage")
RAIN = SeriesKey("33.02", "bgs-hulu", "rain")
OTHER = SeriesKey("33.02", "bgs-hilir", "stage")
T0 = 19_675 * US_PER_DAY  # 14 November 2023, 00:00 UTC
NEW, DUPLICATE = Verdict.NEW, Verdict.DUPLICATE
IDENTITY, TIME = Verdict.IDENTITY_CONFLICT, Verdict.TIME_CONFLICT
CLOSED = Verdict.CLOSED_HOUR


def reading(
    seq: int,
    t_us: int,
    value: float = 1.0,
    *,
    key: SeriesKey = KEY,
    oid: str = "a1",
    clock_ok: bool = True,
) -> Reading:
    return Reading(key, T0 + t_us, value, oid, seq, clock_ok)


def observed(one: Reading, flag: QualityFlag = QualityFlag.GOOD) -> Observation:
    return Observation(one.key, one.t_us, one.value, flag, 0, one.oid, one.seq, one.t_us + 9)


def take(store: HotStore, readings: list[Reading], flag: QualityFlag = QualityFlag.GOOD) -> list[Verdict]:
    """Store what is new, as ingest does."""
    with store.transaction() as transaction:
        verdicts = transaction.classify(readings)
        new = [one for one, verdict in zip(readings, verdicts, strict=True) if verdict is NEW]
        transaction.insert([observed(one, flag) for one in new])
    return verdicts


def fail(store: HotStore, readings: list[Reading]) -> None:
    """Store what is new, and break before the commit."""
    with store.transaction() as transaction:
        verdicts = transaction.classify(readings)
        new = [one for one, verdict in zip(readings, verdicts, strict=True) if verdict is NEW]
        transaction.insert([observed(one) for one in new])
        raise RuntimeError("before commit")


def assert_derived_tables_are_right(store: HotStore) -> None:
    """Compare `latest` and `hourly` with what SQL makes of the raw rows."""
    connection = sqlite3.connect(store.path)
    latest = "SELECT series, t, value, flag, tests, received, late FROM {} ORDER BY series"
    newest = (
        "(SELECT * FROM observation o WHERE t = (SELECT max(t) FROM observation WHERE series = o.series))"
    )
    assert (
        connection.execute(latest.format("latest")).fetchall()
        == connection.execute(latest.format(newest)).fetchall()
    )
    hours = connection.execute(
        "SELECT series, t - t % 3600000000, count(*), sum(value), min(value), max(value) FROM observation"
        " WHERE flag NOT IN (4, 9) AND value IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2"
    ).fetchall()
    kept = "SELECT series, hour, n, total, minimum, maximum FROM hourly ORDER BY series, hour"
    assert connection.execute(kept).fetchall() == hours
    connection.close()
