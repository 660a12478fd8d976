"""The XMP packet of a DJI photo: tags by name, read without document types or entities."""

import math
import re
from xml.parsers import expat

from serayu.models.errors import BadInputError

__all__ = ["DJI_NAMESPACE", "numbers", "signed_number", "tags"]

DJI_NAMESPACE = "http://www.dji.com/drone-dji/1.0/"
"""Of the tags that DJI writes, whatever prefix a file gives it."""

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_SPLIT = "\x1f"  # between namespace and name; no XML document can hold it
_PACKET = re.compile(rb"<(?:\w+:)?xmpmeta\b.*</(?:\w+:)?xmpmeta\s*>", re.DOTALL)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_SIZE_MAX = 1_000_000  # bytes; a JPEG segment holds 65,533


class _Refused(Exception):  # noqa: N818 -- never leaves this module
    """The packet declares what a photo has no use for."""


class _Reader:
    """Collects what stands in one namespace, as attribute of a description or as element in one."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._open: str | None = None
        self._text: list[str] = []
        self.found: dict[str, str] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == f"{_RDF}{_SPLIT}Description":
            for key, value in attributes.items():
                self._keep(key, value)
        self._open = name
        self._text = []

    def characters(self, text: str) -> None:
        self._text.append(text)

    def end(self, name: str) -> None:
        if name == self._open:  # a leaf: nothing was opened since
            self._keep(name, "".join(self._text))
        self._open = None

    def refuse(self, *_: object) -> None:
        raise _Refused("it declares a document type or entities")

    def _keep(self, name: str, value: str) -> None:
        namespace, _, tag = name.rpartition(_SPLIT)
        if namespace == self._namespace:
            self.found.setdefault(tag, value.strip())


def tags(packet: bytes, *, namespace: str = DJI_NAMESPACE) -> dict[str, str]:
    """Return the tags of a namespace in an XMP packet, as text; of a tag that stands twice, the first.

    Both forms of XMP are read: ``<rdf:Description drone-dji:GimbalYawDegree="+1.0"/>`` and
    ``<drone-dji:GimbalYawDegree>+1.0</drone-dji:GimbalYawDegree>``. What stands around the packet is passed over.

    Raises
    ------
    BadInputError
        It is no XML, too large, or declares a document type or entities.
    """
    if len(packet) > _SIZE_MAX:
        raise BadInputError(f"XMP of {len(packet)} bytes, more than {_SIZE_MAX}")
    found = _PACKET.search(packet)
    reader = _Reader(namespace)
    parser = expat.ParserCreate(namespace_separator=_SPLIT)
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.characters
    parser.StartDoctypeDeclHandler = reader.refuse
    parser.EntityDeclHandler = reader.refuse
    try:
        # A document type would stand before the packet: look for it there too, then read only the packet.
        if b"<!DOCTYPE" in packet:
            reader.refuse()
        parser.Parse(found[0] if found else packet, True)  # noqa: FBT003 -- expat takes it by place
    except (expat.ExpatError, _Refused, UnicodeDecodeError) as error:
        raise BadInputError(f"XMP cannot be read: {error}") from None
    return reader.found


def signed_number(text: str) -> float | None:
    """Return the number of a text such as ``+100.20``; None where it is no finite number.

    Examples
    --------
    >>> signed_number("+100.20"), signed_number("-7.4"), signed_number("100,2")
    (100.2, -7.4, None)
    """
    if _NUMBER.fullmatch(text.strip()) is None:
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def numbers(text: str) -> tuple[float, ...] | None:
    """Return the numbers of a list with commas; None where one of them is none."""
    values = [signed_number(part) for part in text.split(",")]
    return tuple(value for value in values if value is not None) if None not in values else None
