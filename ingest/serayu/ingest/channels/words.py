"""Channels that carry words: apprise with its many services, phone gateways, and the log."""

import logging
import threading
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any
from urllib.parse import quote

from serayu.ingest.channels.channel import Answer, Outgoing
from serayu.ingest.channels.guard import Watch, public_only
from serayu.models.delivery.recipient import Channel, Gateway
from serayu.models.stores.register.recipients import NUMBER_SLOT

_logger = logging.getLogger(__name__)


DEADLINE_S = 20.0
"""Longest time for one attempt: apprise's services wait 4 s to connect and 4 s for each answer unless the URL says
otherwise, and some ask twice; below the lease of a delivery [project proposal]."""
AT_ONCE = 16
"""Attempts under way, those that nobody waits for any more included [project proposal]."""


class AppriseChannel:
    """Sends by an apprise URL; phones by the URL of their channel's gateway, with the number put in.

    An attempt has a thread of its own, because nothing ends a service that hangs; one that is late counts as not
    taken, though its message may still arrive: delivery is at least once. Connections into private networks are
    prevented where the recipient or the gateway is not allowed them.

    Parameters
    ----------
    gateway
        Returns a phone channel's gateway, None where there is none.
    deadline_s
        For one attempt.
    at_once
        Attempts under way at a time; one more is tried later.
    """

    def __init__(
        self,
        gateway: Callable[[Channel], Gateway | None],
        *,
        deadline_s: float = DEADLINE_S,
        at_once: int = AT_ONCE,
    ) -> None:
        self._gateway = gateway
        self._deadline_s = deadline_s
        self._places = threading.Semaphore(at_once)

    def send(self, outgoing: Outgoing) -> Answer:
        """Send headline, description and instruction; to a phone one short message."""
        url, allow_private = outgoing.address.target, outgoing.recipient.allow_private
        channel = outgoing.recipient.channel
        if channel.is_phone:
            gateway = self._gateway(channel)
            if gateway is None:
                return Answer(ok=False, detail=f"no gateway for {channel.value}")
            url = gateway.url.replace(NUMBER_SLOT, quote(outgoing.address.target.removeprefix("+")))
            allow_private = gateway.allow_private
        title, body = _words(outgoing)
        return self._within_deadline(lambda: _notify(url, title, body, allow_private=allow_private))

    def _within_deadline(self, work: Callable[[], Answer]) -> Answer:
        if not self._places.acquire(blocking=False):
            return Answer(ok=False, detail="apprise: too many attempts hang")
        answers: list[Answer] = []

        def attempt() -> None:
            try:
                answers.append(work())
            finally:
                self._places.release()

        thread = threading.Thread(target=attempt, name="apprise", daemon=True)
        thread.start()
        thread.join(self._deadline_s)
        late = Answer(ok=False, detail=f"apprise: no answer within {self._deadline_s:g} s")
        return answers[0] if answers else late


class LogChannel:
    """Writes what would be said into the program's log: for a try, and as a channel that always works."""

    def send(self, outgoing: Outgoing) -> Answer:
        """Log one line."""
        from serayu.models.warning.sms import sms_text  # noqa: PLC0415 -- all texts; ingest starts without them

        bulletin = outgoing.bulletin
        _logger.warning(
            "%s",
            sms_text(bulletin, outgoing.recipient.languages[0]),
            extra={
                "bulletin": bulletin.id,
                "alert": bulletin.alert_id,
                "recipient": outgoing.recipient.id,
                "delivery": outgoing.delivery_id,
            },
        )
        return Answer(ok=True, detail="logged")


def _notify(url: str, title: str, body: str, *, allow_private: bool) -> Answer:
    """Send by one URL; what goes wrong is an answer too."""
    try:
        sender = _silent_apprise().Apprise()
        with nullcontext(Watch()) if allow_private else public_only() as watch:
            if not sender.add(url):
                return Answer(ok=False, detail="not an apprise URL", final=True)
            # Not by apprise's own threads: its few would be used up by services that hang.
            taken = all(service.notify(title=title, body=body) for service in sender)
    except Exception as error:  # noqa: BLE001 -- a hundred services' code; its text may hold the address
        return Answer(ok=False, detail=f"apprise: {type(error).__name__}")
    if watch.refused and not taken:
        return Answer(ok=False, detail="refused: not a public address", final=True)
    return Answer(ok=bool(taken), detail="apprise: taken" if taken else "apprise: not taken")


def _words(outgoing: Outgoing) -> tuple[str, str]:
    from serayu.models.warning import registers, sms  # noqa: PLC0415 -- all texts; ingest starts without them

    language = outgoing.recipient.languages[0]
    if outgoing.recipient.channel.is_phone:
        return "", sms.sms_text(outgoing.bulletin, language)
    said = registers.combined(outgoing.bulletin, language)  # a draft never stands alone
    return said.headline, f"{said.description}\n\n{said.instruction}"


def _silent_apprise() -> Any:  # noqa: ANN401 -- a library without types
    """Import apprise with its services, once, and keep it from logging: its lines hold addresses and numbers."""
    with _importing, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some of the services import what Python has deprecated
        import apprise  # noqa: PLC0415 -- a hundred services; only who uses it pays for it

        logger = logging.getLogger("apprise")
        logger.handlers = [logging.NullHandler()]
        logger.propagate = False
        logging.getLogger("urllib3").setLevel(
            logging.WARNING
        )  # under most services: it logs paths of requests
        apprise.Apprise.instantiate("json://localhost")  # loads the services here, under the filter
    return apprise


_importing = threading.Lock()
