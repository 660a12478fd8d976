"""A bulletin as JSON and GeoJSON: the documents of the API, of the webhook and of the retained MQTT topic."""

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from serayu.models.texts import DRAFTS, LANGUAGES
from serayu.models.times import rfc3339
from serayu.models.warning import registers, statements
from serayu.models.warning.authority import without_phone_numbers
from serayu.models.warning.bulletin import AffectedArea, Bulletin, Foreseen, Impact
from serayu.models.warning.sms import sms_text
from serayu.models.warning.spoken import known

__all__ = ["bulletin_collection", "bulletin_document", "bulletin_feature"]

ORIGIN_SIGNED, ORIGIN_MONITORING = "signed", "monitoring"


def bulletin_document(bulletin: Bulletin) -> dict[str, Any]:
    """Return a bulletin as a JSON object: words for levels, RFC 3339 ``Z`` for times, None for what is not known.

    So is the level of an alert that ended for want of data, of which nobody can say that it is back to normal.
    Polygons are in `bulletin_feature` only; telephone numbers in the note are taken out. ``texts`` and ``sms`` are
    keyed by language; the draft is marked so.
    """
    return {
        "id": bulletin.id,
        "alert": bulletin.alert_id,
        "change": bulletin.change_id,
        "region": bulletin.region,
        "station": bulletin.station,
        "post": bulletin.post,
        "river": bulletin.river,
        "hazard": bulletin.hazard.value,
        "type": bulletin.msg_type.value,
        "status": bulletin.status.value,
        "public": bulletin.public,
        "references": [{"id": name, "sent": rfc3339(sent)} for name, sent in bulletin.references],
        "sent": rfc3339(bulletin.sent_us),
        "expires": rfc3339(bulletin.expires_us),
        "level": None if statements.head(bulletin) == "lapsed" else bulletin.level.value,
        "label": registers.label(bulletin),
        "level_known": statements.level_known(bulletin),
        "before": bulletin.before.value,
        "reason": bulletin.reason.value,
        "verified": bulletin.verified,
        "observed_flooding": bulletin.observed_flooding,
        "level_m": _finite(bulletin.level_m),
        "limits": {"level_m": _finite(bulletin.limit_m), "invented": bulletin.invented},
        "at": rfc3339(bulletin.at_us),
        "slope_m_per_h": _finite(bulletin.slope_m_per_h),
        "foreseen": None if bulletin.foreseen is None else _foreseen(bulletin.foreseen),
        "slope": None if bulletin.slope is None else _finite_all(msgspec.to_builtins(bulletin.slope)),
        "impact": _impact(bulletin.impact),
        "fallback": list(bulletin.fallback),
        "authority": bulletin.authority,
        "origin": ORIGIN_SIGNED if bulletin.public else ORIGIN_MONITORING,
        "note": None if bulletin.note is None else without_phone_numbers(bulletin.note),
        "texts": {lang: _text(bulletin, lang) for lang in LANGUAGES},
        "sms": {lang: sms_text(bulletin, lang) for lang in LANGUAGES},
    }


def bulletin_feature(bulletin: Bulletin, *, position: tuple[float, float] | None = None) -> dict[str, Any]:
    """Return a bulletin as a GeoJSON Feature (RFC 7946: longitude first, exterior rings counterclockwise).

    Parameters
    ----------
    bulletin
        What is told.
    position
        Longitude and latitude of its station: the geometry where no affected area is known. Without both the
        geometry is None.
    """
    rings = [[_ring(ring)] for area in bulletin.impact.areas for ring in area.polygons]
    geometry: dict[str, Any] | None = None
    if rings:
        geometry = {"type": "MultiPolygon", "coordinates": rings}
    elif position is not None:
        geometry = {"type": "Point", "coordinates": list(position)}
    document = bulletin_document(bulletin)
    return {"type": "Feature", "id": document.pop("id"), "geometry": geometry, "properties": document}


def bulletin_collection(
    bulletins: Iterable[Bulletin], *, positions: Mapping[str, tuple[float, float]] | None = None
) -> dict[str, Any]:
    """Return bulletins as a GeoJSON FeatureCollection.

    Parameters
    ----------
    bulletins
        In the order wanted.
    positions
        Longitude and latitude by station id.
    """
    places = positions or {}
    features = [bulletin_feature(one, position=places.get(one.station)) for one in bulletins]
    return {"type": "FeatureCollection", "features": features}


def _text(bulletin: Bulletin, lang: str) -> dict[str, Any]:
    return {**registers.message(bulletin, lang)._asdict(), "draft": lang in DRAFTS}


def _foreseen(foreseen: Foreseen) -> dict[str, Any]:
    said = _finite_all(msgspec.to_builtins(foreseen))
    said["issued"] = rfc3339(said.pop("issued_us"))
    crossing_us = said.pop("crossing_us")
    said["crossing"] = None if crossing_us is None else rfc3339(crossing_us)
    return said


def _impact(impact: Impact) -> dict[str, Any]:
    said = _finite_all(msgspec.to_builtins(impact))
    return {**said, "areas": [_area(area) for area in impact.areas]}


def _area(area: AffectedArea) -> dict[str, Any]:
    return {
        "code": area.code,
        "name": area.name,
        "kecamatan": area.kecamatan,
        "people": area.people,
        "arrival": None if area.arrival_us is None else rfc3339(area.arrival_us),
    }


def _ring(ring: tuple[tuple[float, float], ...]) -> list[list[float]]:
    """Return a ring with longitude first, counterclockwise: its shoelace sum is positive."""
    turned = [[lon, lat] for lat, lon in ring]
    doubled_area = sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in itertools.pairwise(turned))
    return turned if doubled_area >= 0 else turned[::-1]


def _finite(value: float | None) -> float | None:
    """Return a number that JSON has; NaN and infinity are "not known"."""
    return value if known(value) else None


def _finite_all(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: _finite(value) if isinstance(value, float) else value for name, value in fields.items()}
