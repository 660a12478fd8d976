"""Who is silent: the last status of every agent, and periods in which a datastream sent nothing."""

import logging
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from serayu.models.reading import SeriesKey
from serayu.models.stores.sqlite import ThreadConnections, translated

STATUS_BYTES = 64 * 1024  # an agent's is below one; whoever asks for the statuses reads all of them
_log = logging.getLogger(__name__)


class AgentStatus(NamedTuple):
    """The last status message of a station's agent, as it sent it."""

    region: str
    station: str
    received_us: int
    payload: bytes


class Silence(NamedTuple):
    """A period without readings; ``since_us`` is the last reading's time, 0 where there never was one."""

    id: int
    key: SeriesKey
    since_us: int
    noticed_us: int
    ended_us: int | None


class Silences:
    """Silent datastreams of a hot store."""

    def __init__(self, connections: ThreadConnections) -> None:
        self._connections = connections

    def put_status(self, status: AgentStatus) -> None:
        """Keep an agent's last status; one larger than `STATUS_BYTES` is left out with a warning."""
        if len(status.payload) > STATUS_BYTES:
            _log.warning(
                "status of %d bytes not kept; at most %d are",
                len(status.payload),
                STATUS_BYTES,
                extra={"station": status.station},
            )
            return
        self._run("INSERT OR REPLACE INTO agent_status VALUES (?, ?, ?, ?)", status)

    def statuses(self) -> list[AgentStatus]:
        """Return the last status of every agent."""
        return [
            AgentStatus(*row) for row in self._run("SELECT * FROM agent_status ORDER BY region, station", ())
        ]

    def begin(self, silent: Iterable[tuple[SeriesKey, int]], *, now_us: int) -> None:
        """Note that datastreams have fallen silent since their last reading."""
        self._run_all(
            "INSERT INTO silence (region, station, property, since, noticed) VALUES (?, ?, ?, ?, ?)",
            [(*key, since_us, now_us) for key, since_us in silent],
        )

    def end(self, keys: Iterable[SeriesKey], *, now_us: int) -> None:
        """Note that datastreams speak again."""
        self._run_all(
            "UPDATE silence SET ended = ? WHERE region = ? AND station = ? AND property = ? AND ended IS NULL",
            [(now_us, *key) for key in keys],
        )

    def open(self) -> list[Silence]:
        """Return the silences that go on."""
        return [_silence(row) for row in self._run(f"{_SELECT} WHERE ended IS NULL ORDER BY id", ())]

    def history(self, *, limit: int = 100) -> list[Silence]:
        """Return silences, the newest first."""
        return [_silence(row) for row in self._run(f"{_SELECT} ORDER BY id DESC LIMIT ?", (limit,))]

    def _run_all(self, statement: str, rows: Sequence[Sequence[object]]) -> None:
        """Run a statement for many rows in one transaction: a commit waits for the disk."""
        with translated(self._connections.path), self._connections.use() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                connection.executemany(statement, rows)
                connection.execute("COMMIT")
            except BaseException:
                connection.execute("ROLLBACK")
                raise

    def _run(self, statement: str, parameters: Sequence[object]) -> list[tuple]:  # type: ignore[type-arg]
        with translated(self._connections.path), self._connections.use() as connection:
            return connection.execute(statement, parameters).fetchall()


_SELECT = "SELECT id, region, station, property, since, noticed, ended FROM silence"


def _silence(row: tuple) -> Silence:  # type: ignore[type-arg]
    return Silence(row[0], SeriesKey(*row[1:4]), row[4], row[5], row[6])
