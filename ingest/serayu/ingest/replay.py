"""Dead letters tried again, once what they died of is mended."""

from typing import NamedTuple

from serayu.ingest.decode import Message
from serayu.ingest.forwarder import REFUSED
from serayu.ingest.pipeline import Pipeline
from serayu.models.errors import CodecError
from serayu.models.reading import SeriesKey
from serayu.models.senml import decode_pack
from serayu.models.stores.dead_letters import KeptLetter
from serayu.models.stores.hot import HotStore
from serayu.models.times import US_PER_S, SystemClock
from serayu.models.topics import parse_topic

_PAGE = 500


class Replayed(NamedTuple):
    """What became of the letters.

    ``tried`` went through the pipeline: they are ``stored`` now or ``still_dead``. ``sent_again`` are observations
    that only the long store had refused: they are offered to it again. ``not_replayable`` were cut when they were
    kept, or are observations that retention has deleted since.
    """

    tried: int = 0
    stored: int = 0
    still_dead: int = 0
    sent_again: int = 0
    not_replayable: int = 0


def replay(store: HotStore, pipeline: Pipeline, *, reason: str | None = None) -> Replayed:
    """Try the letters that were not stored yet, in order of arrival.

    Parameters
    ----------
    store, pipeline
        Whose letters, and what stores them.
    reason
        Only letters of this reason.

    Raises
    ------
    StoreError
        The store is away; what was stored until then is marked as replayed.
    """
    stored = still_dead = sent_again = not_replayable = 0
    last_id, position = store.dead_letters.last_id(), 0  # a letter that dies again is not tried again
    while letters := store.dead_letters.list(limit=_PAGE, after_id=position, reason=reason):
        for letter in letters:
            if letter.id > last_id or letter.replayed_us is not None:
                continue
            if not letter.whole:
                not_replayable += 1
                continue
            if letter.reason == REFUSED:
                again = _send_again(store, letter)
                sent_again += again
                not_replayable += not again
            else:
                again = _store(pipeline, letter)
                stored += again
                still_dead += not again
            if again:
                store.dead_letters.mark_replayed(letter.id, SystemClock().now_us())
        position = letters[-1].id
    return Replayed(stored + still_dead, stored, still_dead, sent_again, not_replayable)


def _store(pipeline: Pipeline, letter: KeptLetter) -> bool:
    outcome = pipeline.process([Message(letter.topic, letter.payload, letter.first_received_us)])
    return bool(outcome.stored or outcome.duplicates)


def _send_again(store: HotStore, letter: KeptLetter) -> bool:
    """Offer a stored observation to the long store again; its letter is the forwarder's, with one absolute time."""
    try:
        place = parse_topic(letter.topic)
        (record,) = decode_pack(letter.payload)
    except (CodecError, ValueError):
        return False
    with store.transaction() as transaction:
        key = SeriesKey(place.region, place.station, place.leaf)
        return transaction.send_again(key, round((record.t or 0.0) * US_PER_S))
