"""Condition of one road segment from what imagery can measure: intervals, and what they lack.

The rules of the bounds [all: project proposal]:

* a size lies within two standard errors;
* a severity that was not measured may be any that its sizes allow, for all things alike or half and half (of 800
  invented segments with severities drawn at random, 7 had an index outside these bounds, by at most 2.0 points);
* a thing whose score is below `SURE_SCORE` may be no thing: it counts only at the worse end;
* what was not photographed is unknown: below `LEAST_SURVEYED` there is no index, and above it the index speaks of the
  part that was photographed.

What the detectors do not find, and distresses that they do not look for, are not in the index.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from serayu.models.pavement.bina_marga import Condition, SdiRules, sdi, sdi_class
from serayu.models.pavement.cracks import crack_area_m2, mean_width_mm
from serayu.models.pavement.damage import DISTRESS_OF, Damage, Range
from serayu.models.pavement.distress import Distress, metric_deduct
from serayu.models.pavement.pci import Rating, monotone_max_cdv, rating
from serayu.models.roads.line import Surface
from serayu.models.survey.finding import DefectClass, Severity

__all__ = ["LEAST_SURVEYED", "SURE_SCORE", "Interval", "SegmentCondition", "segment_condition"]

SURE_SCORE = 0.5
"""From this score on a thing counts at both ends [project proposal]."""
LEAST_SURVEYED = 0.9
"""Share of a segment that must have been photographed for an index of it [project proposal]."""
_SAMPLE_M2 = (135.0, 315.0)  # a sample unit has 225 ± 90 m² [ASTM D6433, memory]
_ORDER = (Severity.LOW, Severity.MEDIUM, Severity.HIGH)
_PATTERNS = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
"""Severities tried for what was not measured: all alike, or half and half."""
_LOWER, _MEASURED, _UPPER = range(3)  # places in a quantity
_UNSEEN = "pavement.missing."


class Interval(msgspec.Struct, frozen=True):
    """Two bounds, both included."""

    low: float
    high: float


class SegmentCondition(msgspec.Struct, frozen=True, kw_only=True):
    """Condition of a segment; null is unknown, never "none".

    Parameters
    ----------
    surveyed
        Share of the segment that was photographed, 0-1; null where nothing says.
    crack_area_pct
        Cracked area of the part photographed, %: alligator areas, and 0.5 m along each single crack.
    potholes_per_km
        Holes of the part photographed, per km.
    pci, pci_middle
        Pavement condition index 0-100 of the distresses that imagery shows; the middle only where every severity was
        measured.
    rating_worst, rating_best
        Ratings at both ends.
    sdi
        Surface distress index.
    condition_best, condition_worst
        Classes at both ends.
    missing
        Why something is null or wide: keys of the catalogue of texts ``pavement.missing.*``.
    """

    surveyed: float | None
    crack_area_pct: Interval | None = None
    potholes_per_km: Interval | None = None
    pci: Interval | None = None
    pci_middle: float | None = None
    rating_worst: Rating | None = None
    rating_best: Rating | None = None
    sdi: Interval | None = None
    condition_best: Condition | None = None
    condition_worst: Condition | None = None
    missing: tuple[str, ...] = ()


def segment_condition(
    damages: Iterable[Damage],
    *,
    length_m: float,
    width_m: float | None,
    surveyed: float | None,
    surface: Surface | None = None,
    rut_depth_cm: Interval | None = None,
    rules: SdiRules | None = None,
) -> SegmentCondition:
    """Return the condition of a segment.

    Adding a thing, or making one larger, never raises either end of the PCI (see `monotone_max_cdv`). Raising the
    severity of one of several things can: the standard sums deducts per severity, and the same area in two severities
    may deduct more than all of it in the higher one (in 54 of 979 invented cases, by at most 5.0 points).

    Parameters
    ----------
    damages
        All that was found on it; landslides are passed over.
    length_m
        Of the segment, above 0.
    width_m
        Of the carriageway, above 0; None: no density is known, so no PCI.
    surveyed
        Share of the segment that was photographed fit for detection, 0-1; None where nothing says.
    surface
        Both indices are those of asphalt; another surface has neither, an unknown one is noted.
    rut_depth_cm
        From another survey; None: unknown, 0 to any depth.
    rules
        Numbers of the SDI; default: the manual's.

    Raises
    ------
    ValueError
        A length, width, share or depth is out of range.
    """
    _check(length_m=length_m, width_m=width_m, surveyed=surveyed, rut_depth_cm=rut_depth_cm)
    if surface not in {None, Surface.ASPAL}:
        return SegmentCondition(surveyed=surveyed, missing=(_UNSEEN + "not_asphalt",))
    if surveyed is None or surveyed < LEAST_SURVEYED:
        return SegmentCondition(surveyed=surveyed, missing=(_UNSEEN + "not_surveyed",))
    found = _Found([damage for damage in damages if damage.label in DISTRESS_OF])
    area_m2 = None if width_m is None else length_m * surveyed * width_m
    cracked = found.crack_area_pct(area_m2)
    holes = found.holes()
    per_km = (holes[0] / (length_m * surveyed) * 1000, holes[1] / (length_m * surveyed) * 1000)
    distress = _sdi(found, cracked, per_km, rut_depth_cm, rules)
    index = None if area_m2 is None or not found.sized else found.pci(area_m2)
    return SegmentCondition(
        surveyed=surveyed,
        crack_area_pct=None if cracked is None else Interval(*cracked),
        potholes_per_km=Interval(*per_km),
        pci=index,
        pci_middle=None if area_m2 is None or index is None else found.middle(area_m2),
        rating_worst=None if index is None else rating(index.low),
        rating_best=None if index is None else rating(index.high),
        sdi=distress,
        condition_best=sdi_class(distress.low),
        condition_worst=sdi_class(distress.high),
        missing=tuple(
            _UNSEEN + name
            for name, holds in (
                ("partly_surveyed", surveyed < 1),
                ("surface", surface is None),
                ("road_width", width_m is None),
                ("rut", rut_depth_cm is None),
                *found.missing().items(),
                ("distresses", index is not None),
                ("sample_unit", area_m2 is not None and not _SAMPLE_M2[0] <= area_m2 <= _SAMPLE_M2[1]),
            )
            if holds
        ),
    )


class _Found:
    """The things of a segment, those that are sure apart."""

    def __init__(self, damages: Sequence[Damage]) -> None:
        self.every = damages
        self.sure = [one for one in damages if one.score is None or one.score >= SURE_SCORE]
        self.doubtful = [one for one in damages if one.score is not None and one.score < SURE_SCORE]
        self.sized = all(one.quantity is not None for one in damages)

    def missing(self) -> Mapping[str, bool]:
        """Return what is not known of them."""
        return {
            "size": not self.sized,
            "severity": any(low is not high for low, high in (one.severities for one in self.every)),
            "crack_width": any(one.cracked and one.width_mm is None for one in self.every),
            "score": bool(self.doubtful),
        }

    def holes(self) -> Range:
        low, high = (
            float(sum(one.label is DefectClass.POTHOLE for one in damages))
            for damages in (self.sure, self.every)
        )
        return low, high

    def crack_area_pct(self, area_m2: float | None) -> Range | None:
        """Return the share of the area that is cracked; None where that is not known."""
        areas = [
            [crack_area_m2(one) for one in damages if one.cracked] for damages in (self.sure, self.every)
        ]
        if not areas[1]:
            return 0.0, 0.0
        if area_m2 is None or None in areas[1]:
            return None
        low, high = (
            min(100.0, 100 * math.fsum(pair[end] for pair in pairs if pair is not None) / area_m2)
            for end, pairs in enumerate(areas)
        )
        return low, high

    def pci(self, area_m2: float) -> Interval:
        """Return the index at both ends."""
        worse = max(_max_cdv(self.every, pattern, _UPPER, area_m2) for pattern in self._patterns(self.every))
        better = min(_max_cdv(self.sure, pattern, _LOWER, area_m2) for pattern in self._patterns(self.sure))
        return Interval(100 - worse, 100 - better)

    def middle(self, area_m2: float) -> float | None:
        """Return the index of the sure things by their sizes as measured; None where a severity is not known."""
        if any(low is not high for low, high in (one.severities for one in self.every)):
            return None
        return 100 - _max_cdv(self.sure, _PATTERNS[0], _MEASURED, area_m2)

    @staticmethod
    def _patterns(damages: Sequence[Damage]) -> Sequence[tuple[int, int]]:
        open_ones = any(low is not high for low, high in (one.severities for one in damages))
        return _PATTERNS if open_ones else _PATTERNS[:1]


def _max_cdv(damages: Sequence[Damage], pattern: tuple[int, int], place: int, area_m2: float) -> float:
    """Return the largest corrected deduct; *place* chooses the bounds of all sizes, or the sizes as measured."""
    amounts = dict[tuple[Distress, Severity], float]()
    for damage in damages:
        quantity = damage.quantity
        if quantity is None:
            raise ValueError(f"{damage.label}: no size")
        low, high = (_ORDER.index(one) for one in damage.severities)
        for level in pattern:
            key = DISTRESS_OF[damage.label], _ORDER[min(max(level, low), high)]
            amounts[key] = amounts.get(key, 0.0) + quantity[place] / 2
    return monotone_max_cdv(
        metric_deduct(distress, severity.value, amount, area_m2=area_m2)
        for (distress, severity), amount in sorted(amounts.items())
    )


def _sdi(
    found: _Found,
    cracked_pct: Range | None,
    holes_per_km: Range,
    rut_depth_cm: Interval | None,
    rules: SdiRules | None,
) -> Interval:
    """Return the index at both ends; an unknown crack area is anything, but not none where a crack is sure."""
    sure, doubtful = ([one for one in some if one.cracked] for some in (found.sure, found.doubtful))
    if cracked_pct is None:
        cracked_pct = (math.ulp(0.0) if sure else 0.0, 100.0)
    width = mean_width_mm(sure, doubtful)
    rut = (0.0, math.inf) if rut_depth_cm is None else (rut_depth_cm.low, rut_depth_cm.high)
    low, high = (
        sdi(
            crack_area_pct=cracked_pct[end],
            crack_width_mm=width[end],
            potholes_per_km=holes_per_km[end],
            rut_depth_cm=rut[end],
            rules=rules,
        ).sdi
        for end in (0, 1)
    )
    return Interval(low, high)


def _check(
    *, length_m: float, width_m: float | None, surveyed: float | None, rut_depth_cm: Interval | None
) -> None:
    for name, value in (("length_m", length_m), ("width_m", width_m)):
        if value is not None and not 0 < value < math.inf:
            raise ValueError(f"{name} must be above 0, got {value}")
    if surveyed is not None and not 0 <= surveyed <= 1:
        raise ValueError(f"surveyed must be 0 to 1, got {surveyed}")
    if rut_depth_cm is not None and not 0 <= rut_depth_cm.low <= rut_depth_cm.high:
        raise ValueError(f"rut_depth_cm must be two depths not below 0, got {rut_depth_cm}")
