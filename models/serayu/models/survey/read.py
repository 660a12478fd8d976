"""Findings, segments and photos of a survey's bundle, checked: what passes here passes the schema too."""

import math
import re
from collections.abc import Collection
from typing import Any, TypeVar

import msgspec

from serayu.models.errors import BadInputError
from serayu.models.survey.finding import Errors, Finding
from serayu.models.survey.geojson import RawFeature, field_of, raw_features
from serayu.models.survey.photo import SurveyPhotos
from serayu.models.survey.schema import ERRORS, ID, PHOTO, RUAS, SIZES, SURVEY, TIME, UNMEASURED
from serayu.models.survey.segment import SegmentRecord
from serayu.models.times import parse_rfc3339

__all__ = [
    "FEATURES_AT_MOST",
    "FINDINGS",
    "SEGMENTS",
    "SIGHTINGS",
    "read_findings",
    "read_photos",
    "read_segments",
]

FINDINGS, SEGMENTS, SIGHTINGS = "findings.geojson", "segments.geojson", "sightings.json"
FEATURES_AT_MOST = 50_000
"""Of one survey; 1,000 km of road have 10,000 segments [project proposal]."""
T = TypeVar("T")
_FIELDS = frozenset(one.encode_name for one in msgspec.structs.fields(Finding))
_ERRORS = frozenset(Errors.__struct_fields__)
_UNIT, _RIGHT_ANGLE = 1.0, 90.0
_SIDE_AT_MOST_PX = 200_000


class _WrongError(Exception):
    """A property that is wrong; the caller knows where."""

    def __init__(self, field: str, reason: str) -> None:
        self.field, self.reason = field, reason
        super().__init__(reason)


def read_findings(data: bytes, *, survey: str, file: str = FINDINGS) -> tuple[Finding, ...]:
    """Return the findings of a collection, in its order.

    Raises
    ------
    BadInputError
        Names the first wrong feature, by its number, and the field.
    """
    found: dict[str, Finding] = {}
    for raw in raw_features(data, file=file, at_most=FEATURES_AT_MOST):
        try:
            finding = _finding(raw)
            _expect(finding.survey == survey, "properties.survey", f"of another survey than {survey!r}")
            _expect(finding.id not in found, "properties.id", f"{finding.id} is there twice")
        except _WrongError as error:
            raise BadInputError(error.reason, file=file, row=raw.row, field=error.field) from None
        found[finding.id] = finding
    return tuple(found.values())


def read_segments(
    data: bytes, *, survey: str, file: str = SEGMENTS
) -> tuple[tuple[SegmentRecord, dict[str, Any]], ...]:
    """Return the segments of a collection, each with its feature as it came.

    Raises
    ------
    BadInputError
        Names the first wrong feature, by its number, and the field.
    """
    found: dict[tuple[str, float], tuple[SegmentRecord, dict[str, Any]]] = {}
    for raw in raw_features(data, file=file, at_most=FEATURES_AT_MOST):
        try:
            one = _convert(raw.properties, SegmentRecord)
            _check_segment(one, survey)
            _expect((one.ruas, one.km_from) not in found, "properties.km_from", "this segment is there twice")
        except _WrongError as error:
            raise BadInputError(error.reason, file=file, row=raw.row, field=error.field) from None
        feature = {"type": "Feature", "geometry": raw.geometry, "properties": raw.properties}
        found[one.ruas, one.km_from] = one, feature
    return tuple(found.values())


def read_photos(
    data: bytes, *, survey: str, findings: Collection[str], file: str = SIGHTINGS
) -> SurveyPhotos:
    """Return the boxes of findings in photos.

    Raises
    ------
    BadInputError
        Not such a document, of another survey, or a box of no finding or outside its photo.
    """
    try:
        found = msgspec.json.decode(data, type=SurveyPhotos)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadInputError(str(error), file=file, field=field_of(error)) from None
    if found.survey != survey:
        raise BadInputError(f"of another survey than {survey!r}", file=file, field="survey")
    seen: set[str] = set()
    known = frozenset(findings)
    for row, photo in enumerate(found.photos, 1):
        try:
            _match(PHOTO, photo.photo, "photo")
            _expect(photo.photo not in seen, "photo", f"{photo.photo} is there twice")
            _expect(0 < photo.width_px <= _SIDE_AT_MOST_PX, "width_px", "not a size of a photo")
            _expect(0 < photo.height_px <= _SIDE_AT_MOST_PX, "height_px", "not a size of a photo")
            _expect(photo.unplaced >= 0, "unplaced", "below 0")
            for box in photo.boxes:
                _expect(box.finding in known, "boxes", f"{box.finding} is not a finding")
                left, top, right, bottom = box.xyxy_px
                inside = (
                    -1 <= left < right <= photo.width_px + 1 and -1 <= top < bottom <= photo.height_px + 1
                )
                _expect(inside, "boxes", f"the box of {box.finding} does not lie in the photo")
        except _WrongError as error:
            raise BadInputError(error.reason, file=file, row=row, field=error.field) from None
        seen.add(photo.photo)
    return found


