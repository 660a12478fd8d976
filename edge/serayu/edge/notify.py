"""systemd's notification protocol (sd_notify(3)) in a few lines: a datagram to ``$NOTIFY_SOCKET``."""

import logging
import os
import socket
from collections.abc import Mapping

__all__ = ["Notifier"]

_log = logging.getLogger(__name__)


class Notifier:
    """Tells systemd that the agent is ready, alive, or leaving; does nothing where nobody asked.

    Parameters
    ----------
    environment
        Where ``NOTIFY_SOCKET`` and ``WATCHDOG_USEC`` stand.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        watchdog_us = environment.get("WATCHDOG_USEC", "")
        self.period_s = int(watchdog_us) / 2e6 if watchdog_us.isdecimal() and int(watchdog_us) else None
        """Seconds between signs of life: half of what systemd waits for; None without a watchdog."""

    def tell(self, *states: str) -> None:
        """Send states such as ``READY=1``; a listener that is gone or does not listen holds nothing up."""
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as link:
            link.settimeout(0.0)
            try:
                link.sendto("\n".join(states).encode(), self._address)
            except OSError as error:
                _log.warning("systemd was not told %s: %s", states, error)
