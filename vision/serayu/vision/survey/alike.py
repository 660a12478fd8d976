"""Whether two sightings in two pictures are the same thing, judged only on the ground that both pictures show."""

from dataclasses import dataclass

import shapely
from shapely.geometry.base import BaseGeometry

from serayu.models.survey.finding import CRACKS, DefectClass
from serayu.vision.sighting import Sighting

__all__ = ["Seen", "along_share", "mismatch", "pieces"]

_SHARE = 0.5  # of the smaller within the larger, at least [project proposal]
_SIZE_RATIO = 0.4  # of two whole things [project proposal]
_WOBBLE = 0.15  # of a thing's size: how far its middle moves between two masks of it [project proposal]
_TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Seen:
    """A sighting where it lies after the pictures were aligned.

    Parameters
    ----------
    sighting, figure
        The sighting and its moved figure, metres.
    footprint
        What its picture shows, moved.
    sigma_m
        Standard error of its place against other pictures after alignment.
    """

    sighting: Sighting
    figure: BaseGeometry
    footprint: BaseGeometry
    sigma_m: float

    @property
    def key(self) -> tuple[str, int]:
        """Return what sorts sightings: picture, then place among its detections."""
        return self.sighting.unit, self.sighting.index


def mismatch(one: Seen, two: Seen, *, reach_m: float) -> float | None:
    """Return how badly two sightings in two pictures agree: 0 perfectly, 1 just; None where they are two things.

    Both are cut down to the ground that both pictures show: of one thing, the parts there must agree, however much of
    it lies outside. Lines agree when most of the shorter runs within `reach_m` of the longer and they point the same
    way; areas when their middles are near each other and their sizes alike, or when they overlap. Where the pictures
    show no common ground, cut pieces that touch go together.

    Parameters
    ----------
    one, two
        Sightings.
    reach_m
        How far apart the same point may lie in the two.
    """
    if one.sighting.label is not two.sighting.label:
        return None
    if shapely.distance(one.figure, two.figure) > reach_m + _WOBBLE * _extent(one.figure, two.figure):
        return None
    common = shapely.intersection(one.footprint, two.footprint)
    first, second = _part(one, common), _part(two, common)
    if first is None or second is None:
        both_cut = one.sighting.cut and two.sighting.cut and first is None and second is None
        return 1.0 if both_cut and shapely.distance(one.figure, two.figure) <= reach_m else None
    if one.figure.area > _TINY and two.figure.area > _TINY:
        return _areas(first, second, whole=not (one.sighting.cut or two.sighting.cut), reach_m=reach_m)
    return _lines((first, two.figure), (second, one.figure), reach_m=reach_m)


def pieces(one: Seen, two: Seen, *, reach_m: float) -> bool:
    """Return whether two sightings of one picture can be pieces of one crack: cracks that do not run side by side."""
    if one.sighting.label is not two.sighting.label or one.sighting.label not in CRACKS:
        return False
    if one.sighting.label is DefectClass.ALLIGATOR_CRACK:
        return one.sighting.cut and two.sighting.cut
    return max(along_share(one.figure, two.figure, reach_m), along_share(two.figure, one.figure, reach_m)) < (
        1 - _SHARE
    ) and not _beside(one.figure, two.figure)


def along_share(part: BaseGeometry, whole: BaseGeometry, reach_m: float) -> float:
    """Return how much of a figure's length or area lies within a distance of another, 0-1."""
    near = shapely.intersection(part, shapely.buffer(whole, max(reach_m, 1e-3)))
    size = part.area if part.area > _TINY else part.length
    return float((near.area if part.area > _TINY else near.length) / size) if size > 0 else 1.0


def _beside(one: BaseGeometry, two: BaseGeometry) -> bool:
    """Return whether two lines run side by side: their shadows on the longer one's direction overlap."""
    longer, shorter = (one, two) if one.length >= two.length else (two, one)
    axis = shapely.get_coordinates(longer)
    run = axis[-1] - axis[0]
    size = float((run**2).sum()) ** 0.5
    if size < _TINY:
        return True
    spans = [shapely.get_coordinates(figure) @ (run / size) for figure in (longer, shorter)]
    overlap = min(spans[0].max(), spans[1].max()) - max(spans[0].min(), spans[1].min())
    return bool(overlap > (1 - _SHARE) * max(float(spans[1].max() - spans[1].min()), _TINY))


def _part(seen: Seen, common: BaseGeometry) -> BaseGeometry | None:
    """Return what of a sighting lies on common ground, None where that is next to nothing."""
    if not seen.sighting.cut and shapely.contains_properly(common, seen.figure):
        return seen.figure
    part = shapely.intersection(seen.figure, common)
    size = part.area if seen.figure.area > _TINY else part.length
    return None if part.is_empty or size <= _TINY else part


def _areas(one: BaseGeometry, two: BaseGeometry, *, whole: bool, reach_m: float) -> float | None:
    small, large = sorted((one, two), key=lambda figure: figure.area)
    apart = shapely.distance(one.centroid, two.centroid)
    allowed = reach_m + _WOBBLE * _extent(one, two)
    ratio = small.area / large.area
    if apart <= allowed and ratio >= (_SIZE_RATIO**2 if whole else _SIZE_RATIO**3):
        return float(0.8 * apart / allowed + 0.2 * (1 - ratio))
    overlap = shapely.intersection(one, two).area
    if overlap >= _SHARE * small.area and ratio >= _SIZE_RATIO**3:
        return float(1 - 0.2 * overlap / large.area)
    return None


def _lines(
    one: tuple[BaseGeometry, BaseGeometry], two: tuple[BaseGeometry, BaseGeometry], *, reach_m: float
) -> float | None:
    """Return how badly two lines agree; each as its part on common ground and the whole of the other."""
    short, other = min((one, two), key=lambda pair: pair[0].length)
    share = along_share(short, other, reach_m)
    if share < _SHARE:
        return None
    apart = float(
        shapely.hausdorff_distance(short, shapely.intersection(other, shapely.buffer(short, reach_m)))
    )
    return float(0.5 * (1 - share) + 0.5 * min(apart / max(reach_m, _TINY), 1.0))


def _extent(one: BaseGeometry, two: BaseGeometry) -> float:
    """Return the size that a middle's wobble goes with, m: the root of the smaller area; of lines, none."""
    return float(min(one.area, two.area) ** 0.5)
