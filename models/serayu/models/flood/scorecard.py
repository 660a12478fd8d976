"""The scorecard: how good the warnings were that people really got, and how sure that is.

Hits, misses and false alarms are counted as in the backtest (`serayu.models.flood.events`), on what was sent and what
the river then did. Intervals are 90 % bootstrap intervals over events: each event and each warning without one is an
outcome, and outcomes are drawn again with replacement (Efron and Tibshirani, An Introduction to the Bootstrap, 1993,
chapter 13, percentile interval). With fewer outcomes than `AT_LEAST` there is none.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from serayu.models.flood.observed import LEVELS
from serayu.models.flood.told import Outcome, Record
from serayu.models.hydrology.verification import Contingency
from serayu.models.siaga_levels import Siaga
from serayu.models.times import US_PER_MINUTE, rfc3339

__all__ = ["AT_LEAST", "CONFIDENCE", "DRAWS", "Scored", "Wait", "scorecard", "scorecard_document"]

AT_LEAST = 5
"""Fewest outcomes from which an interval is computed [project proposal]: fewer say next to nothing."""
CONFIDENCE = 0.90
DRAWS = 2000
SEED = 20260110  # any number will do: the same record must give the same interval
Numbers = npt.NDArray[np.float64]


class Wait(msgspec.Struct, frozen=True):
    """How long a bulletin waited for somebody to acknowledge it.

    Parameters
    ----------
    station, level
        Post, and the level that was told.
    seconds
        None where nobody has.
    """

    station: str
    level: Siaga
    seconds: float | None


class Estimate(msgspec.Struct, frozen=True):
    """A number and how sure it is.

    Parameters
    ----------
    value
        None where it is undefined.
    low, high
        90 % interval; None where there are fewer than `AT_LEAST` outcomes, or all are alike: then drawing them again
        cannot say anything.
    n
        Outcomes behind it.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int


class Scored(msgspec.Struct, frozen=True):
    """Scores of one level at one post, or of all posts together.

    Parameters
    ----------
    events, warnings
        Events, and warnings whose outcome is known.
    hits, misses, false_alarms
        As in the backtest: a late warning is no hit, so its event is a miss.
    late
        Of the misses those that were told, too late.
    late_ahead
        Of the false alarms those that did come before an event, by less than the least lead of a hit: people would call
        them late, not false.
    open
        Warnings in force whose outcome nobody knows yet; counted nowhere else.
    pod, far, csi
        Scores.
    lead_median_min, lead_p10_min
        Lead times of the hits, minutes.
    acknowledge_median_s, acknowledge_p90_s
        Time from bulletin to acknowledgement, seconds; over those that were acknowledged.
    unacknowledged
        Bulletins that waited for somebody and never got one.
    """

    events: int
    warnings: int
    hits: int
    misses: int
    false_alarms: int
    late: int
    late_ahead: int
    open: int
    pod: Estimate
    far: Estimate
    csi: Estimate
    lead_median_min: Estimate
    lead_p10_min: Estimate
    acknowledge_median_s: Estimate
    acknowledge_p90_s: Estimate
    unacknowledged: int


class Scorecard(msgspec.Struct, frozen=True):
    """Scores of every level by station, of all stations together, and the list behind them."""

    stations: Mapping[str, Mapping[Siaga, Scored]]
    together: Mapping[Siaga, Scored]
    records: Sequence[Record]


def scorecard(
    stations: Iterable[str], records: Sequence[Record], waits: Sequence[Wait] = (), *, seed: int = SEED
) -> Scorecard:
    """Compute the scores of what was judged.

    Parameters
    ----------
    stations
        Ids of the posts; one without any record has its row too.
    records
        Of all posts and levels, see `serayu.models.flood.told.judge`.
    waits
        For acknowledgements.
    seed
        Of the bootstrap.
    """

    def scored(level: Siaga, station: str | None) -> Scored:
        mine = [one for one in records if one.level is level and station in (None, one.station)]
        theirs = [one for one in waits if one.level is level and station in (None, one.station)]
        return _scored(mine, theirs, np.random.default_rng(seed))

    return Scorecard(
        stations={name: {level: scored(level, name) for level in LEVELS} for name in stations},
        together={level: scored(level, None) for level in LEVELS},
        records=sorted(records, key=lambda one: (one.at_us, one.station, one.level.rank)),
    )


