"""Going round all that has to be looked after now and then, a little at a time."""

import time
from collections.abc import Callable, Collection, Generator


class Round:
    """Goes round names in their order, in turns that take no longer than they may.

    What looks at every active alert would hold up the next one for as long as there are many; so each turn goes on
    where the one before stopped.

    Parameters
    ----------
    turn_s
        How long a turn takes, seconds; the name under way when it is over is finished.
    monotonic
        A clock, seconds.
    """

    def __init__(self, turn_s: float, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._turn_s = turn_s
        self._monotonic = monotonic
        self._last: str | None = None

    @property
    def complete(self) -> bool:
        """Whether the next turn begins a new round."""
        return self._last is None

    def turn(self, names: Collection[str]) -> Generator[str, None, None]:
        """Yield the names that follow, at least one where there is one; one is done once the next is asked for."""
        deadline_s = self._monotonic() + self._turn_s
        ahead = sorted(name for name in names if self._last is None or name > self._last)
        for name in ahead:
            yield name
            self._last = name
            if self._monotonic() >= deadline_s and name != ahead[-1]:
                return
        self._last = None
