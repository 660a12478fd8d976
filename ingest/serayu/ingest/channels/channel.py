"""What every channel does: take one bulletin for one recipient and say what became of it."""

import functools
from typing import Any, NamedTuple, Protocol

import msgspec

from serayu.models.delivery.recipient import Address, Recipient
from serayu.models.warning.bulletin import Bulletin

_REMEMBERED = 64  # bulletins that go out about now, to many recipients


class Outgoing(NamedTuple):
    """One attempt of one delivery.

    Parameters
    ----------
    delivery_id, attempt
        The same id in every attempt, and which attempt it is, from 1.
    bulletin, recipient, address
        What is said to whom, where.
    """

    delivery_id: str
    attempt: int
    bulletin: Bulletin
    recipient: Recipient
    address: Address


class Answer(NamedTuple):
    """What became of an attempt.

    Parameters
    ----------
    ok
        The channel has taken it.
    detail
        In a few words, for the log; never an address.
    final
        Another attempt would change nothing.
    """

    ok: bool
    detail: str
    final: bool = False


class Sender(Protocol):
    """One channel."""

    def send(self, outgoing: Outgoing) -> Answer:
        """Send, and wait for the answer; what goes wrong is an answer too."""
        ...


@functools.lru_cache(maxsize=_REMEMBERED)
def document_body(bulletin: Bulletin) -> bytes:
    """Return the body of a webhook and of the retained MQTT message: the bulletin's JSON document, written once."""
    from serayu.models.warning.documents import bulletin_document  # noqa: PLC0415 -- all texts; ingest starts without

    document: dict[str, Any] = bulletin_document(bulletin)
    return msgspec.json.encode(document)
