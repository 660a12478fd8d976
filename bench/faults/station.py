"""One station of the campaign: its agent, its clock, its cards."""

import json
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from bench.faults.clock import VARIABLE, set_ahead, start_anew
from bench.faults.journal import FOUND, Journal, journal_file
from bench.faults.places import REGION, Places
from bench.faults.processes import Process

INTERVAL_S = 0.05
_HEAD = """\
region = "{region}"
station = {station}
state = {card}
heartbeat_s = 5
grace_s = 1
exit_when_done = true

[broker]
port = {port}
keepalive_s = 5
connect_timeout_s = 2

[uplink]
ack_timeout_s = 2
ack_timeout_max_s = 8
backoff_s = 0.3
backoff_max_s = 2

[clock]
mode = "trust"
settle_s = 1
source = "bench.faults.clock:JumpingSource"
"""
_NUMBERED = """
[[driver]]
kind = "bench.faults.numbered:Numbered"
property = "{slug}"
interval_s = {interval_s}
[driver.options]
log = {log}
stop = {stop}
"""
_SILENT = """
[[driver]]
kind = "bench.faults.numbered:Silent"
interval_s = 0.1
"""


class Station:
    """An agent that can be killed, whose clock can be set and whose card can be swapped.

    Parameters
    ----------
    name, slugs
        Station id and its properties.
    places, broker_port
        Where it keeps its files and sends its readings.
    """

    def __init__(self, name: str, slugs: Sequence[str], *, places: Places, broker_port: int) -> None:
        self.name = name
        self.slugs = tuple(slugs)
        self._places = places
        self._port = broker_port
        self._home = places.agents / name
        self._home.mkdir()
        self._card = 0
        self._clock = self._home / "clock.json"
        self.process = self._agent("agent", self._card, self._drivers())

    def kill(self) -> None:
        """SIGKILL the agent and note what its outbox holds."""
        self.process.kill()
        self._note_found()

    def stop(self) -> None:
        """SIGTERM the agent."""
        self.process.stop()
        self._note_found()

    def end(self) -> None:
        """SIGKILL whichever agent runs; nothing is noted any more."""
        self.process.kill()

    def start_device(self) -> None:
        """Start as after a power cut: the time since start from zero (set the wall clock with `set_ahead`)."""
        start_anew(self._clock)
        self.process.start()

    def set_ahead(self, ahead_us: int) -> None:
        """Let the device's wall clock run ahead of the true time."""
        set_ahead(self._clock, ahead_us)

    def swap_card(self, *, kill: bool) -> None:
        """Take the card out and put an empty one in."""
        (self.kill if kill else self.stop)()
        self._card += 1
        self.process = self._agent("agent", self._card, self._drivers())
        self.process.start()

    def leftover_cards(self) -> list[int]:
        """Return the cards taken out that still hold unconfirmed readings."""
        return [number for number in range(self._card) if self._held(self._places.card(self.name, number))]

    def drain_agent(self, card: int) -> Process:
        """Return an agent that sends what a card still holds and adds nothing."""
        return self._agent(f"drain-{card}", card, _SILENT)

    def unconfirmed(self) -> int:
        """Return how many readings all cards hold unconfirmed."""
        return sum(len(self._held(card)) for card in self._places.cards(self.name))

    def _note_found(self) -> None:
        held = self._held(self._places.card(self.name, self._card))
        for slug in self.slugs:
            journal = Journal(journal_file(self._places.journals, station=self.name, slug=slug))
            for held_slug, value in held:
                if held_slug == slug:
                    journal.note(FOUND, round(value))
            journal.close()

    def _held(self, card: Path) -> list[tuple[str, float]]:
        file = card / "outbox.db"
        if not file.exists():
            return []
        # Opened for writing: after SIGKILL the write-ahead log may have to be recovered.
        with closing(sqlite3.connect(file, timeout=5)) as database:
            found = database.execute("SELECT name FROM sqlite_master WHERE name = 'outbox'").fetchone()
            return database.execute("SELECT property, value FROM outbox").fetchall() if found else []

    def _drivers(self) -> str:
        return "".join(
            _NUMBERED.format(
                slug=slug,
                interval_s=INTERVAL_S,
                log=_text(journal_file(self._places.journals, station=self.name, slug=slug)),
                stop=_text(self._places.stop),
            )
            for slug in self.slugs
        )

    def _agent(self, name: str, card: int, drivers: str) -> Process:
        head = _HEAD.format(
            region=REGION,
            station=_text(self.name),
            card=_text(self._places.card(self.name, card)),
            port=self._port,
        )
        config = self._home / f"{name}.toml"
        config.write_text(head + drivers, encoding="utf-8")
        return Process(
            f"agent {self.name}",
            [sys.executable, "-m", "serayu.edge.agent", str(config)],
            log=self._places.logs / f"{self.name}.log",
            environment={VARIABLE: str(self._clock)},
        )


def _text(value: object) -> str:
    """Return a TOML string: JSON's form is one."""
    return json.dumps(str(value))
