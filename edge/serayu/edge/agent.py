"""One agent: a station's drivers, outbox and uplink in one process.

``python -m serayu.edge.agent CONFIG.toml``
"""

import logging
import math
import queue
import signal
import sys
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from serayu.edge import status
from serayu.edge.clock import make_clock
from serayu.edge.config import AgentConfig, credentials, load_config
from serayu.edge.delivery import Delivery
from serayu.edge.downlink import Downlink
from serayu.edge.drivers.driver import Setup
from serayu.edge.drivers.registry import make_driver
from serayu.edge.notify import Notifier
from serayu.edge.outbox import Outbox, Stamped
from serayu.edge.packs import decode_ack, make_packs
from serayu.edge.sampler import Sampler, Scheduled
from serayu.edge.uplink import Connected, Event, Received, Stop, Uplink
from serayu.models import logs
from serayu.models.errors import CodecError, SerayuError, StoreError
from serayu.models.times import US_PER_S

if TYPE_CHECKING:
    from serayu.edge.siren import Siren

__all__ = ["OUTBOX_FILE", "Agent", "main"]

OUTBOX_FILE, REMOTE_FILE = "outbox.db", "remote-config.json"
_UNSTORED_MAX = 1_000  # readings held in memory while the outbox's file cannot be written
_CLOCK_CHECK_S = 10.0
_STORE_RETRY_S = 1.0
_WAIT_MAX_S = 10.0
_log = logging.getLogger(__name__)


