"""Channels that carry words: apprise with its many services, phone gateways, and the log."""

import logging
import threading
import warnings
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from serayu.ingest.channels.channel import Answer, Outgoing
from serayu.models.delivery.recipient import Channel
from serayu.models.stores.register.recipients import NUMBER_SLOT

_logger = logging.getLogger(__name__)


class AppriseChannel:
    """Sends by an apprise URL; phones by the URL of their channel's gateway, with the number put in.

    Parameters
    ----------
    gateway
        Returns the URL of a phone channel's gateway, None where there is none.
    """

    def __init__(self, gateway: Callable[[Channel], str | None]) -> None:
        self._gateway = gateway

    def send(self, outgoing: Outgoing) -> Answer:
        """Send headline, description and instruction; to a phone one short message."""
        url: str | None = outgoing.address.target
        channel = outgoing.recipient.channel
        if channel.is_phone:
            template = self._gateway(channel)
            if template is None:
                return Answer(ok=False, detail=f"no gateway for {channel.value}")
            url = template.replace(NUMBER_SLOT, quote(outgoing.address.target.removeprefix("+")))
        title, body = _words(outgoing)
        try:
            sender = _silent_apprise().Apprise()
            if not sender.add(url):
                return Answer(ok=False, detail="not an apprise URL", final=True)
            taken = sender.notify(title=title, body=body)
        except Exception as error:  # noqa: BLE001 -- a hundred services' code; its text may hold the address
            return Answer(ok=False, detail=f"apprise: {type(error).__name__}")
        return Answer(ok=bool(taken), detail="apprise: taken" if taken else "apprise: not taken")


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


def _words(outgoing: Outgoing) -> tuple[str, str]:
    from serayu.models.warning import registers, sms  # noqa: PLC0415 -- all texts; ingest starts without them

    language = outgoing.recipient.languages[0]
    if outgoing.recipient.channel.is_phone:
        return "", sms.sms_text(outgoing.bulletin, language)
    said = registers.message(outgoing.bulletin, language)
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
