"""Reading a CAP alert: alone, or inside Atom ``content`` and EDXL-DE ``contentObject``."""

from collections.abc import Iterator

from serayu.models.cap.geometry import parse_circle, parse_polygon
from serayu.models.cap.safe import MAX_BYTES, Element, XmlRefusedError, name_of, parse_xml, text_of
from serayu.models.cap.structs import (
    DEFAULT_LANGUAGE,
    NAMESPACES,
    CapAlert,
    CapArea,
    CapInfo,
    CapResource,
)

ATOM = "http://www.w3.org/2005/Atom"
EDXL = "urn:oasis:names:tc:emergency:EDXL:DE:1.0"
DSIG = "http://www.w3.org/2000/09/xmldsig#"
OTHER = "other"


def kind_of(root: Element) -> str:
    """Return what a document is: ``cap-1.2``, ``cap-1.1``, ``cap-1.0``, ``atom``, ``rss``, ``edxl-de`` or ``other``."""
    namespace, name = name_of(root)
    if name == "alert" and namespace in NAMESPACES:
        return f"cap-{NAMESPACES[namespace]}"
    kinds = {(ATOM, "feed"): "atom", (EDXL, "EDXLDistribution"): "edxl-de", ("", "rss"): "rss"}
    return kinds.get((namespace, name), OTHER)


def read_cap(data: bytes, *, max_bytes: int = MAX_BYTES) -> CapAlert:
    """Read one alert.

    Parameters
    ----------
    data
        The document; nothing that it points to is fetched.
    max_bytes
        Size from which on it is refused.

    Returns
    -------
    CapAlert
        What it says. Reading is not judging: see `serayu.models.cap.check.check_cap`.

    Raises
    ------
    XmlRefusedError
        Not safe to read, not an alert (a feed is named as one), without a mandatory element, or with a place that is no
        place.
    """
    root = parse_xml(data, max_bytes=max_bytes)
    kind = kind_of(root)
    if not kind.startswith("cap-"):
        raise XmlRefusedError("wrong_kind", f"expected one CAP alert, not {kind} <{name_of(root)[1]}>")
    return alert_of(root)


def read_alerts(data: bytes, *, max_bytes: int = MAX_BYTES) -> tuple[CapAlert, ...]:
    """Read the alerts of a document: one for a CAP file, those embedded in an Atom feed or EDXL-DE distribution.

    Raises
    ------
    XmlRefusedError
        As for `read_cap`.
    """
    return tuple(alert_of(element) for element in alert_elements(parse_xml(data, max_bytes=max_bytes)))


def alert_elements(root: Element) -> Iterator[Element]:
    """Yield the alerts of a document; in a feed only those that are content of an entry, others are foreign matter."""
    kind = kind_of(root)
    if kind.startswith("cap-"):
        yield root
    containers = {"atom": f"{{{ATOM}}}entry/{{{ATOM}}}content", "edxl-de": f"{{{EDXL}}}contentObject"}.get(
        kind
    )
    if containers is None:
        return
    for container in root.iterfind(containers):
        for element in container.iter("{*}alert"):
            if name_of(element)[0] in NAMESPACES:
                yield element


def alert_of(element: Element) -> CapAlert:
    """Return what an ``alert`` element says.

    Raises
    ------
    XmlRefusedError
        A mandatory element is missing, or a place is no place.
    """
    return CapAlert(
        version=NAMESPACES[name_of(element)[0]],
        identifier=_need(element, "identifier"),
        sender=_need(element, "sender"),
        sent=_need(element, "sent"),
        status=_need(element, "status"),
        msg_type=_need(element, "msgType"),
        scope=_first(element, "scope") or "",
        source=_first(element, "source"),
        restriction=_first(element, "restriction"),
        addresses=_first(element, "addresses"),
        codes=_all(element, "code"),
        note=_first(element, "note"),
        references=_first(element, "references"),
        incidents=_first(element, "incidents"),
        infos=tuple(_info(child) for child in children(element, "info")),
        signed=element.find(f"{{{DSIG}}}Signature") is not None,
    )


def children(element: Element, name: str) -> Iterator[Element]:
    """Yield the children of a local name in the element's own namespace."""
    namespace = name_of(element)[0]
    return iter(element.findall(f"{{{namespace}}}{name}" if namespace else name))


def _info(element: Element) -> CapInfo:
    return CapInfo(
        event=_need(element, "event"),
        urgency=_need(element, "urgency"),
        severity=_need(element, "severity"),
        certainty=_need(element, "certainty"),
        categories=_all(element, "category"),
        language=_first(element, "language") or DEFAULT_LANGUAGE,
        response_types=_all(element, "responseType"),
        audience=_first(element, "audience"),
        event_codes=_pairs(element, "eventCode"),
        effective=_first(element, "effective"),
        onset=_first(element, "onset"),
        expires=_first(element, "expires"),
        sender_name=_first(element, "senderName"),
        headline=_first(element, "headline"),
        description=_first(element, "description"),
        instruction=_first(element, "instruction"),
        web=_first(element, "web"),
        contact=_first(element, "contact"),
        parameters=_pairs(element, "parameter"),
        resources=tuple(_resource(child) for child in children(element, "resource")),
        areas=tuple(_area(child) for child in children(element, "area")),
    )


def _resource(element: Element) -> CapResource:
    size = _first(element, "size")
    return CapResource(
        description=_first(element, "resourceDesc") or "",
        mime_type=_first(element, "mimeType") or "",
        size=int(size) if size and size.isdecimal() else None,
        uri=_first(element, "uri"),
        embedded=_first(element, "derefUri") is not None,
        digest=_first(element, "digest"),
    )


def _area(element: Element) -> CapArea:
    try:
        return CapArea(
            description=_first(element, "areaDesc") or "",
            polygons=tuple(parse_polygon(text) for text in _all(element, "polygon")),
            circles=tuple(parse_circle(text) for text in _all(element, "circle")),
            geocodes=_pairs(element, "geocode"),
            altitude_ft=_number(_first(element, "altitude")),
            ceiling_ft=_number(_first(element, "ceiling")),
        )
    except ValueError as error:
        raise XmlRefusedError("not_a_place", f"{path_of(element)}: {error}") from None


def path_of(element: Element) -> str:
    """Return where an element stands, e.g. ``/alert/info[2]/area[1]/polygon[1]``."""
    steps = []
    for one in (element, *element.iterancestors()):
        parent = one.getparent()
        twins = [] if parent is None else [child for child in parent if child.tag == one.tag]
        steps.append(name_of(one)[1] + (f"[{twins.index(one) + 1}]" if len(twins) > 1 else ""))
    return "/" + "/".join(reversed(steps))


def _first(element: Element, name: str) -> str | None:
    """Return the trimmed text of the first child of a name; None where there is none or it is empty."""
    for child in children(element, name):
        return text_of(child).strip() or None
    return None


def _need(element: Element, name: str) -> str:
    found = _first(element, name)
    if found is None:
        raise XmlRefusedError("missing_field", f"{path_of(element)} has no {name}")
    return found


def _all(element: Element, name: str) -> tuple[str, ...]:
    texts = (text_of(child).strip() for child in children(element, name))
    return tuple(text for text in texts if text)


def _pairs(element: Element, name: str) -> tuple[tuple[str, str], ...]:
    return tuple(
        (_first(child, "valueName") or "", _first(child, "value") or "") for child in children(element, name)
    )


def _number(text: str | None) -> float | None:
    return None if text is None else float(text)
