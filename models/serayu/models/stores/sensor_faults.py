"""Which sensors seem to be at fault at present: ingest judges, the api shows."""

from collections.abc import Iterable
from typing import NamedTuple

from serayu.models.stores.sqlite import ThreadConnections, translated


class StandingFault(NamedTuple):
    """A fault of a station's level sensor; ``kind`` is one of `serayu.models.quality.sensor_alarm.SensorFault`."""

    region: str
    station: str
    kind: str
    since_us: int


class SensorFaultLog:
    """Standing sensor faults of a hot store."""

    def __init__(self, connections: ThreadConnections) -> None:
        self._connections = connections

    def change(self, *, begin: Iterable[StandingFault] = (), end: Iterable[StandingFault] = ()) -> None:
        """Note faults that begin and forget those that end, in one transaction; one that stands keeps its begin."""
        with translated(self._connections.path), self._connections.use() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                connection.executemany(
                    "DELETE FROM sensor_fault WHERE region = ? AND station = ? AND kind = ?",
                    [one[:3] for one in end],
                )
                connection.executemany("INSERT OR IGNORE INTO sensor_fault VALUES (?, ?, ?, ?)", list(begin))
                connection.execute("COMMIT")
            except BaseException:
                connection.execute("ROLLBACK")
                raise

    def standing(self, region: str) -> list[StandingFault]:
        """Return the faults of a region's sensors, by station, the oldest first."""
        with translated(self._connections.path), self._connections.use() as connection:
            rows = connection.execute(
                "SELECT region, station, kind, since FROM sensor_fault WHERE region = ?"
                " ORDER BY station, since, kind",
                (region,),
            ).fetchall()
        return [StandingFault(*row) for row in rows]
