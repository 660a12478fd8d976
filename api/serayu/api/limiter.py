"""Counts failures per client, so that trying out keys and farmer addresses is slow.

Only failures are limited: many people share one address behind a proxy or NAT, and a valid secret must work whatever
its neighbours try. Guessing is hopeless anyway, for the secrets are random (128 bits and more).
"""

import time
from collections import OrderedDict, deque
from collections.abc import Callable

from serayu.api.errors import TooManyError

__all__ = ["FailureLimiter"]

CLIENTS_AT_MOST = 10_000


class FailureLimiter:
    """Allows so many failures per client in a sliding window.

    Parameters
    ----------
    allowed
        Failures within the window.
    window_s
        Length of the window, seconds.
    what
        What there were too many of, for the refusal.
    clock
        Monotonic seconds.
    """

    def __init__(
        self,
        *,
        allowed: int,
        window_s: float,
        what: str = "failed attempts",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._what = what
        self._allowed = allowed
        self._window_s = window_s
        self._clock = clock
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def fail(self, client: str) -> None:
        """Count a failure.

        Raises
        ------
        TooManyError
            The client had failed too often already; says after how many seconds to try again.
        """
        known = self._recent(client)
        if known is not None and len(known) >= self._allowed:
            wait_s = known[0] + self._window_s - self._clock()
            raise TooManyError(f"too many {self._what}", retry_after_s=max(1, round(wait_s)))
        recent = self._failures.setdefault(client, deque(maxlen=self._allowed))
        recent.append(self._clock())
        self._failures.move_to_end(client)
        while len(self._failures) > CLIENTS_AT_MOST:  # a flood of clients must not fill the memory
            self._failures.popitem(last=False)

    def _recent(self, client: str) -> deque[float] | None:
        recent = self._failures.get(client)
        while recent and recent[0] <= self._clock() - self._window_s:
            recent.popleft()
        if recent is not None and not recent:
            del self._failures[client]
            return None
        return recent
