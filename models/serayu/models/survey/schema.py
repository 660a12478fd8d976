"""The JSON Schema of a finding's properties (``docs/schemas/finding.schema.json``), and the limits it shares with us.

``python -m serayu.models.survey.schema`` prints it; a test holds the file, the schema and `Finding` together.
"""

from typing import Any

import msgspec

from serayu.models.survey.finding import DefectClass, Severity, Side

__all__ = [
    "ERRORS",
    "ID",
    "OPTIONAL",
    "PHOTO",
    "RUAS",
    "SIZES",
    "SURVEY",
    "TIME",
    "UNMEASURED",
    "WORDS",
    "finding_schema",
]

ID = r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
"""A UUID version 7, RFC 9562 section 5.7, in lower case."""
SURVEY = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
"""A survey's id: it is part of addresses and the name of a folder."""
PHOTO = r"^[^./\\\x00-\x1f\x7f][^/\\\x00-\x1f\x7f]{0,199}$"
"""A photo's name: no path, not hidden."""
TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z$"
"""RFC 3339, UTC."""
UNMEASURED = r"^finding\.unmeasured\.[a-z_]{1,60}$"
RUAS = r"^[^\x00-\x1f\x7f]{1,40}$"
"""A road's number."""
WORDS = r"^[^\x00-\x1f\x7f]{1,1000}$"
"""A name that a survey's summary gives: no control characters, PostgreSQL keeps none of code 0."""
SIZES = ("length_m", "width_mm", "area_m2")
ERRORS = (*SIZES, "road_edge_m")
"""What has an error only where it is known itself."""
OPTIONAL = ("unmeasured", "road_edge_m", "slope_deg")
"""Properties that a document may leave out."""


def finding_schema() -> dict[str, Any]:
    """Return the schema, draft 2020-12."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:serayu:schema:finding",
        "title": "Finding",
        "description": (
            "Properties of a feature of findings.geojson: one real thing on the ground, however many photos show it. "
            "Null is unknown or undefined, never zero."
        ),
        "type": "object",
        "properties": _properties(),
        "required": [name for name in _properties() if name not in OPTIONAL],
        "additionalProperties": False,
        "allOf": [_all_or_none(), *(_no_error_without(name) for name in ERRORS)],
    }


def _properties() -> dict[str, Any]:
    return {
        "id": _text(ID, "UUID version 7; the same survey gives the same."),
        "survey": _text(SURVEY, "Id of the survey."),
        "class": _words(DefectClass, "What it is."),
        "score": _number("Confidence of the detector; null where a person gave the box.", most=1),
        "ruas": {
            "type": ["string", "null"],
            "pattern": RUAS,
            "description": "Number of the road; null away from every road.",
        },
        "km": _number("Kilometre from the road's start."),
        "side": {
            "enum": [*(one.value for one in Side), None],
            "description": "Side of the road's line, looking the way its kilometres grow; null where not certain.",
        },
        "length_m": _number("Length, m."),
        "width_mm": _number("Mean width, mm."),
        "area_m2": _number("Area, m²."),
        "severity": _words(Severity, "By the limits of ASTM D6433; `tidak terukur`: imagery cannot decide."),
        "errors": _errors(),
        "photo": _text(PHOTO, "The photo that it was measured on."),
        "photos": {
            "type": "array",
            "items": {"type": "string", "pattern": PHOTO},
            "minItems": 1,
            "uniqueItems": True,
            "description": "All photos that show it, `photo` among them.",
        },
        "time": {
            "type": ["string", "null"],
            "pattern": TIME,
            "description": "When that photo was taken, RFC 3339 UTC; null where it does not say.",
        },
        "unmeasured": {
            "type": "array",
            "items": {"type": "string", "pattern": UNMEASURED},
            "description": "Why a size, the severity or the side is missing.",
        },
        "road_edge_m": _number("Of a slide: distance to the road's edge, m; 0 when it reaches it."),
        "slope_deg": _number("Of a slide: slope of the ground, degrees.", most=90),
    }


def _errors() -> dict[str, Any]:
    names = ("position_m", *ERRORS)
    return {
        "type": "object",
        "description": "Standard errors (one sigma).",
        "properties": {name: _number("In the unit of the name.") for name in names},
        "required": ["position_m"],
        "additionalProperties": False,
    }


def _text(pattern: str, said: str) -> dict[str, Any]:
    return {"type": "string", "pattern": pattern, "description": said}


def _words(kind: type[DefectClass | Severity], said: str) -> dict[str, Any]:
    return {"enum": [one.value for one in kind], "description": said}


def _number(said: str, *, most: float | None = None) -> dict[str, Any]:
    limits = {"minimum": 0} if most is None else {"minimum": 0, "maximum": most}
    return {"type": ["number", "null"], **limits, "description": said}


def _all_or_none() -> dict[str, Any]:
    """Road and kilometre are known together, and the side with them alone."""
    null = {"type": "null"}
    unplaced = {"properties": {"km": null, "side": null}}
    placed = {"properties": {"km": {"type": "number"}}}
    return {"if": {"properties": {"ruas": null}}, "then": unplaced, "else": placed}


def _no_error_without(size: str) -> dict[str, Any]:
    null = {"properties": {size: {"type": "null"}}}
    return {"if": null, "then": {"properties": {"errors": null}}}


if __name__ == "__main__":
    import sys

    sys.stdout.write(msgspec.json.format(msgspec.json.encode(finding_schema()), indent=2).decode() + "\n")