def _scored(records: Sequence[Record], waits: Sequence[Wait], draw: np.random.Generator) -> Scored:
    counts = Counter(one.outcome for one in records)
    hits, late = counts[Outcome.HIT], _told_late(records)
    misses = counts[Outcome.MISSED] + late
    late_ahead = _issued_late(records)
    false_alarms = counts[Outcome.FALSE] + late_ahead
    leads = np.array(
        [one.lead_us / US_PER_MINUTE for one in records if _served(one) and one.lead_us is not None]
    )
    seconds = np.array([one.seconds for one in waits if one.seconds is not None], dtype=np.float64)
    ratios = _ratios(hits, misses, false_alarms, draw)
    return Scored(
        events=hits + misses,
        warnings=hits + false_alarms,
        hits=hits,
        misses=misses,
        false_alarms=false_alarms,
        late=late,
        late_ahead=late_ahead,
        open=counts[Outcome.OPEN],
        pod=ratios["pod"],
        far=ratios["far"],
        csi=ratios["csi"],
        lead_median_min=_quantile(leads, 0.5, draw),
        lead_p10_min=_quantile(leads, 0.1, draw),
        acknowledge_median_s=_quantile(seconds, 0.5, draw),
        acknowledge_p90_s=_quantile(seconds, 0.9, draw),
        unacknowledged=len(waits) - len(seconds),
    )


def _served(record: Record) -> bool:
    return record.outcome is Outcome.HIT


def _told_late(records: Sequence[Record]) -> int:
    """Return how many events were told too late: two late warnings of one event are one."""
    return len({(one.station, one.crossing_us) for one in records if one.outcome is Outcome.LATE})


def _issued_late(records: Sequence[Record]) -> int:
    """Return how many warnings came before the crossing and too late: unmatched, so false alarms to the backtest."""
    return sum(one.outcome is Outcome.LATE and (one.lead_us or 0) > 0 for one in records)


def _ratios(hits: int, misses: int, false_alarms: int, draw: np.random.Generator) -> dict[str, Estimate]:
    counts = Contingency(hits=hits, misses=misses, false_alarms=false_alarms)
    n = hits + misses + false_alarms
    drawn = (
        draw.multinomial(n, [hits / n, misses / n, false_alarms / n], size=DRAWS) if n else np.zeros((0, 3))
    )
    h, m, f = (drawn[:, column].astype(np.float64) for column in range(3))
    of = {"pod": (h, h + m, hits + misses), "far": (f, h + f, hits + false_alarms), "csi": (h, h + m + f, n)}
    return {
        name: _estimate(getattr(counts, name), top[bottom > 0] / bottom[bottom > 0], known)
        for name, (top, bottom, known) in of.items()
    }


def _quantile(values: Numbers, q: float, draw: np.random.Generator) -> Estimate:
    n = len(values)
    if n == 0:
        return Estimate(None, None, None, 0)
    drawn = (
        np.quantile(values[draw.integers(0, n, size=(DRAWS, n))], q, axis=1) if n >= AT_LEAST else np.zeros(0)
    )
    return _estimate(float(np.quantile(values, q)), drawn, n)


def _estimate(value: float | None, drawn: Numbers, n: int) -> Estimate:
    if value is None or n < AT_LEAST or len(drawn) == 0:
        return Estimate(value, None, None, n)
    tail = (1.0 - CONFIDENCE) / 2.0
    low, high = (float(one) for one in np.quantile(drawn, (tail, 1.0 - tail)))
    return Estimate(value, None, None, n) if low == high else Estimate(value, low, high, n)


def scorecard_document(
    card: Scorecard, *, names: Mapping[str, str], since_us: int, until_us: int, **more: object
) -> dict[str, Any]:
    """Return a scorecard as a JSON object.

    Parameters
    ----------
    card
        Scores.
    names
        Names of the stations for people.
    since_us, until_us
        From when until when was counted, microseconds UTC.
    more
        What else is to be said of it, e.g. ``source="register"``.
    """
    return {
        **more,
        "since": rfc3339(since_us),
        "until": rfc3339(until_us),
        "definitions": {
            "hit_lead_min": [30, 1440],
            "event_end_h": 6,
            "confidence": CONFIDENCE,
            "bootstrap": {"unit": "event", "draws": DRAWS, "seed": SEED, "at_least": AT_LEAST},
        },
        "together": {level.value: _row(one) for level, one in card.together.items()},
        "stations": {
            station: {
                "name": names.get(station, station),
                "levels": {level.value: _row(one) for level, one in levels.items()},
            }
            for station, levels in card.stations.items()
        },
        "records": [_line(one) for one in card.records],
    }


def _row(one: Scored) -> dict[str, Any]:
    row: dict[str, Any] = msgspec.to_builtins(one)
    for name, value in row.items():
        if isinstance(value, dict):
            row[name] = {
                key: round(part, 4) if isinstance(part, float) else part for key, part in value.items()
            }
    return row


def _line(one: Record) -> dict[str, Any]:
    lead = one.lead_us
    return {
        "station": one.station,
        "level": one.level.value,
        "outcome": one.outcome.value,
        "alert": one.alert,
        "issued": None if one.issued_us is None else rfc3339(one.issued_us),
        "crossing": None if one.crossing_us is None else rfc3339(one.crossing_us),
        "lead_min": None if lead is None else round(lead / US_PER_MINUTE, 1),
    }
