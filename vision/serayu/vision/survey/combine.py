"""Position, shape and sizes of one thing from all pictures that show it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from serayu.models.survey.finding import DefectClass, Errors, Severity
from serayu.vision.sighting import Sighting
from serayu.vision.survey.alike import Seen
from serayu.vision.survey.frames import Frame
from serayu.vision.survey.fuse import Group
from serayu.vision.survey.lines import joined

__all__ = ["Thing", "combined", "weighted"]

_COMMON = 0.5  # of the variance is common to all pictures: GNSS drift, camera constants [project proposal]
_WHOLE_SHARE = 0.8  # of the largest sighting: smaller ones show only part of the thing [project proposal]
_COARSER = (
    1.5  # times the finest ground sampling distance: coarser pictures do not measure [project proposal]
)
_REASON = "finding.unmeasured."
_COARSE = {True: (f"{_REASON}area_gsd",), False: (f"{_REASON}length_gsd",)}
"""Why a thing that only coarse pictures show whole has no size: of outlines, of lines."""
_RANK = {Severity.UNMEASURED: -1, Severity.LOW: 0, Severity.MEDIUM: 1, Severity.HIGH: 2}


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing on the ground.

    Parameters
    ----------
    best
        The sighting that it is measured and shown on, by the rule of `best_of`.
    figure
        Its line or outline, metres.
    label, score
        What it is, and the highest confidence (None where boxes were given).
    length_m, width_mm, area_m2, errors, severity, unmeasured
        As of a finding.
    photos
        Names of all pictures that show it, sorted.
    """

    best: Sighting
    figure: BaseGeometry
    label: DefectClass
    score: float | None
    length_m: float | None
    width_mm: float | None
    area_m2: float | None
    errors: Errors
    severity: Severity
    unmeasured: tuple[str, ...]
    photos: tuple[str, ...]


def best_of(seen: Sequence[Seen], frames: Mapping[str, Frame]) -> Seen:
    """Return the sighting to show: not cut by an edge, most sizes measured, finest, most central, first by name.

    What a picture can tell of sizes goes with its ground sampling distance, so a finer picture comes before a more
    central one. Fine counts in steps of a tenth, so that of pictures from about one height the central one is taken.
    """
    return min(seen, key=lambda one: _rank(one, frames))


def _rank(one: Seen, frames: Mapping[str, Frame]) -> tuple[bool, int, int, int, tuple[str, int]]:
    sizes = one.sighting.measured
    missing = sum(value is None for value in (sizes.length_m, sizes.width_mm, sizes.area_m2))
    width, height = frames[one.sighting.unit].size_px
    left, top, right, bottom = one.sighting.xyxy_px
    off = np.hypot((left + right - width) / 2, (top + bottom - height) / 2) / (np.hypot(width, height) / 2)
    step = round(float(np.log(one.sighting.gsd_mm) / np.log(1.1)))
    return one.sighting.cut, missing, step, int(off * 10), one.key


def combined(group: Group, frames: Mapping[str, Frame]) -> Thing:
    """Return the thing that a group of sightings shows."""
    own = [one for one in group.seen if one.sighting.label is group.label] or group.seen
    best = best_of(own, frames)
    sized = [one for one in group.seen if _sized(one)]
    # An outline in pixels too coarse to measure is too wide: it does not decide which finer ones show the thing whole.
    whole = _whole(sized) or _whole(group.seen)
    coarse = bool(sized) and bool(whole) and not any(_sized(one) for one in whole)
    figure = _figure(group.seen, whole, best)
    measured = [one.sighting.measured for one in _finest(whole or group.seen)]
    length_m, length_error = weighted([(m.length_m, m.errors.length_m) for m in measured])
    width_mm, width_error = weighted(
        [
            (one.sighting.measured.width_mm, one.sighting.measured.errors.width_mm)
            for one in _finest(group.seen)
        ]
    )
    area_m2, area_error = weighted([(m.area_m2, m.errors.area_m2) for m in measured])
    if not whole and len(group.seen) > 1:
        length_m, length_error = _completed(figure.length, length_m, group.seen, "length_m")
        area_m2, area_error = _completed(figure.area, area_m2, group.seen, "area_m2")
    scores = [one.sighting.score for one in own if one.sighting.score is not None]
    severity = _severity(best, group.seen)
    known = {
        "length": length_m,
        "crack_not_seen": length_m,
        "width": width_mm,
        "area": area_m2,
        "severity": None if severity is Severity.UNMEASURED else severity,
    }
    return Thing(
        best=best.sighting,
        figure=figure,
        label=group.label,
        score=max(scores, default=None),
        length_m=length_m,
        width_mm=width_mm,
        area_m2=area_m2,
        errors=Errors(
            position_m=_position_error(group),
            length_m=length_error if length_m is not None else None,
            width_mm=width_error,
            area_m2=area_error if area_m2 is not None else None,
        ),
        severity=severity,
        unmeasured=_reasons(best, known, coarse=_COARSE[figure.area > 0] if coarse else ()),
        photos=tuple(sorted({one.sighting.unit for one in (*group.seen, *group.others)})),
    )


