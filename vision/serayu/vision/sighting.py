"""One detection on the ground as one picture shows it, with its sizes: what is merged over overlapping pictures."""

from dataclasses import dataclass

from shapely.geometry.base import BaseGeometry

from serayu.models.survey.finding import DefectClass, Errors, Severity

__all__ = ["Measured", "Sighting"]


@dataclass(frozen=True, slots=True)
class Measured:
    """Sizes of one detection in one picture.

    Parameters
    ----------
    figure
        On the ground, metres in the survey's plane: a polygon for areas, a line for single cracks.
    length_m, width_mm, area_m2
        Sizes; None where not defined for the class or not measurable, `unmeasured` then says why.
    errors
        Standard errors (one sigma).
    severity
        By the standard's limits, or unmeasured.
    unmeasured
        Reasons: keys of the catalogue of texts ``finding.unmeasured.*``.
    """

    figure: BaseGeometry
    length_m: float | None
    width_mm: float | None
    area_m2: float | None
    errors: Errors
    severity: Severity
    unmeasured: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sighting:
    """One detection on the ground.

    Parameters
    ----------
    unit
        Name of the picture.
    index
        Its place among the detections of that picture.
    label, score
        What, and the detector's confidence (None for given boxes).
    measured
        Figure on the ground and sizes.
    xyxy_px
        Its box in the picture, for pictures of it.
    gsd_mm
        Ground sampling distance there, mm per px.
    cut
        Whether the picture's edge cuts it: it then goes on outside.
    time_us
        When the picture was taken, microseconds UTC; None where nothing says.
    """

    unit: str
    index: int
    label: DefectClass
    score: float | None
    measured: Measured
    xyxy_px: tuple[float, float, float, float]
    gsd_mm: float
    cut: bool
    time_us: int | None
