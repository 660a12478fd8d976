"""A bulletin as a CAP 1.2 document: Indonesian and English, the same numbers, names and times in both."""

from collections.abc import Iterator

import msgspec
from lxml import etree

from serayu.models.cap.check import check_cap
from serayu.models.cap.geometry import circle_text, polygon_problem, polygon_text
from serayu.models.cap.parameters import parameters
from serayu.models.cap.safe import Element
from serayu.models.cap.siaga import CATEGORIES, EVENT_CODES, bulletin_rating
from serayu.models.cap.structs import CAP_12, Position, reference
from serayu.models.cap.values import cap_time
from serayu.models.errors import ConflictError, SerayuError
from serayu.models.texts import text
from serayu.models.warning.authority import Authority, without_phone_numbers
from serayu.models.warning.bulletin import AffectedArea, Bulletin, BulletinStatus
from serayu.models.warning.registers import message
from serayu.models.warning.spoken import clean

CAP_LANGUAGES = ("id", "en")
GEOCODE = "kode_wilayah_kemendagri"
MEDIA_TYPE = "application/cap+xml"


def cap_xml(
    bulletin: Bulletin,
    authority: Authority,
    *,
    position: Position | None = None,
    radius_km: float = 0.0,
) -> bytes:
    """Write a bulletin as a CAP 1.2 document.

    Parameters
    ----------
    bulletin
        What is told. Telephone numbers in its note are taken out.
    authority
        Who sends it; with a signature the document is signed.
    position
        (latitude, longitude) of the post: the area where no affected village is known.
    radius_km
        Radius around it; 0, a point, says that nobody knows how far it reaches.

    Returns
    -------
    bytes
        UTF-8; it passed `check_cap` without an error.

    Raises
    ------
    ConflictError
        Status Actual without a signature.
    BadInputError
        Key or certificate of the authority cannot be used.
    SerayuError
        The document would not be valid; names the first reason.
    """
    if not authority.may_send(bulletin):
        raise ConflictError(f"bulletin {bulletin.id}: status Actual needs the signature of an authority")
    if bulletin.note is not None:
        bulletin = msgspec.structs.replace(bulletin, note=without_phone_numbers(bulletin.note))
    root = _alert(bulletin, authority, position=position, radius_km=radius_km)
    if authority.signature is None:
        etree.indent(root)
        data: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    else:
        # Not indented: WMO's capvalidator drops blanks between elements before it verifies.
        from serayu.models.cap.sign import signed  # noqa: PLC0415 -- signxml only where somebody signs

        data = signed(root, authority.signature)
    report = check_cap(data)
    if not report.valid:
        first = report.problems[0]
        raise SerayuError(
            f"bulletin {bulletin.id}: CAP would be invalid: {first.code} {first.path}: {first.message}"
        )
    return data


def _alert(
    bulletin: Bulletin, authority: Authority, *, position: Position | None, radius_km: float
) -> Element:
    root = etree.Element(f"{{{CAP_12}}}alert", nsmap={None: CAP_12})
    restricted = _restriction(bulletin)
    heads = {
        "identifier": authority.identifier(bulletin.id),
        "sender": authority.sender,
        "sent": cap_time(bulletin.sent_us),
        "status": bulletin.status.value,
        "msgType": bulletin.msg_type.value,
        "source": f"Serayu {bulletin.region}/{bulletin.station}",
        "scope": "Restricted" if restricted else "Public",
        "restriction": restricted,
        "note": _note(bulletin, restricted),
        "references": _references(bulletin, authority),
        "incidents": bulletin.alert_id,
    }
    for name, value in heads.items():
        _add(root, name, value)
    for lang in CAP_LANGUAGES:
        info = _add_empty(root, "info")
        _fill_info(info, bulletin, authority, lang)
        for area in _areas(bulletin, lang, position=position, radius_km=radius_km):
            info.append(area)
    return root


