"""What every channel does: take one bulletin for one recipient and say what became of it."""

from typing import NamedTuple, Protocol

from serayu.models.delivery.recipient import Address, Recipient
from serayu.models.warning.bulletin import Bulletin


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
