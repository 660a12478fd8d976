"""One delivery: look again whether it may go, send it, write down what became of it."""

import logging
import random
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from serayu.ingest.channels.channel import Answer, Outgoing, Sender
from serayu.ingest.clock import IngestClock
from serayu.models.delivery.delivery import Attempt, Delivery, DeliveryState, Drop
from serayu.models.delivery.plan import refusal
from serayu.models.delivery.quiet import earliest_us
from serayu.models.delivery.recipient import Channel, Recipient
from serayu.models.delivery.retry import wait_us
from serayu.models.delivery.settings import DeliverySettings
from serayu.models.errors import BadInputError
from serayu.models.stores.register import Register
from serayu.models.stores.register.vault import Vault
from serayu.models.times import Clock
from serayu.models.warning.bulletin import Bulletin

_logger = logging.getLogger(__name__)


class LazyVault:
    """The vault, opened when the first address is needed; threads share it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._vault: Vault | None = None
        self._lock = threading.Lock()

    def open(self) -> Vault:
        """Return the vault.

        Raises
        ------
        BadInputError
            The key file cannot be used; the next call tries again.
        """
        with self._lock:
            if self._vault is None:
                self._vault = Vault.open(self._file)
            return self._vault


class Dispatcher:
    """Sends deliveries; one object serves many threads.

    Parameters
    ----------
    register
        Keeps deliveries and attempts.
    vault
        Holds the addresses' key.
    senders
        One for each channel.
    settings
        Timers of the region.
    rules, clock
        Clock of the rules (a replay has its own), and the computer's.
    """

    def __init__(
        self,
        register: Register,
        vault: LazyVault,
        senders: Mapping[Channel, Sender],
        *,
        settings: DeliverySettings,
        rules: IngestClock,
        clock: Clock,
    ) -> None:
        self._register = register
        self._vault = vault
        self._senders = senders
        self._settings = settings
        self._rules = rules
        self._clock = clock

    def dispatch(self, delivery: Delivery) -> DeliveryState:
        """Send one delivery, unless it must not go any more; return its state afterwards.

        Raises
        ------
        StoreError
            The register could not be read, or not be told; after the lease the delivery is tried again.
        """
        bulletin = self._register.bulletin(delivery.bulletin_id)
        recipient = self._register.recipient(delivery.recipient_id)
        rules_us = self._rules.now_us()
        drop = refusal(bulletin, recipient, now_us=rules_us)
        if drop is not None:
            return self._end(delivery, drop)
        start_us = earliest_us(bulletin, recipient, quiet=self._settings.quiet, now_us=rules_us)
        if start_us > rules_us:  # quiet hours began while it waited for its turn
            self._register.put_off_delivery(delivery.id, not_before_us=start_us)
            return DeliveryState.QUEUED
        return self._try(delivery, bulletin, recipient)

    def _end(self, delivery: Delivery, drop: Drop) -> DeliveryState:
        state = DeliveryState.LAPSED if drop is Drop.EXPIRED else DeliveryState.DROPPED
        self._register.end_delivery(delivery.id, state=state, reason=drop.value, now_us=self._clock.now_us())
        _log("not sent: %s", drop.value, delivery)
        return state

    def _try(self, delivery: Delivery, bulletin: Bulletin, recipient: Recipient) -> DeliveryState:
        number = delivery.attempts  # taking it has counted it
        begun_us, begun_s = self._clock.now_us(), time.monotonic()
        answer = self._send(delivery.id, number, bulletin, recipient)
        elapsed_ms = round((time.monotonic() - begun_s) * 1000)
        attempt = Attempt(delivery.id, number, begun_us, elapsed_ms, answer.ok, answer.detail)
        if answer.ok:
            state, reason, retry_us = DeliveryState.SENT, None, None
        elif answer.final:
            state, reason, retry_us = DeliveryState.DEAD, Drop.REFUSED.value, None
        else:
            wait = wait_us(number, rule=self._settings.retry, chance=random.random())  # noqa: S311 -- no secret
            state, reason, retry_us = DeliveryState.QUEUED, None, self._clock.now_us() + wait
        self._register.record_attempt(attempt, state=state, reason=reason, retry_us=retry_us)
        _log("attempt: %s", answer.detail, delivery)
        return state

    def _send(self, delivery_id: str, number: int, bulletin: Bulletin, recipient: Recipient) -> Answer:
        try:
            address = self._register.address(recipient.id, self._vault.open())
            if address is None:
                return Answer(ok=False, detail="erased", final=True)
            outgoing = Outgoing(delivery_id, number, bulletin, recipient, address)
            return self._senders[recipient.channel].send(outgoing)
        except BadInputError as error:  # the key file: a person has to act, and then it goes on
            return Answer(ok=False, detail=error.reason)


def _log(message: str, detail: str, delivery: Delivery) -> None:
    extra = {"delivery": delivery.id, "alert": delivery.alert_id, "recipient": delivery.recipient_id}
    _logger.info(message, detail, extra=extra)
