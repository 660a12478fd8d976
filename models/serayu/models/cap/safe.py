"""XML from others: no document type, no entities, no network, bounded in size, depth and number of elements."""

from typing import Any, TypeAlias, cast
from xml.parsers import expat

from lxml import etree

from serayu.models.errors import BadInputError

Element: TypeAlias = Any
"""An element of lxml, which has no types."""

MAX_BYTES = 1024 * 1024
"""Largest document that is read unless a setting says otherwise [project proposal]; the largest real alert at hand
(one with an audio file inside) has 104 kB, and Google's public alerts took feeds of at most 900 kB."""
MAX_DEPTH = 32  # an alert has 4 levels, inside EDXL-DE 8, a signature in it 5 more [project proposal]
MAX_ELEMENTS = 20_000  # [project proposal]

DOCTYPE_REFUSED = "doctype_refused"
ROOTS = frozenset({"alert", "feed", "rss", "EDXLDistribution"})
"""Roots of alerts and feeds: none of their formats has a document type."""


class XmlRefusedError(BadInputError):
    """A document that is not read.

    Parameters
    ----------
    code
        ``doctype_refused``, ``too_large``, ``too_deep``, ``too_many_elements`` or ``not_xml``; from readers also
        ``wrong_kind`` and ``missing_field``.
    reason
        What is wrong, in one clause.
    malicious
        Whether the document tries what no alert needs: a document type with declarations, or one for an alert.
    """

    def __init__(self, code: str, reason: str, *, malicious: bool = False) -> None:
        self.code = code
        self.malicious = malicious
        super().__init__(f"{code}: {reason}")


def parse_xml(data: bytes, *, max_bytes: int = MAX_BYTES) -> Element:
    """Return the root element of a document from others.

    A streaming pass comes first and stops at a document type before anything that it declares is looked at, whatever
    the encoding; only then is the tree built. Style sheets, XInclude and schema locations are never followed.

    Parameters
    ----------
    data
        The document.
    max_bytes
        Size from which on it is refused.

    Raises
    ------
    XmlRefusedError
        Not XML, too large or deep, or with a document type.
    """
    if len(data) > max_bytes:
        raise XmlRefusedError("too_large", f"{len(data)} bytes, more than the {max_bytes} that are read")
    _survey(data)
    parser = etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        no_network=True,
        huge_tree=False,
        remove_pis=True,
        remove_comments=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise XmlRefusedError("not_xml", str(error)) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise XmlRefusedError(DOCTYPE_REFUSED, "a document type, which no alert needs", malicious=True)
    return root


def name_of(element: Element) -> tuple[str, str]:
    """Return namespace ("" for none) and local name of an element."""
    name = etree.QName(element)
    return name.namespace or "", cast("str", name.localname)


def text_of(element: Element) -> str:
    """Return the text of an element with all that is inside it, as it stands."""
    return "".join(element.itertext())


def _survey(data: bytes) -> None:
    """Refuse a document type, depth and number before any tree is built."""
    parser = expat.ParserCreate()
    depth = count = 0

    def doctype(name: str, _system: str | None, _public: str | None, declares: int) -> None:
        malicious = bool(declares) or name.rpartition(":")[2] in ROOTS
        raise XmlRefusedError(DOCTYPE_REFUSED, "a document type, which no alert needs", malicious=malicious)

    def start(*_: object) -> None:
        nonlocal depth, count
        depth, count = depth + 1, count + 1
        if depth > MAX_DEPTH:
            raise XmlRefusedError("too_deep", f"elements nested deeper than {MAX_DEPTH}")
        if count > MAX_ELEMENTS:
            raise XmlRefusedError("too_many_elements", f"more than {MAX_ELEMENTS} elements")

    def end(*_: object) -> None:
        nonlocal depth
        depth -= 1

    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler, parser.EndElementHandler = start, end
    try:
        parser.Parse(data, True)  # noqa: FBT003 -- expat takes no keywords
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise XmlRefusedError("not_xml", str(error)) from None
