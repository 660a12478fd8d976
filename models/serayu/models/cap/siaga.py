"""Siaga levels in CAP's words.

No official Indonesian table from Siaga to CAP was found; the values are a [project proposal] after the domain
reference, section 7. Event codes are those of OASIS's event terms list (OET), as WMO's CAP Composer has them.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from serayu.models.siaga_levels import Reason, Siaga
from serayu.models.warning.bulletin import Bulletin, BulletinStatus, Hazard
from serayu.models.warning.statements import head


class CapRating(NamedTuple):
    """How CAP says how bad, how soon, how sure, and what to do."""

    severity: str
    urgency: str
    certainty: str
    response_type: str


_FLOOD: Mapping[Siaga, CapRating] = MappingProxyType(
    {
        Siaga.WASPADA: CapRating("Minor", "Future", "Possible", "Monitor"),
        Siaga.SIAGA: CapRating("Moderate", "Expected", "Likely", "Prepare"),
        Siaga.AWAS: CapRating("Severe", "Immediate", "Observed", "Evacuate"),
    }
)
_LANDSLIDE: Mapping[Siaga, CapRating] = MappingProxyType(
    {**_FLOOD, Siaga.AWAS: CapRating("Severe", "Immediate", "Likely", "Evacuate")}
)
ENDED = CapRating("Minor", "Past", "Observed", "AllClear")  # back to normal [project proposal]
WITHDRAWN = CapRating("Minor", "Past", "Unlikely", "AllClear")  # it was no alert [project proposal]
LAPSED = CapRating("Unknown", "Unknown", "Unknown", "Monitor")
"""An alert that ended for want of data: nobody knows the state, and nothing is clear [project proposal]."""

EVENT_CODES: Mapping[Hazard, str] = MappingProxyType({Hazard.FLOOD: "OET-081", Hazard.LANDSLIDE: "OET-119"})
CATEGORIES: Mapping[Hazard, str] = MappingProxyType({Hazard.FLOOD: "Met", Hazard.LANDSLIDE: "Geo"})


def siaga_rating(
    level: Siaga, *, hazard: Hazard = Hazard.FLOOD, observed_flooding: bool = False
) -> CapRating | None:
    """Return how CAP rates a level.

    Parameters
    ----------
    level
        Siaga level in force.
    hazard
        Flood or landslide; slopes are never seen to fail by rain alone, so there awas is Likely.
    observed_flooding
        Somebody or something saw water where it should not be: awas of a flood is Extreme then.

    Returns
    -------
    CapRating or None
        None for normal, which is no alert.

    Examples
    --------
    >>> siaga_rating(Siaga.SIAGA).severity, siaga_rating(Siaga.NORMAL)
    ('Moderate', None)
    """
    table = _FLOOD if hazard is Hazard.FLOOD else _LANDSLIDE
    rating = table.get(level)
    if rating is not None and level is Siaga.AWAS and hazard is Hazard.FLOOD and observed_flooding:
        return rating._replace(severity="Extreme")
    return rating


def bulletin_rating(bulletin: Bulletin) -> CapRating:
    """Return how CAP rates a bulletin.

    As its level, except: what ends or withdraws an alert is AllClear, but not what ended only because nobody knows the
    state any more; and "Observed", by CAP 1.2 section 3.2.2 what has occurred or is going on, is Likely where the level
    is only foreseen, said by a stand-in, or no good value stands behind it; and what no authority signed says at most
    Prepare: to evacuate is the authority's to say [project proposal]. An exercise keeps what it rehearses.

    Parameters
    ----------
    bulletin
        What is told.
    """
    ended = {"cancel": WITHDRAWN, "clear": ENDED, "lapsed": LAPSED}.get(head(bulletin))
    if ended is not None:
        return ended
    rating = siaga_rating(
        bulletin.level, hazard=bulletin.hazard, observed_flooding=bulletin.observed_flooding
    )
    if rating is None:
        raise ValueError(f"no CAP rating for {bulletin.level.value}")
    if bulletin.status is BulletinStatus.TEST and rating.response_type == "Evacuate":
        rating = rating._replace(response_type="Prepare")
    seen = bulletin.reason is Reason.THRESHOLD and bulletin.verified and not bulletin.fallback
    if rating.certainty == "Observed" and not seen and not bulletin.observed_flooding:
        return rating._replace(certainty="Likely")
    return rating
