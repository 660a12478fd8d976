"""Which readings to send now: a window of unconfirmed ones, and those whose confirmation did not come.

Nothing here knows MQTT. A broker's PUBACK counts for nothing: only ingest's answer takes a reading from the window.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from serayu.edge.config import UplinkConfig
from serayu.edge.outbox import Outbox, Pending
from serayu.edge.packs import Ack

__all__ = ["Delivery", "Settled"]

_UNTIMED_WAIT_S = 2.0  # an ingest that is there has answered long before
_TAKEN = "identity_conflict:"  # what ingest says of a number under which it knows another reading
_SKIP, _SKIPS_MAX = 100_000, 16  # numbers to skip then, doubled each time: 6.5 thousand million in the end
_PROBE_MAX_S = 30.0  # pace of asking an ingest that says nothing


@dataclass(slots=True)
class _OnTheWay:
    due_s: float
    attempts: int


@dataclass(frozen=True, slots=True)
class Settled:
    """What an answer did: readings confirmed, rejected, and given another number."""

    confirmed: int
    rejected: int
    renumbered: int = 0


class Delivery:
    """The window of readings on the way.

    While ingest answers, a reading that is not confirmed within its timeout was lost and is sent again. While ingest
    says nothing at all, sending everything again would only fill the broker: then one pack asks, ever more slowly,
    and the first answer sets the rest going.

    A reading without a time of its own says how old it is when it goes out. A broker that keeps it for an ingest that
    is away makes it younger than it is, so fresh ones wait here while nothing has been answered for two seconds.

    An older copy of the outbox's file, put back, gives out numbers that ingest knows already. Then ingest refuses
    good readings because of their numbers alone; they get new ones, ever further ahead, until they are new to ingest.

    Parameters
    ----------
    outbox
        Where readings come from.
    config
        Window, pack size, timeouts.
    boot_us
        Returns the time since the device's start, microseconds.
    """

    def __init__(self, outbox: Outbox, *, config: UplinkConfig, boot_us: Callable[[], int]) -> None:
        self._outbox = outbox
        self._config = config
        self._boot_us = boot_us
        self._way: dict[int, _OnTheWay] = {}
        self._cursor = 0
        self._heard_s = -math.inf
        self._probe_s = -math.inf
        self._probes = 0
        self._asked_s: float | None = None  # the first sending since ingest was heard
        self._held = False
        self._skips, self._skipped_from = 0, 0
        self._probe_max_s = min(_PROBE_MAX_S, config.ack_timeout_max_s)
        self.resent = 0

    @property
    def on_the_way(self) -> int:
        """Number of readings sent and unconfirmed."""
        return len(self._way)

    def restart(self, now_s: float) -> None:
        """After a new connection: everything unconfirmed is due at once."""
        for state in self._way.values():
            state.due_s = now_s
        self._heard_s, self._probes = now_s, 0

    def take(self, now_s: float) -> list[Pending]:
        """Return the readings to send now, in order, and count them as sent; a reading without a time is marked.

        Parameters
        ----------
        now_s
            Monotonic time, s.
        """
        again = self._outbox.get(self._overdue(now_s))
        if not self._way:
            self._asked_s, self._held = None, False
        room = self._config.window - len(self._way)
        fresh = self._outbox.pending(limit=room, after=self._cursor) if room > 0 and self._has_more() else []
        if room > 0 and not fresh:
            self._cursor = self._outbox.last_seq  # the rest are numbers that the outbox has skipped
        if self._unanswered(now_s):
            timed = list(takewhile(lambda reading: reading.t_us is not None, fresh))
            self._held, fresh = len(timed) < len(fresh), timed
        if fresh:
            self._cursor = fresh[-1].seq
        self.resent += len(again)
        readings = again + fresh
        if readings and self._asked_s is None:
            self._asked_s = now_s
        for reading in readings:
            attempts = self._way[reading.seq].attempts + 1 if reading.seq in self._way else 0
            self._way[reading.seq] = _OnTheWay(now_s + self._timeout_s(attempts), attempts)
        self._outbox.mark_provisional(r.seq for r in readings if r.t_us is None and not r.provisional)
        return readings

    def settle(self, ack: Ack, now_s: float) -> Settled:
        """Take ingest's answer; only readings that were sent can be confirmed by it."""
        if ack.oid != self._outbox.oid:
            return Settled(0, 0)
        reasons = {r.seq: r.reason for r in ack.rejected if r.seq in self._way}
        confirmed = [seq for seq in self._within(ack.ok) if seq not in reasons]
        taken = self._taken(reasons)
        refused = {seq: reason for seq, reason in reasons.items() if seq not in taken}
        settled = Settled(
            self._outbox.confirm(confirmed), self._outbox.reject(refused), self._renumber(taken)
        )
        for seq in [*confirmed, *reasons]:
            del self._way[seq]
        self._revive(now_s)
        return settled

    def next_due_s(self) -> float:
        """Return the monotonic time at which something may have to be sent again."""
        first = min((state.due_s for state in self._way.values()), default=math.inf)
        silent = first - self._heard_s > self._config.ack_timeout_s
        return max(first, self._probe_s) if silent else first

    def has_fresh(self) -> bool:
        """Tell whether there is something unsent and room for it."""
        held = self._held and self._way  # whatever is on the way asks again, so an answer will come
        return not held and len(self._way) < self._config.window and self._has_more()

    def age_us(self, reading: Pending) -> int:
        """Return a reading's age now."""
        return self._outbox.age_us(reading, boot_us=self._boot_us())

    def _taken(self, reasons: Mapping[int, str]) -> list[int]:
        taken = [seq for seq, reason in reasons.items() if reason.startswith(_TAKEN)]
        if self._skips == _SKIPS_MAX and any(seq > self._skipped_from for seq in taken):
            return []  # no copy of a file is so old: ingest is wrong, and asking it on would never end
        return taken

    def _renumber(self, taken: Sequence[int]) -> int:
        if not taken:
            return 0
        further = max(taken) > self._skipped_from or not self._skips
        before = self._outbox.last_seq
        renumbered = self._outbox.renumber(taken, skip=_SKIP * 2**self._skips if further else 0)
        if further:
            self._skips, self._skipped_from = self._skips + 1, before
        return renumbered

    def _unanswered(self, now_s: float) -> bool:
        return self._asked_s is not None and now_s - self._asked_s > _UNTIMED_WAIT_S

    def _has_more(self) -> bool:
        return self._cursor < self._outbox.last_seq and self._outbox.backlog > 0

    def _overdue(self, now_s: float) -> list[int]:
        due = sorted(seq for seq, state in self._way.items() if state.due_s <= now_s)
        for seq in set(due) - {reading.seq for reading in self._outbox.get(due)}:
            del self._way[seq]  # dropped by a bound meanwhile
        due = [seq for seq in due if seq in self._way]
        if not due or now_s - self._heard_s <= self._config.ack_timeout_s:
            return due
        if now_s < self._probe_s:
            return []
        self._probe_s = now_s + min(self._config.ack_timeout_s * float(2**self._probes), self._probe_max_s)
        self._probes = min(self._probes + 1, 16)
        return due[: self._config.pack_max]

    def _timeout_s(self, attempts: int) -> float:
        return min(self._config.ack_timeout_s * float(2 ** min(attempts, 16)), self._config.ack_timeout_max_s)

    def _within(self, ranges: Iterable[tuple[int, int]]) -> list[int]:
        spans = list(ranges)
        return [seq for seq in self._way if any(low <= seq <= high for low, high in spans)]

    def _revive(self, now_s: float) -> None:
        """Note an answer: ingest lives, so what waited out of politeness need not wait long any more."""
        silent = now_s - self._heard_s > self._config.ack_timeout_s
        self._heard_s, self._probes, self._probe_s = now_s, 0, -math.inf
        self._asked_s, self._held = None, False
        if silent:
            for state in self._way.values():
                state.due_s = min(state.due_s, now_s + self._config.ack_timeout_s)
