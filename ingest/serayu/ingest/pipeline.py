"""From messages to committed observations, in one transaction; knows nothing of MQTT."""

from collections.abc import Sequence

import msgspec

from serayu.ingest.acks import Ack, AckBook
from serayu.ingest.clock import IngestClock
from serayu.ingest.decode import Decoder, Message, Refused, reading_letter
from serayu.ingest.qualify import Qualifier
from serayu.models.reading import Observation, Reading, SeriesKey
from serayu.models.region import Region
from serayu.models.stores.dead_letters import DeadLetter
from serayu.models.stores.hot import HotStore
from serayu.models.stores.hot_transaction import HotTransaction, Verdict
from serayu.models.times import US_PER_MINUTE

LATE_AFTER_US = 30 * US_PER_MINUTE
_CONFLICTS = {
    Verdict.IDENTITY_CONFLICT: "this (station, oid, seq) is stored with another value or time",
    Verdict.TIME_CONFLICT: "another reading of this datastream is stored for this time",
    Verdict.CLOSED_HOUR: "the readings of this hour were deleted by retention: nothing can be added to it",
}


class Outcome(msgspec.Struct):
    """What became of a batch, true once `Pipeline.process` has returned."""

    acks: list[Ack]
    stored: int
    duplicates: int
    rejected: int
    undecodable: int
    late: int
    newest: dict[SeriesKey, Observation]
    first_reason: str | None = None


class Pipeline:
    """Decodes, qualifies and commits batches of messages.

    Parameters
    ----------
    store, region, clock
        Where to, whose stations, which time.
    decoder
        Its limits; by default those of `Decoder`.
    late_after_us
        Older readings are stored and never alert.
    """

    def __init__(
        self,
        store: HotStore,
        region: Region,
        clock: IngestClock,
        *,
        decoder: Decoder | None = None,
        late_after_us: int = LATE_AFTER_US,
    ) -> None:
        self._store = store
        self._clock = clock
        self._decoder = decoder or Decoder(region)
        self._late_after_us = late_after_us
        self._qualifier = Qualifier(store, region)

    def process(self, messages: Sequence[Message]) -> Outcome:
        """Commit a batch; after an error nothing of it is stored and it may be processed again.

        Raises
        ------
        StoreError
            The store did not take it.
        """
        readings, refused, letters = self._decode(messages)
        book = AckBook()
        received_us = messages[-1].received_us if messages else 0
        try:
            with self._store.transaction() as transaction:
                readings, verdicts = _with_free_times(readings, transaction)
                new = [r for r, verdict in zip(readings, verdicts, strict=True) if verdict is Verdict.NEW]
                late = [self._is_late(reading) for reading in new]
                observations, revisions = self._qualifier.qualify(new, received_us=received_us, late=late)
                transaction.insert(observations)
                transaction.revise(revisions)
                conflicts = _report(readings, verdicts, transaction, book, received_us=received_us)
                dead = [*letters, *(r.letter for r in refused), *conflicts]
                transaction.add_dead_letters(dead)
        except BaseException:
            self._qualifier.forget()
            raise
        for one in refused:
            reason = f"{one.letter.reason}: {one.letter.detail}"
            book.rejected(one.topic.region, one.topic.station, one.oid, one.seq, reason)
        return Outcome(
            acks=book.acks(),
            stored=len(new),
            duplicates=sum(verdict is Verdict.DUPLICATE for verdict in verdicts),
            rejected=len(refused) + len(conflicts),
            undecodable=len(letters),
            late=sum(late),
            newest={observation.key: observation for observation in observations},
            first_reason=f"{dead[0].reason}: {dead[0].detail}" if dead else None,
        )

    def _decode(self, messages: Sequence[Message]) -> tuple[list[Reading], list[Refused], list[DeadLetter]]:
        readings: list[Reading] = []
        refused: list[Refused] = []
        letters: list[DeadLetter] = []
        decode, now_us = self._decoder.decode, self._clock.now_us()
        for message in messages:
            decoded = decode(message, now_us=now_us)
            readings.extend(decoded.readings)
            refused.extend(decoded.refused)
            if decoded.undecodable is not None:
                letters.append(decoded.undecodable)
        return readings, refused, letters

    def _is_late(self, reading: Reading) -> bool:
        self._clock.observe(reading)
        return self._clock.station_now_us(reading.key) - reading.t_us > self._late_after_us


def _with_free_times(
    readings: Sequence[Reading], transaction: HotTransaction
) -> tuple[list[Reading], list[Verdict]]:
    """Classify readings; a time that we assign gives way to one that is taken, microsecond by microsecond.

    What piles up in a broker without a clock of its own comes at one moment, so assigned times lie close together.
    """
    timed = list(readings)
    verdicts = transaction.classify(timed)
    for place, verdict in enumerate(verdicts):
        while verdict is Verdict.TIME_CONFLICT and not timed[place].clock_ok:
            timed[place] = msgspec.structs.replace(timed[place], t_us=timed[place].t_us + 1)
            (verdict,) = transaction.classify([timed[place]])  # noqa: PLW2901 -- until it fits
        verdicts[place] = verdict
    return timed, verdicts


def _report(
    readings: Sequence[Reading],
    verdicts: Sequence[Verdict],
    transaction: HotTransaction,
    book: AckBook,
    *,
    received_us: int,
) -> list[DeadLetter]:
    """Note the fate of every reading; return the letters of those that contradict what is stored."""
    letters = []
    for reading, verdict in zip(readings, verdicts, strict=True):
        region, station, _ = reading.key
        detail = _CONFLICTS.get(verdict)
        if detail is not None:
            letters.append(reading_letter(reading, verdict.value, detail, received_us))
            book.rejected(region, station, reading.oid, reading.seq, f"{verdict.value}: {detail}")
            continue
        book.ok(region, station, reading.oid, reading.seq)
        if not reading.clock_ok:
            stored_us = transaction.stored_time(reading) if verdict is Verdict.DUPLICATE else reading.t_us
            book.assigned(region, station, reading.oid, reading.seq, stored_us or reading.t_us)
    return letters
