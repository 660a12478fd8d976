"""What a CAP alert says, as it says it: times and codes stay text, places become numbers.

Element names, optionality and defaults: OASIS CAP 1.2, section 3.2 [docs.oasis-open.org/emergency/cap/v1.2].
"""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from serayu.models.times import parse_rfc3339

NAMESPACES: Mapping[str, str] = MappingProxyType(
    {
        "urn:oasis:names:tc:emergency:cap:1.2": "1.2",
        "urn:oasis:names:tc:emergency:cap:1.1": "1.1",
        "http://www.incident.com/cap/1.0": "1.0",
    }
)
"""Version of CAP by namespace."""
CAP_12 = "urn:oasis:names:tc:emergency:cap:1.2"
DEFAULT_LANGUAGE = "en-US"  # of an info that names none, CAP 1.2 section 3.2.2

ENUMERATIONS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "status": frozenset({"Actual", "Exercise", "System", "Test", "Draft"}),
        "msgType": frozenset({"Alert", "Update", "Cancel", "Ack", "Error"}),
        "scope": frozenset({"Public", "Restricted", "Private"}),
        "category": frozenset(
            {"Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra"}
            | {"CBRNE", "Other"}
        ),
        "responseType": frozenset(
            {"Shelter", "Evacuate", "Prepare", "Execute", "Avoid", "Monitor", "Assess", "AllClear", "None"}
        ),
        "urgency": frozenset({"Immediate", "Expected", "Future", "Past", "Unknown"}),
        "severity": frozenset({"Extreme", "Severe", "Moderate", "Minor", "Unknown"}),
        "certainty": frozenset({"Observed", "Likely", "Possible", "Unlikely", "Unknown"}),
    }
)
"""Values that CAP 1.2 allows, by element."""

Position = tuple[float, float]
"""Latitude and longitude, degrees WGS 84, in CAP's order."""


class CapResource(msgspec.Struct, frozen=True):
    """A file that belongs to an alert; its content (``derefUri``) is not kept, only whether there is one."""

    description: str
    mime_type: str = ""
    size: int | None = None
    uri: str | None = None
    embedded: bool = False
    digest: str | None = None


class CapArea(msgspec.Struct, frozen=True):
    """Where an alert holds.

    Parameters
    ----------
    description
        ``areaDesc``.
    polygons
        Rings, closed, (latitude, longitude).
    circles
        Centre and radius in km.
    geocodes
        (name of the code list, code).
    altitude_ft, ceiling_ft
        Feet above mean sea level, as CAP has them.
    """

    description: str
    polygons: tuple[tuple[Position, ...], ...] = ()
    circles: tuple[tuple[Position, float], ...] = ()
    geocodes: tuple[tuple[str, str], ...] = ()
    altitude_ft: float | None = None
    ceiling_ft: float | None = None


class CapInfo(msgspec.Struct, frozen=True):
    """One ``info`` block: what, how bad, in one language."""

    event: str
    urgency: str
    severity: str
    certainty: str
    categories: tuple[str, ...]
    language: str = DEFAULT_LANGUAGE
    response_types: tuple[str, ...] = ()
    audience: str | None = None
    event_codes: tuple[tuple[str, str], ...] = ()
    effective: str | None = None
    onset: str | None = None
    expires: str | None = None
    sender_name: str | None = None
    headline: str | None = None
    description: str | None = None
    instruction: str | None = None
    web: str | None = None
    contact: str | None = None
    parameters: tuple[tuple[str, str], ...] = ()
    resources: tuple[CapResource, ...] = ()
    areas: tuple[CapArea, ...] = ()


class CapAlert(msgspec.Struct, frozen=True):
    """A CAP alert of version 1.0, 1.1 or 1.2."""

    version: str
    identifier: str
    sender: str
    sent: str
    status: str
    msg_type: str
    scope: str = ""
    source: str | None = None
    restriction: str | None = None
    addresses: str | None = None
    codes: tuple[str, ...] = ()
    note: str | None = None
    references: str | None = None
    incidents: str | None = None
    infos: tuple[CapInfo, ...] = ()
    signed: bool = False

    @property
    def sent_us(self) -> int:
        """When it was sent, microseconds UTC; ValueError where the text is no time with a zone."""
        return parse_rfc3339(self.sent)

    @property
    def referenced(self) -> tuple[tuple[str, str, str], ...]:
        """(sender, identifier, sent) of the alerts that this one is about; what has another form is left out."""
        triples = (tuple(one.split(",")) for one in (self.references or "").split())
        return tuple((one[0], one[1], one[2]) for one in triples if len(one) == 3)  # noqa: PLR2004 -- a triple

    def info(self, language: str) -> CapInfo | None:
        """Return the first info in a language (``id`` also finds ``id-ID``), else the first of all."""
        wanted = language.lower()
        for info in self.infos:
            if info.language.lower().split("-")[0] == wanted or info.language.lower() == wanted:
                return info
        return self.infos[0] if self.infos else None


def reference(*, sender: str, identifier: str, sent: str) -> str:
    """Return one item of ``references``.

    Examples
    --------
    >>> reference(sender="a@b.id", identifier="X.1", sent="2026-01-10T14:20:00+07:00")
    'a@b.id,X.1,2026-01-10T14:20:00+07:00'
    """
    return f"{sender},{identifier},{sent}"
