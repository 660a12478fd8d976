"""The live stream (server-sent events): one look at the stores for all listeners, and no alert lost on the way.

Nothing is queued per listener. Each remembers the last alert change that it has sent and reads on from there: from
the short memory of the last changes, or from the register when it has fallen behind or comes back with
``Last-Event-ID``. One that knows more than the register has (restored from a backup, or made anew) is told so by a
``reset`` and goes on from the newest change. Readings are not resumed but conflated: a slow listener gets the newest
of each station.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec

from serayu.api.errors import TooManyError
from serayu.api.snapshot import Audience, Snapshot
from serayu.api.views import change_view
from serayu.models.alert import AlertChange
from serayu.models.errors import StoreError

__all__ = ["Stream", "event"]

log = logging.getLogger(__name__)

REMEMBERED = 1000
PAGE = 200
RETRY_MS = 3000
RETRY_AFTER_S = 10
FAULT_POLLS = 10  # looks left out after a defect, so that it does not fill the log

ReadChanges = Callable[[int, int], Awaitable[Sequence[AlertChange]]]
ReadNewest = Callable[[], Awaitable[int]]
ReadSnapshot = Callable[[], Awaitable[Snapshot]]


class Stream:
    """Tells listeners what is new.

    Parameters
    ----------
    read_changes
        Returns alert changes after a number, at most so many.
    read_newest
        Returns the number of the newest alert change, 0 where there is none.
    read_snapshot
        Returns the newest snapshot.
    poll_s, heartbeat_s
        How often to look, and after how much silence to say so.
    clients_at_most
        Listeners at a time; one more is refused.
    """

    def __init__(
        self,
        read_changes: ReadChanges,
        read_newest: ReadNewest,
        read_snapshot: ReadSnapshot,
        *,
        poll_s: float,
        heartbeat_s: float,
        clients_at_most: int,
    ) -> None:
        self._read_changes = read_changes
        self._read_newest = read_newest
        self._read_snapshot = read_snapshot
        self._poll_s = poll_s
        self._heartbeat_s = heartbeat_s
        self._clients_at_most = clients_at_most
        self._recent: deque[AlertChange] = deque(maxlen=REMEMBERED)
        self._recent_after = 0
        self.last_id = 0
        self._resets = 0
        self._snapshot: Snapshot | None = None
        self._news = asyncio.Event()
        self._closing = False
        self._follower: asyncio.Task[None] | None = None
        self._fault = False
        self.clients = 0

    # -- the one who looks ----------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Begin to look for news, after the newest alert change."""
        self.last_id = self._recent_after = await self._read_newest()
        self._snapshot = await self._read_snapshot()
        self._follower = asyncio.create_task(self.follow(), name="serayu-api-stream")

    async def stop(self) -> None:
        """End every listener's stream and look no more."""
        self.close()
        if self._follower is not None:
            self._follower.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._follower

    @property
    def healthy(self) -> bool:
        """Whether news are looked for, and the last look succeeded."""
        return self._follower is not None and not self._follower.done() and not self._fault

    async def follow(self) -> None:
        """Look for news until cancelled; a store that does not answer is asked again, and no defect ends it."""
        while True:
            pause_s = self._poll_s
            try:
                await self.look()
                self._fault = False
            except StoreError as error:
                self._fault = True
                log.warning("the stream cannot read: %s", error)
            except Exception:
                self._fault = True
                pause_s *= FAULT_POLLS
                log.exception("the stream's look for news failed")
            await asyncio.sleep(pause_s)

    async def look(self) -> None:
        """Look once."""
        if not self.clients:
            # Nobody listens: remember nothing, so that the next listener starts from the register.
            return
        changes = await self._read_changes(self.last_id, PAGE)
        for change in changes:
            if len(self._recent) == REMEMBERED:
                self._recent_after = self._recent[0].id
            self._recent.append(change)
            self.last_id = change.id
        went_back = not changes and await self._went_back()
        snapshot = await self._read_snapshot()
        if changes or went_back or self._snapshot is None or snapshot.version != self._snapshot.version:
            self._snapshot = snapshot
            self._wake()

    async def _went_back(self) -> bool:
        """Say whether the register has lost changes that were told, and begin again after its newest if so."""
        newest = await self._read_newest()
        if newest >= self.last_id:
            return False
        log.warning("the register went back from change %d to %d", self.last_id, newest)
        self._recent.clear()
        self.last_id = self._recent_after = newest
        self._resets += 1
        return True

    def close(self) -> None:
        """End every listener's stream."""
        self._closing = True
        self._wake()

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    # -- the listeners --------------------------------------------------------------------------------------------

    def admit(self) -> None:
        """Ask for a listener's place.

        Raises
        ------
        TooManyError
            There is none left.
        """
        if self.clients >= self._clients_at_most:
            raise TooManyError("too many listeners", retry_after_s=RETRY_AFTER_S)

    async def listen(
        self, audience: Audience, last_event_id: int | None, *, allowed: Callable[[], Awaitable[bool]]
    ) -> AsyncIterator[bytes]:
        """Yield events for one listener, admitted before.

        Parameters
        ----------
        audience
            Whose stations' readings are told.
        last_event_id
            The last alert change that the listener knows; None for one that starts now.
        allowed
            Asked as often as heartbeats come; the stream ends when the listener may no longer listen.
        """
        self.clients += 1
        asked = time.monotonic()
        try:
            async with contextlib.aclosing(self._events(audience, last_event_id)) as events:
                async for said in events:
                    if time.monotonic() - asked >= self._heartbeat_s:
                        if not await allowed():
                            return
                        asked = time.monotonic()
                    yield said
        except StoreError as error:  # the listener comes back with the last number it has
            log.warning("a stream ends: %s", error)
        finally:
            self.clients -= 1

    async def _events(self, audience: Audience, last_event_id: int | None) -> AsyncGenerator[bytes, None]:
        sent: dict[str, object] = {}
        # Without a number: what came before is in the lists that the listener has just read.
        resets, newest_id = self._resets, await self._read_newest()
        position = newest_id if last_event_id is None else min(last_event_id, newest_id)
        snapshot = await self._read_snapshot()
        sent.update(snapshot.marks)
        yield b"retry: %d\n\n" % RETRY_MS + event("hello", snapshot.moment, number=position)
        if last_event_id is not None and last_event_id > position:
            yield event("reset", snapshot.moment, number=position)
        while not self._closing:
            news = self._news
            if resets != self._resets:
                resets = self._resets
                if position > self.last_id:
                    position = self.last_id
                    yield event("reset", snapshot.moment, number=position)
            async for change in self._changes_after(position):
                position = change.id
                yield event("alert", change_view(change), number=position)
            # What the listener has seen may be newer than what was last looked at for all.
            newest = self._snapshot
            if newest is not None and newest.made_at > snapshot.made_at:
                snapshot = newest
                if (update := _update(snapshot, audience, sent)) is not None:
                    yield event("latest", update)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(news.wait(), self._heartbeat_s)
                continue
            yield self._heartbeat()

    async def _changes_after(self, position: int) -> AsyncIterator[AlertChange]:
        if position >= self._recent_after:
            for change in list(self._recent):
                if change.id > position:
                    position = change.id
                    yield change
            return
        while changes := await self._read_changes(position, PAGE):
            for change in changes:
                position = change.id
                yield change

    def _heartbeat(self) -> bytes:
        alive = b": still here %d\n" % time.time()
        if not self.healthy:  # whoever does not look cannot say that there is no news
            return alive + b"\n"
        return alive + event("heartbeat", {"version": self._version()})

    def _version(self) -> str | None:
        return None if self._snapshot is None else self._snapshot.version


def event(name: str, data: Mapping[str, Any], *, number: int | None = None) -> bytes:
    r"""Return one server-sent event; one with a number can be resumed from.

    Examples
    --------
    >>> event("alert", {"to": "awas"}, number=7)
    b'event: alert\nid: 7\ndata: {"to":"awas"}\n\n'
    """
    head = f"event: {name}\n" + ("" if number is None else f"id: {number}\n")
    return head.encode() + b"data: " + msgspec.json.encode(data) + b"\n\n"


def _update(snapshot: Snapshot, audience: Audience, sent: dict[str, object]) -> dict[str, Any] | None:
    """Return the stations whose readings, level or silence changed since they were sent, and note them as sent."""
    changed = []
    for view in snapshot.views.values():
        mark = snapshot.marks[view.id]
        if sent.get(view.id) != mark:
            sent[view.id] = mark
            if audience.sees(view):
                changed.append(msgspec.Raw(snapshot.pieces[view.id]))
    if not changed:
        return None
    return {**snapshot.moment, "stations": changed}