def _restriction(bulletin: Bulletin) -> str:
    """Return to what an alert that is not Actual is restricted, Indonesian and English; "" for an Actual one.

    An Actual one has been signed; without a signature everything is monitoring information, an exercise too.
    """
    if bulletin.public:
        return ""
    key = "cap.restriction.monitoring"
    words = [text(key, lang) for lang in CAP_LANGUAGES]
    if bulletin.status is BulletinStatus.EXERCISE:
        words += [text("cap.restriction.rehearsal", lang) for lang in CAP_LANGUAGES]
    return " / ".join(words)


def _note(bulletin: Bulletin, restricted: str) -> str:
    return " – ".join(part for part in (restricted, clean(bulletin.note or "")) if part)


def _references(bulletin: Bulletin, authority: Authority) -> str:
    items = (
        reference(sender=authority.sender, identifier=authority.identifier(name), sent=cap_time(sent_us))
        for name, sent_us in bulletin.references
        if authority.identifier(name) != authority.identifier(bulletin.id)
    )
    return " ".join(dict.fromkeys(items))


def _fill_info(info: Element, bulletin: Bulletin, authority: Authority, lang: str) -> None:
    rating = bulletin_rating(bulletin)
    origin = "signed" if bulletin.public else "monitoring"
    said = message(bulletin, lang)
    _add(info, "language", lang)
    _add(info, "category", CATEGORIES[bulletin.hazard])
    _add(info, "event", text(f"cap.event.{bulletin.hazard.value}.{origin}", lang))
    _add(info, "responseType", rating.response_type)
    _add(info, "urgency", rating.urgency)
    _add(info, "severity", rating.severity)
    _add(info, "certainty", rating.certainty)
    _add_pair(info, "eventCode", "OET", EVENT_CODES[bulletin.hazard])
    _add(info, "effective", cap_time(bulletin.sent_us))
    crossing_us = None if bulletin.foreseen is None else bulletin.foreseen.crossing_us
    if crossing_us is not None and bulletin.sent_us < crossing_us <= bulletin.expires_us:
        _add(info, "onset", cap_time(crossing_us))
    _add(info, "expires", cap_time(bulletin.expires_us))
    _add(info, "senderName", authority.title(lang))
    _add(info, "headline", said.headline)
    _add(info, "description", said.description)
    _add(info, "instruction", said.instruction)
    _add(info, "web", authority.web or "")
    _add(info, "contact", authority.contact or "")
    for name, value in parameters(bulletin):
        _add_pair(info, "parameter", name, value)


def _areas(
    bulletin: Bulletin, lang: str, *, position: Position | None, radius_km: float
) -> Iterator[Element]:
    if bulletin.impact.areas:
        for area in bulletin.impact.areas:
            yield _village(area, lang)
        return
    around = etree.Element(f"{{{CAP_12}}}area")
    _add(around, "areaDesc", text("cap.area.post", lang, post=clean(bulletin.post) or bulletin.station))
    if position is not None:
        _add(around, "circle", circle_text(position, radius_km))
    _add_pair(around, "geocode", GEOCODE, bulletin.region)
    yield around


def _village(area: AffectedArea, lang: str) -> Element:
    """Write one village; a ring that is none is left out rather than the warning: the code says where, too."""
    element = etree.Element(f"{{{CAP_12}}}area")
    name, kecamatan = clean(area.name) or area.code, clean(area.kecamatan or "")
    _add(
        element,
        "areaDesc",
        text("cap.area.village", lang, name=name, kecamatan=kecamatan) if kecamatan else name,
    )
    for ring in area.polygons:
        written = polygon_text(ring)
        if polygon_problem(written) is None:
            _add(element, "polygon", written)
    _add_pair(element, "geocode", GEOCODE, area.code)
    return element


def _add(parent: Element, name: str, value: str) -> None:
    """Add an element with a text; none for an empty text."""
    if value:
        _add_empty(parent, name).text = value


def _add_empty(parent: Element, name: str) -> Element:
    return etree.SubElement(parent, f"{{{CAP_12}}}{name}")


def _add_pair(parent: Element, name: str, value_name: str, value: str) -> None:
    pair = _add_empty(parent, name)
    _add(pair, "valueName", value_name)
    _add(pair, "value", value)
