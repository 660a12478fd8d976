"""What ingest tells a station: which readings are committed, which are rejected and why (architecture section 3)."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from serayu.models.topics import topic

ACK_EVERY_S = 0.1


class Ack(NamedTuple):
    """One acknowledgement: an outbox's ranges of committed seq, rejected ones, and times that ingest assigned."""

    region: str
    station: str
    oid: str
    ok: list[list[int]]
    rejected: list[dict[str, object]]
    time: list[list[int]]

    @property
    def topic(self) -> str:
        """Topic that only this station reads."""
        return topic(self.region, self.station, "ack")

    def payload(self, *, now_us: int) -> bytes:
        """Return the JSON body; ``now`` lets a device without a clock see what time it is."""
        body = {"oid": self.oid, "ok": self.ok, "rejected": self.rejected, "time": self.time, "now": now_us}
        return msgspec.json.encode(body)


class AckBook:
    """Collects the fate of readings of one batch, per outbox."""

    def __init__(self) -> None:
        self._ok: defaultdict[tuple[str, str, str], list[int]] = defaultdict(list)
        self._rejected: defaultdict[tuple[str, str, str], list[dict[str, object]]] = defaultdict(list)
        self._time: defaultdict[tuple[str, str, str], list[list[int]]] = defaultdict(list)

    def ok(self, region: str, station: str, oid: str, seq: int) -> None:
        """Note a reading that is committed, now or before."""
        self._ok[(region, station, oid)].append(seq)

    def rejected(self, region: str, station: str, oid: str, seq: int, reason: str) -> None:
        """Note a reading that will never be stored."""
        self._rejected[(region, station, oid)].append({"seq": seq, "reason": reason})

    def assigned(self, region: str, station: str, oid: str, seq: int, t_us: int) -> None:
        """Note the time that a reading without a good clock was given."""
        self._time[(region, station, oid)].append([seq, t_us])

    def acks(self) -> list[Ack]:
        """Return one acknowledgement per outbox."""
        return [
            Ack(*name, ranges(self._ok.get(name, ())), self._rejected.get(name, []), self._time.get(name, []))
            for name in dict.fromkeys([*self._ok, *self._rejected])
        ]


class PendingAcks:
    """Joins the acknowledgements of an outbox while more of them come than it needs.

    The first goes at once; those that follow within *every_s* go together. Under load that spares ingest most of
    them twice: each one that it publishes also comes back to it by its own subscription.
    """

    def __init__(self, *, every_s: float = ACK_EVERY_S) -> None:
        self._every_s = every_s
        self._waiting: dict[tuple[str, str, str], Ack] = {}
        self._due_s = 0.0

    def add(self, acks: Iterable[Ack]) -> None:
        """Take acknowledgements."""
        for ack in acks:
            earlier = self._waiting.setdefault((ack.region, ack.station, ack.oid), ack)
            if earlier is not ack:
                earlier.ok.extend(ack.ok)
                earlier.rejected.extend(ack.rejected)
                earlier.time.extend(ack.time)

    def wait_s(self, *, now_s: float) -> float | None:
        """Return how long until some are due, None when none are waiting; monotonic seconds."""
        return max(0.0, self._due_s - now_s) if self._waiting else None

    def due(self, *, now_s: float) -> list[Ack]:
        """Return what is to be published now."""
        if not self._waiting or now_s < self._due_s:
            return []
        self._due_s = now_s + self._every_s
        waiting, self._waiting = self._waiting, {}
        return [ack._replace(ok=_joined(ack.ok)) for ack in waiting.values()]


def _joined(pairs: Iterable[list[int]]) -> list[list[int]]:
    """Return ranges in ascending order, those that touch joined."""
    found: list[list[int]] = []
    for start, end in sorted(pairs):
        if found and start <= found[-1][1] + 1:
            found[-1][1] = max(found[-1][1], end)
        else:
            found.append([start, end])
    return found


def ranges(numbers: Iterable[int]) -> list[list[int]]:
    """Return numbers as inclusive ranges in ascending order.

    Examples
    --------
    >>> ranges([3, 1, 2, 7, 7])
    [[1, 3], [7, 7]]
    """
    return _joined([number, number] for number in numbers)
