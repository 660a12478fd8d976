"""Drivers of the campaign: one that counts, and one that has nothing to say."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import msgspec

from bench.faults.journal import ACCEPTED, ISSUED, Journal, read_journal
from serayu.edge.drivers.driver import EndOfData, Sample, Setup
from serayu.models.properties import observed_property


class NumberedOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the log is kept, and the file whose appearance ends the series."""

    log: str
    stop: str


class Numbered:
    """Each value is the next whole number; after a crash it goes on behind the last one issued."""

    Options: ClassVar[type[msgspec.Struct]] = NumberedOptions

    def __init__(self, options: NumberedOptions, setup: Setup) -> None:
        if setup.property is None:
            raise ValueError("the numbered driver needs a property")
        self._observed = observed_property(setup.property)
        self._stop = Path(options.stop)
        self._number = max(read_journal(Path(options.log)).issued, default=0)
        self._journal = Journal(Path(options.log))
        self._handed_over: int | None = None

    def read(self) -> Sequence[Sample]:
        self._note_accepted()
        if self._stop.exists():
            raise EndOfData
        self._number += 1
        self._journal.note(ISSUED, self._number)
        self._handed_over = self._number
        return [Sample(self._observed.slug, float(self._number), self._observed.unit)]

    def close(self) -> Sequence[Sample]:
        self._note_accepted()
        self._journal.close()
        return ()

    def _note_accepted(self) -> None:
        if self._handed_over is not None:
            self._journal.note(ACCEPTED, self._handed_over)
            self._handed_over = None


class NoOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to choose."""


class Silent:
    """Has come to its end: the agent only sends what its outbox still holds."""

    Options: ClassVar[type[msgspec.Struct]] = NoOptions

    def __init__(self, options: NoOptions, setup: Setup) -> None:
        del options, setup

    def read(self) -> Sequence[Sample]:
        raise EndOfData

    def close(self) -> Sequence[Sample]:
        return ()