def weighted(values: Sequence[tuple[float | None, float | None]]) -> tuple[float | None, float | None]:
    """Return the mean of sizes by their errors, and its standard error.

    Weights are ``1 / sigma²``; half of the variance is taken to be common to all pictures, so that the error of many
    is never below ``sqrt(0.5)`` of the best one's [project proposal]; scatter beyond the errors widens them by the
    Birge ratio, ``sqrt(chi² / (n - 1))`` [Birge 1932, Physical Review 40].

    Parameters
    ----------
    values
        Size and standard error of each picture; either may be None. Without any error all count alike.

    Returns
    -------
    tuple
        Size and error; None where not known.

    Examples
    --------
    >>> weighted([(2.0, None), (4.0, None), (None, None)])
    (3.0, None)
    """
    known = [(value, error) for value, error in values if value is not None]
    if not known:
        return None, None
    sizes = np.array([value for value, _ in known])
    errors = np.array([np.nan if error is None else error for _, error in known])
    if not (errors > 0).any():
        return float(sizes.mean()), 0.0 if (errors == 0).all() else None
    errors = np.where(errors > 0, errors, np.nanmax(errors))
    weights = 1 / errors**2
    mean = float((weights * sizes).sum() / weights.sum())
    variance = (1 - _COMMON) / weights.sum() + _COMMON * float((errors**2).min())
    scatter = float((weights * (sizes - mean) ** 2).sum()) / max(len(sizes) - 1, 1)
    return mean, float(np.sqrt(variance * max(1.0, scatter)))


def _whole(seen: Sequence[Seen]) -> list[Seen]:
    """Return the sightings that show the thing whole: not cut, and not much smaller than the largest."""
    uncut = [one for one in seen if not one.sighting.cut]
    largest = max((_size(one.figure) for one in seen), default=0.0)
    return [one for one in uncut if _size(one.figure) >= _WHOLE_SHARE * largest]


def _finest(seen: Sequence[Seen]) -> list[Seen]:
    """Return the sightings in the finest pictures.

    What coarse pixels do to an outline or a line is no scatter that averages out: outlines lose their corners and
    lines their bends in every such picture. So pictures from much higher up say where a thing lies, not how big.
    """
    finest = min(one.sighting.gsd_mm for one in seen)
    return [one for one in seen if one.sighting.gsd_mm <= _COARSER * finest]


def _sized(one: Seen) -> bool:
    """Return whether a picture could measure the thing's length or area."""
    measured = one.sighting.measured
    return measured.length_m is not None or measured.area_m2 is not None


def _size(figure: BaseGeometry) -> float:
    return float(figure.area if figure.area > 0 else figure.length)


def _figure(seen: Sequence[Seen], whole: Sequence[Seen], best: Seen) -> BaseGeometry:
    """Return the best sighting's figure where all agree that it lies; of cut pieces, what they make together."""
    if whole:
        shown = best if best in whole else whole[0]
        return _shifted(shown.figure, _middle(whole) - _xy(shown))
    if len(seen) == 1:
        return seen[0].figure
    ordered = sorted(seen, key=lambda one: (-_size(one.figure), one.key))
    if best.figure.area > 0:
        return shapely.unary_union([one.figure for one in ordered])
    return joined([one.figure for one in ordered], sigma_m=max(one.sigma_m for one in seen))


def _middle(whole: Sequence[Seen]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return the mean middle, pictures weighted by the error of their places."""
    weights = np.array([1 / max(one.sighting.measured.errors.position_m or 1.0, 0.01) ** 2 for one in whole])
    return np.average([_xy(one) for one in whole], axis=0, weights=weights)


def _xy(one: Seen) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    middle = one.figure.centroid
    return np.array([middle.x, middle.y])


def _shifted(figure: BaseGeometry, by: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> BaseGeometry:
    moved: BaseGeometry = shapely.transform(figure, lambda xy: xy + by)
    return moved


def _completed(
    size: float, known: float | None, seen: Sequence[Seen], name: str
) -> tuple[float | None, float | None]:
    """Return a size and its error of a thing that only pieces show, where a piece has that size at all.

    The relative error is that of the largest piece.
    """
    if known is None or size <= 0:
        return None, None
    sizes = [
        (value, getattr(one.sighting.measured.errors, name))
        for one in seen
        if (value := getattr(one.sighting.measured, name)) is not None and value > 0
    ]
    value, error = max(sizes, key=lambda pair: float(pair[0]), default=(size, None))
    return float(size), None if error is None else float(error * max(1.0, size / value))


def _position_error(group: Group) -> float | None:
    """Return the error of the mean of the pictures' places."""
    errors = [
        error
        for one in {one.sighting.unit: one for one in group.seen}.values()
        if (error := one.sighting.measured.errors.position_m) is not None
    ]
    return weighted([(0.0, error) for error in errors])[1] if errors else None


def _severity(best: Seen, seen: Sequence[Seen]) -> Severity:
    """Return the severity of the best sighting; where it has none, the most frequent of the others, then the worse."""
    own = best.sighting.measured.severity
    if own is not Severity.UNMEASURED:
        return own
    others = [s for one in seen if (s := one.sighting.measured.severity) is not Severity.UNMEASURED]
    return max(others, key=lambda s: (others.count(s), _RANK[s]), default=Severity.UNMEASURED)


def _reasons(best: Seen, thing: Mapping[str, object], *, coarse: tuple[str, ...]) -> tuple[str, ...]:
    """Return why sizes or the severity are missing, without the reasons of what another picture gave."""
    known = [name for name, value in thing.items() if value is not None]
    return tuple(
        key
        for key in dict.fromkeys((*best.sighting.measured.unmeasured, *coarse))
        if not any(key.startswith(f"{_REASON}{name}") for name in known)
    )
