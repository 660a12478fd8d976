"""Vectors of CAP: validity of files, single values, Siaga in CAP's words, what a file says."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from serayu.models.cap.check import check_cap
from serayu.models.cap.geometry import polygon_problem
from serayu.models.cap.read import read_cap
from serayu.models.cap.rss import read_rss
from serayu.models.cap.rules import identifier_problem
from serayu.models.cap.siaga import siaga_rating
from serayu.models.cap.structs import reference
from serayu.models.cap.values import is_member, moment
from serayu.models.siaga_levels import Siaga
from tests.vector_adapters.values import Adapter

# The vectors' word for a document that is refused before anything in it is looked at.
REFUSED = "not_parsed_entities_refused"


def _validate_file(*, file: Path) -> Mapping[str, object]:
    report = check_cap(file.read_bytes())
    return {"xsd_valid": report.xsd_valid, "error": REFUSED if report.malicious else None}


def _datetime(*, sent: str) -> Mapping[str, object]:
    return {"valid": moment(sent) is not None}


def _enum(*, field: str, value: str) -> Mapping[str, object]:
    return {"valid": is_member(field, value)}


def _siaga_map(*, siaga: int, observed_flooding: bool) -> Mapping[str, object]:
    level = next(level for level in Siaga if level.number == siaga)
    rating = siaga_rating(level, observed_flooding=observed_flooding)
    if rating is None:
        return {"alert": None}
    return {
        "alert": {
            "severity": rating.severity,
            "urgency": rating.urgency,
            "certainty": rating.certainty,
            "responseType": [rating.response_type],
        }
    }


def _polygon(*, polygon: str) -> Mapping[str, object]:
    problem = polygon_problem(polygon)
    return {"valid": problem is None, "reason": problem}


def _identifier(*, identifier: str) -> Mapping[str, object]:
    return {"valid": identifier_problem(identifier) is None}


def _references(*, sender: str, identifier: str, sent: str) -> Mapping[str, object]:
    return {"references": reference(sender=sender, identifier=identifier, sent=sent)}


def _parse_fields(*, file: Path) -> Mapping[str, object]:
    alert = read_cap(file.read_bytes())
    info = alert.infos[0]
    area = info.areas[0]
    return {
        "identifier": alert.identifier,
        "sender": alert.sender,
        "event": info.event,
        "urgency": info.urgency,
        "severity": info.severity,
        "certainty": info.certainty,
        "eventCode": dict(info.event_codes),
        "expires": info.expires,
        "areaDesc": area.description,
        "geocodes": [code for _, code in area.geocodes],
        "polygon_points": sum(len(ring) for ring in area.polygons),
    }


def _rss_items(*, file: Path) -> Mapping[str, object]:
    items = read_rss(file.read_bytes())
    return {
        "first_guid": items[0].guid,
        "first_link": items[0].link,
        "province_code_of_second": items[1].province,
        "count": len(items),
    }


ADAPTERS: Mapping[str, Adapter] = MappingProxyType(
    {
        "cap.validate_file": _validate_file,
        "cap.datetime": _datetime,
        "cap.enum": _enum,
        "cap.siaga_map": _siaga_map,
        "cap.polygon": _polygon,
        "cap.identifier": _identifier,
        "cap.references": _references,
        "cap.parse_fields": _parse_fields,
        "cap.rss_items": _rss_items,
    }
)
