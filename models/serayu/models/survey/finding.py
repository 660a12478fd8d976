"""One thing that a survey found on the ground: what, where, how big, how sure, on which road."""

import enum
from typing import Any

import msgspec

__all__ = ["CERTAIN_SIGMAS", "CRACKS", "DefectClass", "Errors", "Finding", "Severity", "Side"]

CERTAIN_SIGMAS = 1.645
"""What is farther than this many standard errors away is taken as certain: 90 % of a normal error lie within, 95 % on
one side [project proposal]."""


class DefectClass(enum.StrEnum):
    """What was found; the names are those of the detectors' classes."""

    LONGITUDINAL_CRACK = "longitudinal_crack"
    TRANSVERSE_CRACK = "transverse_crack"
    ALLIGATOR_CRACK = "alligator_crack"
    POTHOLE = "pothole"
    PATCH_REPAIR = "patch_repair"
    LANDSLIDE = "landslide"


CRACKS = frozenset(
    {DefectClass.LONGITUDINAL_CRACK, DefectClass.TRANSVERSE_CRACK, DefectClass.ALLIGATOR_CRACK}
)


class Severity(enum.StrEnum):
    """Severity by the limits of ASTM D6433, or that the imagery cannot decide it."""

    LOW = "L"
    MEDIUM = "M"
    HIGH = "H"
    UNMEASURED = "tidak terukur"


class Side(enum.StrEnum):
    """Side of the road's line, looking the way its kilometres grow."""

    LEFT = "kiri"
    RIGHT = "kanan"


class Errors(msgspec.Struct, frozen=True, kw_only=True):
    """Standard errors (one sigma); null where the quantity itself is null.

    Parameters
    ----------
    position_m
        Horizontal, of the finding's middle.
    length_m, width_mm, area_m2
        Of the sizes.
    road_edge_m
        Of a slide's distance to the road's edge; that of the road's own line and width is not in it.
    """

    position_m: float | None
    length_m: float | None = None
    width_mm: float | None = None
    area_m2: float | None = None
    road_edge_m: float | None = None


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One real thing, however many photos show it.

    Parameters
    ----------
    id
        UUID version 7 made from the time of the photo and the content, so that the same survey gives the same ids.
    survey
        Id of the survey.
    label
        What it is; ``class`` in documents.
    score
        Confidence of the detector, 0-1; null where boxes were given by a person.
    ruas, km, side
        Number of the road, kilometre from its start and side; null away from every road. The side is also null where
        it is not certain, the distance from the road's line being below 1.645 errors of the position (90 %):
        `unmeasured` then says so.
    length_m, width_mm, area_m2
        Sizes; null where they are not defined for the class, or cannot be measured at this ground sampling
        distance: `unmeasured` then says why.
    severity
        By the standard's limits; ``tidak terukur`` where the imagery cannot decide.
    errors
        Standard errors of position and sizes.
    photo, photos
        The photo that it was measured on, and all that show it, by name.
    time
        When that photo was taken, RFC 3339; null where the photo does not say.
    geometry
        GeoJSON geometry in degrees (longitude, latitude): the outline of an area, the line of a crack, or a point.
    unmeasured
        Why a size, the severity or the side is missing: keys of the catalogue of texts ``finding.unmeasured.*``.
    road_edge_m, slope_deg
        Of a landslide: distance to the road's edge, m (0 when it reaches it), and slope of the ground; null where
        there is no road or no elevation model.
    """

    id: str
    survey: str
    label: DefectClass = msgspec.field(name="class")
    score: float | None
    ruas: str | None
    km: float | None
    side: Side | None
    length_m: float | None
    width_mm: float | None
    area_m2: float | None
    severity: Severity
    errors: Errors
    photo: str
    photos: tuple[str, ...]
    time: str | None
    geometry: dict[str, Any]
    unmeasured: tuple[str, ...] = ()
    road_edge_m: float | None = None
    slope_deg: float | None = None
