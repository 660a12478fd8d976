"""The account of a run: what the outboxes accepted against what the stores hold, read from their files."""

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from serayu.edge.agent import OUTBOX_FILE
from serayu.edge.progress import read_progress
from serayu.models.alert import AlertChange
from serayu.models.delivery.delivery import DeliveryState
from serayu.models.stores.hot import HotStore
from serayu.models.stores.register import Register
from serayu.models.stores.register.database import sqlite_url
from serayu.models.times import rfc3339

EVALUATOR, BULLETINS = "alerts", "bulletins"


class Account(NamedTuple):
    """Readings by fate, dead letters by reason, changes of level by station.

    ``lost`` are accepted readings that are neither stored nor rejected; ``duplicates`` rows beyond one for an
    identity. ``alerts`` are changes of level, ``confirmations`` what was learnt about a level that stayed.
    """

    published: int
    stored: int
    lost: int
    duplicates: int
    rejected: int
    dead_letters: dict[str, int]
    alerts: dict[str, list[dict[str, object]]]
    confirmations: dict[str, list[dict[str, object]]]
    evaluated: bool


def take_account(data: Path, region: str, states: Mapping[str, Path]) -> Account:
    """Compare the outboxes of some agents with the stores in a data folder.

    Parameters
    ----------
    data
        Folder of the hot store and the register.
    region
        Region code.
    states
        Station → state folder of its agent.
    """
    hot = data / "hot.sqlite"
    published = rejected = lost = 0
    for station, state in states.items():
        progress = read_progress(state / OUTBOX_FILE)
        published += progress.accepted
        rejected += progress.rejected
        lost += progress.accepted - progress.rejected - _stored(hot, region, station, state / OUTBOX_FILE)
    with HotStore(hot) as store, Register(sqlite_url(data / "register.sqlite")) as register:
        changes = register.changes_after(0, region=region, limit=100_000)
        position = register.evaluator_snapshot(region, EVALUATOR).position
        return Account(
            published=published,
            stored=store.count(),
            lost=lost,
            duplicates=_duplicates(hot),
            rejected=rejected,
            dead_letters=store.dead_letters.counts(),
            alerts=_by_station(change for change in changes if change.before is not change.after),
            confirmations=_by_station(change for change in changes if change.before is change.after),
            evaluated=_evaluated(store, position),
        )


def settled_deliveries(data: Path, region: str) -> bool:
    """Say whether every recorded change of an alert has been told, and no delivery waits or is under way."""
    with HotStore(data / "hot.sqlite") as store, Register(sqlite_url(data / "register.sqlite")) as register:
        told = store.cursor(BULLETINS) >= register.last_change_id()
        return told and register.delivery_counts(region)[DeliveryState.QUEUED] == 0


def _evaluated(store: HotStore, position: int) -> bool:
    """Say whether no level of a river post lies behind the evaluator's durable position."""
    while news := store.changes(position, limit=5000):
        if any(change.observation.key.property == "stage" for change in news):
            return False
        position = news[-1].id
    return True


def _stored(hot: Path, region: str, station: str, outbox: Path) -> int:
    """Count the stored identities of one outbox; unique ones, so none can stand in for another."""
    with closing(sqlite3.connect(f"file:{outbox}?mode=ro", uri=True)) as link:
        (oid,) = link.execute("SELECT value FROM meta WHERE key = 'oid'").fetchone()
    query = (
        "SELECT count(DISTINCT seq) FROM observation WHERE outbox ="
        " (SELECT id FROM outbox WHERE region = ? AND station = ? AND oid = ?)"
    )
    with closing(sqlite3.connect(f"file:{hot}?mode=ro", uri=True)) as link:
        return int(link.execute(query, (region, station, oid)).fetchone()[0])


def _duplicates(hot: Path) -> int:
    """Count rows beyond the first of each identity and of each time of a datastream."""
    with closing(sqlite3.connect(f"file:{hot}?mode=ro", uri=True)) as link:
        (identities,) = link.execute(
            "SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) n FROM observation GROUP BY outbox, seq)"
        ).fetchone()
        (times,) = link.execute(
            "SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) n FROM observation GROUP BY series, t)"
        ).fetchone()
    return int(identities + times)


def _by_station(changes: Iterable[AlertChange]) -> dict[str, list[dict[str, object]]]:
    found: dict[str, list[dict[str, object]]] = {}
    for change in changes:
        found.setdefault(change.station, []).append(
            {
                "at": rfc3339(change.at_us),
                "from": change.before.value,
                "to": change.after.value,
                "reason": change.reason.value,
                "level_m": change.level_m,
                "verified": change.verified,
            }
        )
    return found
