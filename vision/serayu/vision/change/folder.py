"""The output folder of a survey, as a comparison reads it."""

from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from serayu.models.errors import BadInputError
from serayu.models.plane import LocalPlane
from serayu.models.survey.finding import Finding
from serayu.models.survey.geojson import raw_features
from serayu.models.survey.read import FINDINGS, SEGMENTS, read_findings, read_segments

__all__ = ["SurveyHead", "Surveyed", "read_surveyed"]

SUMMARY, COVERAGE = "survey.json", "coverage.geojson"
_WHOLE = (
    0.99  # of a segment's carriageway, from which on it counts as photographed without a coverage document
)
_WIDTH_M = 6.0  # of a road that does not say: two lanes of 3 m [project proposal]


class _Gsd(msgspec.Struct, frozen=True):
    median: float


class SurveyHead(msgspec.Struct, frozen=True):
    """What a comparison needs of ``survey.json``."""

    survey: str
    detector: str
    first: str | None
    last: str | None
    gsd_mm: _Gsd | None


@dataclass(frozen=True, slots=True)
class Surveyed:
    """A survey.

    Parameters
    ----------
    head
        Which, with what, when.
    findings
        What it found.
    seen
        The ground that it photographed, degrees.
    exact
        Whether `seen` is that of the pictures; else it is that of the segments which they show whole.
    """

    head: SurveyHead
    findings: tuple[Finding, ...]
    seen: BaseGeometry
    exact: bool


def read_surveyed(folder: Path) -> Surveyed:
    """Read the output folder of a survey.

    Raises
    ------
    BadInputError
        A document is missing or wrong; names it.
    """
    try:
        head = msgspec.json.decode(_bytes(folder / SUMMARY), type=SurveyHead)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadInputError(str(error), file=folder / SUMMARY) from None
    findings = read_findings(_bytes(folder / FINDINGS), survey=head.survey, file=str(folder / FINDINGS))
    exact = (folder / COVERAGE).is_file()
    seen = _coverage(folder / COVERAGE) if exact else _by_segments(folder / SEGMENTS, head.survey)
    return Surveyed(head, findings, seen, exact)


def _coverage(file: Path) -> BaseGeometry:
    data = _bytes(file)
    try:
        (only,) = msgspec.json.decode(data)["features"]
        empty = only["geometry"] is None
    except (msgspec.DecodeError, RecursionError, KeyError, TypeError, ValueError) as error:
        raise BadInputError(f"not a coverage: {error}", file=file) from None
    if empty:
        return shapely.Polygon()
    shape = next(iter(raw_features(data, file=str(file), at_most=1))).shape
    return shape if shape.is_valid else shapely.make_valid(shape)


def _by_segments(file: Path, survey: str) -> BaseGeometry:
    """Return the carriageways of the segments that pictures show whole, degrees."""
    strips = []
    for record, feature in read_segments(_bytes(file), survey=survey, file=str(file)):
        if record.surveyed >= _WHOLE:
            line = shapely.geometry.shape(feature["geometry"])
            plane = LocalPlane(line.centroid.x)
            width = feature["properties"].get("width_m") or _WIDTH_M
            strip = plane.to_metres(np.array([line], dtype=object))[0].buffer(width / 2, cap_style="flat")
            strips.append(plane.to_degrees(strip))
    return shapely.union_all(strips)


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise BadInputError(f"cannot read: {error.strerror}", file=file) from None
