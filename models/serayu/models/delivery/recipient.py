"""A recipient: who is told, by which channel, about what; its address is kept apart, encrypted."""

import enum

import msgspec
from typing_extensions import override

from serayu.models.siaga_levels import Siaga
from serayu.models.warning.bulletin import Hazard

MINUTES_OF_DAY = 24 * 60


class Audience(enum.StrEnum):
    """Whom a recipient stands for: the public hears nothing but warnings that an authority has signed."""

    PUBLIC = "public"
    AGENCY = "agency"


class Channel(enum.StrEnum):
    """How a recipient is reached."""

    WEBHOOK = "webhook"
    APPRISE = "apprise"
    SMS = "sms"
    WHATSAPP = "whatsapp"
    LOG = "log"

    @property
    def is_phone(self) -> bool:
        """Whether its addresses are phone numbers, reached through a gateway of that name."""
        return self in (Channel.SMS, Channel.WHATSAPP)

    @property
    def is_program(self) -> bool:
        """Whether a program listens: it keeps the record itself, so it gets every bulletin, repetitions included."""
        return self is Channel.WEBHOOK


class QuietHours(msgspec.Struct, frozen=True):
    """A span of the day, WIB, in which the lowest level waits.

    Parameters
    ----------
    start_min, end_min
        Minutes after midnight, 0-1439; a span may pass midnight. Equal ones mean no quiet hours.
    """

    start_min: int
    end_min: int

    def __post_init__(self) -> None:
        for name in ("start_min", "end_min"):
            if not 0 <= getattr(self, name) < MINUTES_OF_DAY:
                raise ValueError(f"{name} must lie between 0 and 1439, got {getattr(self, name)}")


class Recipient(msgspec.Struct, frozen=True, kw_only=True):
    """A recipient as the register knows it: everything but the address.

    Parameters
    ----------
    id, region
        UUIDv7, and whose alerts.
    name
        A label for people, e.g. "Piket BPBD"; a function rather than a person.
    audience, channel
        See there.
    languages
        In order of preference: ``id``, ``en``, ``jv-banyumas``.
    hazards
        Only those; empty for all.
    lowest
        Told from this level on.
    stations
        Only those; empty for all.
    quiet
        Own quiet hours; None for those of the region.
    step
        Escalation step at which it is told first: 0 at once, 1 when nobody of step 0 acknowledged, and so on.
    allow_private
        Whether a webhook may lie in a private network.
    created_us, opted_in_us, stopped_us, erased_us
        Microseconds UTC; None where it did not happen. A stopped recipient is told nothing; an erased one has
        neither address nor name any more.
    """

    id: str
    region: str
    name: str
    audience: Audience
    channel: Channel
    languages: tuple[str, ...] = ("id",)
    hazards: tuple[Hazard, ...] = ()
    lowest: Siaga = Siaga.WASPADA
    stations: tuple[str, ...] = ()
    quiet: QuietHours | None = None
    step: int = 0
    allow_private: bool = False
    created_us: int
    opted_in_us: int | None = None
    stopped_us: int | None = None
    erased_us: int | None = None

    def __post_init__(self) -> None:
        if self.step < 0:
            raise ValueError(f"step must not be negative, got {self.step}")
        if self.lowest is Siaga.NORMAL:
            raise ValueError("lowest must be waspada, siaga or awas")

    @property
    def may_be_told(self) -> bool:
        """Whether it wants messages: not stopped, and a phone of the public has opted in."""
        if self.stopped_us is not None or self.erased_us is not None:
            return False
        return self.opted_in_us is not None or not (
            self.audience is Audience.PUBLIC and self.channel.is_phone
        )


class Address(msgspec.Struct, frozen=True):
    """Where a recipient is reached; never in a log, a document or a URL of ours.

    Parameters
    ----------
    target
        Web address, apprise URL or phone number (E.164).
    secret
        With which a webhook's requests are signed; None for other channels.
    """

    target: str
    secret: str | None = None

    @override
    def __repr__(self) -> str:  # what is not printed cannot reach a log
        return "Address(***)"


class Gateway(msgspec.Struct, frozen=True):
    """By which way phone numbers of a channel are reached; its URL holds secrets as an address does.

    Parameters
    ----------
    url
        Apprise URL with ``{number}``.
    allow_private
        Whether it may lie in a private network.
    """

    url: str
    allow_private: bool = False

    @override
    def __repr__(self) -> str:  # as of an address
        return f"Gateway(***, allow_private={self.allow_private})"


class ConsentAction(enum.StrEnum):
    """What somebody said about being told."""

    IN = "in"
    OUT = "out"


class Consent(msgspec.Struct, frozen=True):
    """One entry of the log of opt-ins and opt-outs.

    Parameters
    ----------
    id
        Running number.
    recipient_id
        Whose; None where the number is none of ours.
    action, at_us, source
        What was said, when (microseconds UTC) and by which way, e.g. ``sms:BERHENTI``.
    """

    id: int
    recipient_id: str | None
    action: ConsentAction
    at_us: int
    source: str