def _finding(raw: RawFeature) -> Finding:
    unknown = sorted(raw.properties.keys() - (_FIELDS - {"geometry"}))
    _expect(not unknown, f"properties.{unknown[0] if unknown else ''}", "there is no such property")
    errors = raw.properties.get("errors")
    beside = sorted(errors.keys() - _ERRORS) if isinstance(errors, dict) else []
    _expect(not beside, f"properties.errors.{beside[0] if beside else ''}", "there is no such property")
    finding = _convert({**raw.properties, "geometry": raw.geometry}, Finding)
    _match(ID, finding.id, "properties.id")
    _expect(raw.id in (None, finding.id), "id", "differs from the property")
    _match(SURVEY, finding.survey, "properties.survey")
    _check_numbers(finding)
    _check_place(finding)
    _check_photos(finding)
    for key in finding.unmeasured:
        _match(UNMEASURED, key, "properties.unmeasured")
    return finding


def _check_numbers(finding: Finding) -> None:
    limits = {"score": _UNIT, "slope_deg": _RIGHT_ANGLE}
    for name in ("score", "km", *SIZES, "road_edge_m", "slope_deg"):
        _check_number(getattr(finding, name), f"properties.{name}", most=limits.get(name, math.inf))
    for name in Errors.__struct_fields__:
        _check_number(getattr(finding.errors, name), f"properties.errors.{name}")
    for name in ERRORS:
        known = getattr(finding, name) is not None or getattr(finding.errors, name) is None
        _expect(known, f"properties.errors.{name}", "an error of what is null")


def _check_place(finding: Finding) -> None:
    if finding.ruas is None:
        _expect(finding.km is None, "properties.km", "a kilometre without a road")
        _expect(finding.side is None, "properties.side", "a side without a road")
        return
    _match(RUAS, finding.ruas, "properties.ruas")
    _expect(finding.km is not None, "properties.km", "missing: the road is known")


def _check_photos(finding: Finding) -> None:
    for name in (finding.photo, *finding.photos):
        _match(PHOTO, name, "properties.photo")
    _expect(finding.photo in finding.photos, "properties.photos", "`photo` is not among them")
    _expect(len(set(finding.photos)) == len(finding.photos), "properties.photos", "a photo is there twice")
    if finding.time is not None:
        _match(TIME, finding.time, "properties.time")
        try:
            parse_rfc3339(finding.time)
        except ValueError as error:
            raise _WrongError("properties.time", f"not a time: {error}") from None


def _check_segment(one: SegmentRecord, survey: str) -> None:
    _expect(one.survey == survey, "properties.survey", f"of another survey than {survey!r}")
    _match(RUAS, one.ruas, "properties.ruas")
    _expect(0 <= one.km_from < one.km_to, "properties.km_to", "expected 0 <= km_from < km_to")
    _expect(one.length_m > 0, "properties.length_m", "not above 0")
    _expect(0 <= one.surveyed <= _UNIT, "properties.surveyed", "not a share, 0-1")
    _expect(one.findings >= 0, "properties.findings", "below 0")
    for name, most in (("pci", 100.0), ("sdi", math.inf), ("crack_area_pct", math.inf)):
        bounds = getattr(one, name)
        fits = bounds is None or 0 <= bounds[0] <= bounds[1] <= most
        _expect(fits, f"properties.{name}", "expected [low, high] in its range")


def _check_number(value: float | None, field: str, *, most: float = math.inf) -> None:
    limit = "" if math.isinf(most) else f" to {most:g}"
    _expect(
        value is None or (math.isfinite(value) and 0 <= value <= most), field, f"not 0{limit or ' or more'}"
    )


def _match(pattern: str, value: str, field: str) -> None:
    # Python's $ lets a final newline pass, JSON Schema's does not
    _expect(re.fullmatch(pattern, value) is not None, field, f"{value[:80]!r} is not of the form {pattern}")


def _expect(holds: bool, field: str, reason: str) -> None:  # noqa: FBT001 -- reads as a sentence
    if not holds:
        raise _WrongError(field, reason)


def _convert(fields: dict[str, Any], kind: type[T]) -> T:
    try:
        return msgspec.convert(fields, kind)
    except msgspec.ValidationError as error:
        place = field_of(error)
        raise _WrongError(
            f"properties.{place}" if place else "properties", str(error).split(" - at ")[0]
        ) from None