class Agent:
    """Everything that runs on one station; one thread does it all, paho's network thread only fills the queue.

    Parameters
    ----------
    config
        The station.
    file
        Where the settings came from, for messages.

    Raises
    ------
    BadInputError
        A driver's settings are wrong, or the password or certificate file cannot be read.
    StoreError
        The outbox cannot be opened.
    """

    def __init__(self, config: AgentConfig, *, file: Path | None = None) -> None:
        self._config = config
        self._clock = make_clock(config.clock)
        self._clock.check()
        self._was_good = self._clock.good
        boot_id = self._clock.source.boot_id()
        self._outbox = Outbox(config.state / OUTBOX_FILE, config=config.outbox, boot_id=boot_id)
        self._boot_id = boot_id
        self._unstored: deque[Stamped] = deque(maxlen=_UNSTORED_MAX)
        self._store_fault: str | None = None
        self._overflow = 0
        self._delivery = Delivery(self._outbox, config=config.uplink, boot_us=self._clock.source.boot_us)
        self._sampler = Sampler(self._schedule(file), clock=self._clock)
        properties = [driver.property for driver in config.drivers if driver.property is not None]
        self._downlink = Downlink(config.state / REMOTE_FILE, properties=properties)
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._uplink = Uplink(
            config, credentials=credentials(config), events=self._events, will=status.OFFLINE
        )
        self._siren = self._make_siren(file)
        self._notifier = Notifier()
        self._started_s = time.monotonic()
        self._rate = status.RateMeter(self._started_s)
        self._first_seq = self._outbox.last_seq
        self._heartbeat_s = self._clock_s = self._watchdog_s = self._send_s = -math.inf
        self._ingest_ahead_us: int | None = None
        self._statuses = 0
        self._stop_by_s: float | None = None
        self._apply_remote()

    def stop(self) -> None:
        """Ask the agent to end (safe from a signal handler)."""
        self._events.put(Stop())

    def run(self) -> None:
        """Work until asked to stop, or until all is done where the settings say so."""
        self._notifier.tell("READY=1")
        try:
            while True:
                now_s = time.monotonic()
                self._step(now_s)
                if self._finished():
                    break
                self._wait(now_s)
        finally:
            self._close()

    def _step(self, now_s: float) -> None:
        """Do everything that is due."""
        if now_s >= self._clock_s:
            self._look_at_clock(now_s)
        if self._stop_by_s is None:
            samples = self._sampler.tick(now_s)
            if self._siren is not None:  # before the outbox, which a full card may stop
                self._siren.take(samples)
            self._store(samples, now_s)
        if self._siren is not None:
            self._tend_siren(self._siren)
        self._uplink.tend(now_s)
        if self._uplink.connected:
            if now_s >= self._send_s:
                self._send(now_s)
            if now_s >= self._heartbeat_s:
                self._beat(now_s)
        if self._notifier.period_s is not None and now_s >= self._watchdog_s:
            self._notifier.tell("WATCHDOG=1")
            self._watchdog_s = now_s + self._notifier.period_s

    def _wait(self, now_s: float) -> None:
        """Sleep until something is due or happens, then take all that has happened."""
        due_s = min(self._clock_s, self._uplink.next_due_s(), now_s + _WAIT_MAX_S)
        due_s = min(due_s, self._sampler.next_due_s() if self._stop_by_s is None else self._stop_by_s)
        if self._uplink.connected:
            send_s = now_s if self._delivery.has_fresh() else self._delivery.next_due_s()
            due_s = min(due_s, self._heartbeat_s, max(send_s, self._send_s))
        if self._notifier.period_s is not None:
            due_s = min(due_s, self._watchdog_s)
        siren_us = None if self._siren is None else self._siren.next_due_us()
        if siren_us is not None:
            due_s = min(due_s, now_s + (siren_us - self._clock.source.boot_us()) / US_PER_S)
        wait_s = max(0.0, due_s - time.monotonic())
        try:
            event = self._events.get(timeout=wait_s)
            while True:
                self._take(event, time.monotonic())
                event = self._events.get_nowait()
        except queue.Empty:
            return

    def _take(self, event: Event, now_s: float) -> None:
        if isinstance(event, Stop):
            if self._stop_by_s is None:
                self._stop_by_s = now_s + self._config.grace_s
                self._notifier.tell("STOPPING=1")
                self._store(self._sampler.close(), now_s)
        elif isinstance(event, Received):
            self._receive(event, now_s)
        elif self._uplink.handle(event, now_s) and isinstance(event, Connected):
            self._delivery.restart(now_s)
            self._heartbeat_s = now_s

    def _receive(self, message: Received, now_s: float) -> None:
        if message.leaf == "config":
            if self._downlink.offer(message.payload):
                self._apply_remote()
            self._heartbeat_s = now_s
            return
        if message.leaf == "bulletin":
            if self._siren is not None:
                self._siren.hear(message.payload, alert=message.alert)
            return
        try:
            ack = decode_ack(message.payload)
        except CodecError as error:
            _log.warning("an answer of ingest was not understood: %s", error)
            return
        try:
            settled = self._delivery.settle(ack, now_s)
        except StoreError as error:
            self._note_store_fault(error)  # what was not noted as confirmed is sent and confirmed again
            return
        if ack.now is not None:
            self._ingest_ahead_us = ack.now - self._clock.source.wall_us()
        if settled.renumbered:
            _log.warning("ingest knows the numbers of %d readings; they get new ones", settled.renumbered)
        if settled.rejected:
            _log.warning("ingest refuses %d readings: %s", settled.rejected, ack.rejected[0].reason)

    def _store(self, samples: list[Stamped], now_s: float) -> None:
        """Put readings into the outbox; those that a full or failing card does not take wait in memory."""
        if not samples and not self._unstored:
            return
        waiting = [*self._unstored, *samples]
        try:
            self._outbox.append(waiting)
        except StoreError as error:
            self._note_store_fault(error)
            self._overflow += max(0, len(self._unstored) + len(samples) - _UNSTORED_MAX)
            self._unstored.extend(samples)
            return
        self._unstored.clear()
        self._store_fault = None
        self._rate.note(now_s, self._outbox.last_seq - self._first_seq)

    def _note_store_fault(self, error: StoreError) -> None:
        if self._store_fault is None:
            _log.error("the outbox cannot be used: %s", error)
        self._store_fault = str(error)

    def _send(self, now_s: float) -> None:
        try:
            readings = self._delivery.take(now_s)
        except StoreError as error:
            self._note_store_fault(error)
            self._send_s = now_s + _STORE_RETRY_S
            return
        packs = make_packs(
            readings,
            region=self._config.region,
            station=self._config.station,
            oid=self._outbox.oid,
            pack_max=self._config.uplink.pack_max,
            age_us=self._delivery.age_us,
        )
        for pack in packs:
            self._uplink.publish(pack.topic, pack.payload)

    def _look_at_clock(self, now_s: float) -> None:
        self._clock_s = now_s + _CLOCK_CHECK_S
        self._clock.check()
        offset_us = self._clock.offset_us
        if offset_us is None:
            self._was_good = False
            return
        try:
            if not self._was_good:
                _log.info("the clock is good; %d readings get their time", self._outbox.restamp(offset_us))
            self._outbox.drop_old(boot_us=self._clock.source.boot_us())
        except StoreError as error:
            self._note_store_fault(error)
            return
        self._was_good = True

    def _beat(self, now_s: float) -> None:
        self._heartbeat_s = now_s + self._config.heartbeat_s
        self._statuses += 1
        self._uplink.publish(
            self._uplink.topic("status"), msgspec.json.encode(self._status(now_s)), retain=True
        )

    def _status(self, now_s: float) -> dict[str, object]:
        backlog = self._backlog()  # first: it may find out that the outbox cannot be used
        return {
            "online": True,
            "version": status.program_version(),
            "oid": self._outbox.oid,
            "boot_id": self._boot_id,
            "uptime_s": round(now_s - self._started_s, 1),
            "sequence": self._statuses,
            "last_seq": self._outbox.last_seq,
            "clock": status.clock_status(self._clock, ingest_ahead_us=self._ingest_ahead_us),
            "backlog": backlog,
            "on_the_way": self._delivery.on_the_way,
            "resent": self._delivery.resent,
            "store_fault": self._store_fault,
            "unstored": len(self._unstored),
            "overflow": self._overflow,
            "drivers": self._sampler.status(),
            "config": self._downlink.status(),
            **({} if self._siren is None else {"siren": self._siren.status()}),
        }

    def _backlog(self) -> dict[str, object]:
        """Return the state of the outbox; with a card that cannot be read, what is known without its file."""
        try:
            self._outbox.give_space_back()
            return status.backlog_status(
                self._outbox,
                clock=self._clock,
                max_bytes=self._config.outbox.max_bytes,
                rate_per_s=self._rate.per_s(),
            )
        except StoreError as error:
            self._note_store_fault(error)
            return {"count": self._outbox.backlog, **self._outbox.counters()}

    def _finished(self) -> bool:
        empty = self._outbox.backlog == 0 and not self._unstored
        if self._stop_by_s is not None:
            return empty or not self._uplink.connected or time.monotonic() >= self._stop_by_s
        return self._config.exit_when_done and self._sampler.done and empty

    def _close(self) -> None:
        if self._stop_by_s is None:
            self._store(self._sampler.close(), time.monotonic())
        if self._siren is not None:
            self._siren.close()
        self._uplink.close(status.farewell("stopped"), timeout_s=self._config.grace_s)
        self._outbox.close()

    def _make_siren(self, file: Path | None) -> "Siren | None":
        if self._config.siren is None:
            return None
        from serayu.edge.relay import make_relay  # noqa: PLC0415 -- a station without a siren does not carry one
        from serayu.edge.siren import Siren  # noqa: PLC0415 -- the same

        return Siren(
            self._config.siren,
            relay=make_relay(self._config.siren, file=file),
            station=self._config.station,
            folder=self._config.state,
            boot_id=self._boot_id,
            boot_us=self._clock.source.boot_us(),
        )

    def _tend_siren(self, siren: "Siren") -> None:
        wall_us = self._clock.source.wall_us() if self._clock.good else None
        siren.tend(self._clock.source.boot_us(), wall_us=wall_us)

    def _apply_remote(self) -> None:
        if self._downlink.current is not None:
            self._sampler.set_intervals(self._downlink.current.interval_s, time.monotonic())

    def _room(self) -> int:
        return max(0, self._config.backpressure - self._outbox.backlog - len(self._unstored))

    def _schedule(self, file: Path | None) -> list[Scheduled]:
        marks = self._outbox.marks()
        scheduled: list[Scheduled] = []
        for number, config in enumerate(self._config.drivers):
            name = f"{number}-{config.kind}"
            setup = Setup(
                station=self._config.station,
                property=config.property,
                resume_after=marks.get(name, 0),
                room=self._room,
                wall_us=self._clock.source.wall_us,
                boot_us=self._clock.source.boot_us,
            )
            driver = make_driver(config, setup, field=f"driver[{number}]", file=file)
            scheduled.append(Scheduled(name, driver, config.property, config.interval_s))
        return scheduled


def main(arguments: list[str]) -> int:
    """Run the agent of one file; returns the process's exit status."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m serayu.edge.agent CONFIG.toml\n")
        return 2
    return run_file(Path(arguments[0]))


def run_file(file: Path) -> int:
    """Run the agent of one file until it is done or told to stop by SIGTERM or SIGINT.

    Returns
    -------
    int
        0 after a clean end, 2 when the settings are wrong, 1 when the outbox cannot be opened (another try may
        succeed); both with one line on stderr.
    """
    logs.configure()
    try:
        agent = Agent(load_config(file), file=file)
    except SerayuError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1 if isinstance(error, StoreError) else 2
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: agent.stop())
    agent.run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
