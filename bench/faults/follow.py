"""Watches the hot store's file while the campaign runs: since when do all stations' readings come in again?"""

import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing

from bench.faults.journal import journal_file, last_issued
from bench.faults.places import Places, Series

_POLL_S = 0.1


class Follower:
    """Reads the newest stored number of every datastream.

    Parameters
    ----------
    places, series
        What to watch.
    """

    def __init__(self, places: Places, series: list[Series]) -> None:
        self._places = places
        self._series = series
        self._seen = 0
        self._newest: dict[Series, int] = {}

    def issued(self) -> dict[Series, int]:
        """Return the newest number that each generator has issued."""
        return {
            each: last_issued(journal_file(self._places.journals, station=each.station, slug=each.slug))
            for each in self._series
        }

    def wait_for_all(self, beyond: Mapping[Series, int], *, timeout_s: float) -> float | None:
        """Wait until every datastream has a number stored that is higher; returns the seconds, None for never."""
        start = time.monotonic()
        while (waited := time.monotonic() - start) < timeout_s:
            self._look()
            if all(self._newest.get(each, 0) > number for each, number in beyond.items()):
                return waited
            time.sleep(_POLL_S)
        return None

    def forwarded(self, cursor: str) -> bool:
        """Tell whether a follower of the hot store has seen all of it."""
        with closing(self._open()) as database:
            (last,) = database.execute("SELECT value FROM meta WHERE name = 'last_id'").fetchone()
            row = database.execute("SELECT position FROM cursor WHERE name = ?", (cursor,)).fetchone()
        return row is not None and row[0] >= last

    def _look(self) -> None:
        statement = (
            "SELECT s.station, s.property, max(o.value), max(o.id) FROM observation o"
            " JOIN series s ON s.id = o.series WHERE o.id > ? GROUP BY 1, 2"
        )
        with closing(self._open()) as database:
            for station, slug, value, last in database.execute(statement, (self._seen,)).fetchall():
                series = Series(station, slug)
                self._newest[series] = max(self._newest.get(series, 0), round(value))
                self._seen = max(self._seen, last)

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{self._places.hot_store}?mode=ro", uri=True, timeout=10)
