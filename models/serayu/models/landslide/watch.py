"""When a road's landslide level is told: raised at once, held until the storm is over, not ended for want of data.

Pure rules between one assessment and the next. What was told last is known from the road's newest bulletin; what else
has to be remembered is a `RoadWatch`.
"""

import enum
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from serayu.models.landslide.result import Report
from serayu.models.siaga_levels import Siaga
from serayu.models.times import US_PER_DAY, US_PER_HOUR
from serayu.models.warning.bulletin import Bulletin, MessageType

__all__ = [
    "LOWER_AFTER_US",
    "RENEW_BEFORE_US",
    "VALID_US",
    "Act",
    "Decision",
    "LandslideRecord",
    "Pending",
    "RainBasis",
    "RoadWatch",
    "Situation",
    "decide",
    "in_force",
]

VALID_US = US_PER_DAY
"""How long a bulletin holds after the newest rain behind it, unless renewed; as for floods."""
RENEW_BEFORE_US = 2 * US_PER_HOUR
"""How long before it expires a bulletin is renewed [project proposal]; as for floods."""
LOWER_AFTER_US = 3 * US_PER_HOUR
"""So long a lower level must stand after the storm before it is told [project proposal]."""
REVISED_SHARE = 0.9
"""Rain that quality control later made less than this share of what it was bears no level [project proposal]."""


class RainBasis(msgspec.Struct, frozen=True):
    """Rain on which a level was raised: gauge, window (microseconds UTC) and its depth then, mm."""

    gauge: str
    begin_us: int
    end_us: int
    mm: float


class Pending(msgspec.Struct, frozen=True):
    """What holds once a bulletin has been recorded: see the fields of `RoadWatch`."""

    bulletin_id: str
    lower_since_us: int | None
    basis: RainBasis | None


class RoadWatch(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered about a road.

    It is kept before the bulletin that it leads to is recorded. What that bulletin changes is therefore pending until
    the bulletin is found to be there: a process that ends in between has not told, and decides again as before.

    Parameters
    ----------
    alert_id
        Of what was told last, or is about to be; None: never anything.
    lower_since_us
        Since when the assessment gives less than was told; None where it does not.
    basis
        Rain behind the last raise; None where it was no rain.
    held
        The level in force is higher than the assessment's, because the storm is not over.
    pending
        What changes with the bulletin that was about to be recorded; None where nothing was.
    """

    alert_id: str | None = None
    lower_since_us: int | None = None
    basis: RainBasis | None = None
    held: bool = False
    pending: Pending | None = None

    def settled(self, newest: Bulletin | None) -> "RoadWatch":
        """Return what holds, given the road's newest bulletin."""
        told, waiting = self, self.pending
        if waiting is not None and newest is not None and newest.id == waiting.bulletin_id:
            told = msgspec.structs.replace(self, lower_since_us=waiting.lower_since_us, basis=waiting.basis)
        return msgspec.structs.replace(told, pending=None)


class LandslideRecord(NamedTuple):
    """The newest assessment of a region, and what is remembered of each road by its number."""

    at_us: int
    report: Report
    roads: Mapping[str, RoadWatch]


class Act(enum.Enum):
    """What has to be said."""

    NOTHING = "nothing"
    WARN = "warn"
    END = "end"
    LAPSE = "lapse"
    WITHDRAW = "withdraw"


class Situation(NamedTuple):
    """A road at the moment of an assessment.

    Parameters
    ----------
    level
        Siaga level by the assessment; None: not known.
    at_us, evidence_us
        The moment, and the newest word that bears the level: rain, or the moment itself where a finding alone gives it.
    storm
        It rains, or rained within the last day, or that is not known.
    lower_since_us
        As in `RoadWatch`, this assessment included.
    revised
        The rain behind the level in force turned out not to have been.
    """

    level: Siaga | None
    at_us: int
    evidence_us: int
    storm: bool
    lower_since_us: int | None = None
    revised: bool = False


class Decision(NamedTuple):
    """What has to be said, at which level, and whether that level is held above the assessment's."""

    act: Act
    level: Siaga
    held: bool = False


def in_force(last: Bulletin | None, *, at_us: int) -> Bulletin | None:
    """Return the newest bulletin of a road where its warning is still open.

    None after a Cancel, and for one that has lapsed so long ago that nobody goes by it: what comes is a new alert.
    """
    if last is None or last.msg_type is MessageType.CANCEL or last.expires_us + VALID_US <= at_us:
        return None
    return last


def decide(last: Bulletin | None, now: Situation) -> Decision:
    """Return what has to be said about a road.

    A rise is told at once. A fall is told when the storm is over and the lower level has stood for `LOWER_AFTER_US`;
    until then the level in force is held and renewed, as long as a gauge tells of rain: without one it is held until it
    expires. A level whose rain turned out wrong falls at once. A level that is not known ends nothing before it
    expires.

    Parameters
    ----------
    last
        The bulletin in force, see `in_force`.
    now
        The road now.
    """
    if last is None:
        warned = now.level is not None and now.level is not Siaga.NORMAL
        return Decision(Act.WARN if warned else Act.NOTHING, now.level or Siaga.NORMAL)
    told = last.level
    if now.revised and now.level in (None, Siaga.NORMAL):
        return Decision(Act.WITHDRAW, Siaga.NORMAL)
    if now.level is None:
        return Decision(Act.LAPSE if last.expires_us <= now.at_us else Act.NOTHING, told)
    if now.level.rank > told.rank or (now.revised and now.level.rank < told.rank):
        return Decision(Act.WARN, now.level)
    held = now.level.rank < told.rank
    if held and (_may_fall(now) or _expired(last, now)):
        return Decision(Act.END if now.level is Siaga.NORMAL else Act.WARN, now.level)
    return Decision(Act.WARN if _renewal_due(last, now) else Act.NOTHING, told, held)


def _may_fall(now: Situation) -> bool:
    stood_us = 0 if now.lower_since_us is None else now.at_us - now.lower_since_us
    return not now.storm and stood_us >= LOWER_AFTER_US


def _expired(last: Bulletin, now: Situation) -> bool:
    """Say whether a bulletin has expired and nothing carries it on."""
    return last.expires_us <= now.at_us and not _renewal_due(last, now)


def _renewal_due(last: Bulletin, now: Situation) -> bool:
    """Say whether a bulletin expires soon and there is evidence that carries it on."""
    return (
        last.expires_us - now.at_us <= RENEW_BEFORE_US
        and now.evidence_us + VALID_US - last.expires_us > RENEW_BEFORE_US
    )
