"""A slow straight rise of a level, and who else rose meanwhile: what tells a drifting sensor from a river.

Floods bend, and others rise with them. A level that creeps up along a straight line while nobody else rises is the
sensor's; one that others confirm is the river's; one about which nobody on the same river can say anything is doubtful:
calm rivers nearby do not deny it, for a dam may be let off on a dry day. All numbers are
[project proposal], chosen on the records of the shared sets (``docs/results/sensor_faults.md``).
"""

import itertools
import statistics
from collections.abc import Callable, Sequence
from typing import NamedTuple

from serayu.models.hydrology.rise import theil_sen_slope
from serayu.models.times import US_PER_HOUR

WINDOWS_H = (12, 24, 48)
"""A creep is looked for over these, so that a fast one is found early and a slow one at all."""
WITNESS_LAG_H = 24
"""Where the river rose in so many hours before the window, a wave may still be on its way: doubtful, not drifting."""
RISE_M, LEAST = 0.20, 8
"""A creep is a rise of so much in the window, seen by so many values ..."""
SPANNED = 0.75
"""... that span this share of it ..."""
STRAIGHT = 0.15
"""... along a straight line: half of the values within this share of the rise, all within twice of it ..."""
MOST_M_PER_H = 0.10
"""... and slowly. What is faster is a flood until it is proven otherwise."""
RELATED_SHARE, NOISE_M = 0.25, 0.05
"""A post rose with it that rose by more than this share of it, and by more than noise."""
CALM_RAIN_MM = 5.0
"""A gauge with more explains a rise."""
REGION_ROSE = 0.5
"""The posts of other rivers explain a rise where more than this share of them rose too."""
REGION_POSTS, REGION_KM = 8, 60.0
"""The nearest so many of them within so far are asked."""
SAMPLES = 48
"""Most values behind a slope: pairs grow with the square."""


class Witnesses(NamedTuple):
    """What others say of a span.

    Parameters
    ----------
    related
        How far each post above or below on the same river that speaks has risen, m.
    region
        The same of the nearest posts of other rivers.
    rain_mm
        Most rain of a related gauge, mm; None where none speaks.
    """

    related: tuple[float, ...] = ()
    region: tuple[float, ...] = ()
    rain_mm: float | None = None


AskWitnesses = Callable[[int], Witnesses]
"""Given the start of a span that ends now, microseconds UTC; asked only when a level creeps."""


def net_rise_m(levels: Sequence[float]) -> float:
    """Return how far the last level stands above the lowest, m: a wave that has passed again is no rise.

    Examples
    --------
    >>> net_rise_m([2.0, 1.0, 1.5, 1.25])
    0.25
    """
    return levels[-1] - min(levels)


def creep_m(samples: Sequence[tuple[int, float]], window_us: int) -> float | None:
    """Return how far levels creep up in the window that ends with the last one, m; None where they do not.

    Parameters
    ----------
    samples
        (microseconds UTC, m) in order of time, finite, without doubtful jumps.
    window_us
        How far back to look.
    """
    if not samples:
        return None
    end_us = samples[-1][0]
    inside = [one for one in samples if one[0] > end_us - window_us]
    if len(inside) < LEAST or end_us - inside[0][0] < SPANNED * window_us:
        return None
    inside = _thinned(inside)
    hours = [(t_us - end_us) / US_PER_HOUR for t_us, _ in inside]
    levels = [level for _, level in inside]
    slope = theil_sen_slope(hours, levels)
    if slope is None or slope > MOST_M_PER_H or slope * -hours[0] < RISE_M:
        return None
    rise_m = slope * -hours[0]
    rest = [level - slope * hour for hour, level in zip(hours, levels, strict=True)]
    middle = statistics.median(rest)
    off = [abs(one - middle) for one in rest]
    straight = statistics.median(off) <= STRAIGHT * rise_m and max(off) <= 2 * STRAIGHT * rise_m
    return rise_m if straight else None


class Verdict(NamedTuple):
    """What is thought of a level: it drifts, or it may."""

    drifts: bool
    doubtful: bool


def judge_creep(samples: Sequence[tuple[int, float]], ask: AskWitnesses) -> Verdict:
    """Return whether a level drifts, or whether that is open; neither where it does not creep, or the river does.

    Parameters
    ----------
    samples
        Of the last `WINDOWS_H`, as for `creep_m`.
    ask
        Gives the witnesses.
    """
    doubtful = False
    for hours in WINDOWS_H:
        rise_m = creep_m(samples, hours * US_PER_HOUR)
        if rise_m is None:
            continue
        end_us = samples[-1][0]
        now = ask(end_us - hours * US_PER_HOUR)
        explained = _explained(rise_m, now)
        if explained is False:
            before = ask(end_us - (hours + WITNESS_LAG_H) * US_PER_HOUR)
            if not _wave(rise_m, before):
                return Verdict(drifts=True, doubtful=False)
            explained = None
        doubtful = doubtful or explained is None
    return Verdict(drifts=False, doubtful=doubtful)


def _least_m(rise_m: float) -> float:
    return max(RELATED_SHARE * rise_m, NOISE_M)


def _wave(rise_m: float, before: Witnesses) -> bool:
    """Say whether a wave on the same river, or rain, might still be on its way."""
    wet = before.rain_mm is not None and before.rain_mm > CALM_RAIN_MM
    return wet or any(rise > _least_m(rise_m) for rise in before.related)


def _explained(rise_m: float, witnesses: Witnesses) -> bool | None:
    """Say whether a rise is the river's; None where nobody can tell.

    Only posts of the same river deny one: snow melts in dry weather, and a dam opens.
    """
    least_m = _least_m(rise_m)
    wet = witnesses.rain_mm is not None and witnesses.rain_mm > CALM_RAIN_MM
    if wet or any(rise > least_m for rise in witnesses.related):
        return True
    if witnesses.related:
        return False
    rose = sum(rise > least_m for rise in witnesses.region)
    return True if rose > REGION_ROSE * len(witnesses.region) else None


def _thinned(samples: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """Return at most `SAMPLES` of them, evenly by number, the last one always."""
    step = -(-len(samples) // SAMPLES)
    return list(itertools.islice(reversed(samples), 0, None, step))[::-1]
