"""What InfluxDB holds, asked by plain InfluxQL over HTTP: none of the code under test takes part."""

import json
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator

from bench.faults.places import Series

_TIMEOUT_S = 120.0


def stored_points(
    url: str, database: str, series: Iterable[Series]
) -> Iterator[tuple[str, str, int, float | None]]:
    """Yield station, property, time (microseconds UTC) and value of every point."""
    for station, slug in series:
        query = (
            f"SELECT \"flag\", \"value\" FROM observation WHERE station = '{station}' AND property = '{slug}'"  # noqa: S608
        )
        fields = urllib.parse.urlencode({"db": database, "q": query, "epoch": "ns"})
        with urllib.request.urlopen(f"{url}/query?{fields}", timeout=_TIMEOUT_S) as response:  # noqa: S310 -- http
            answer = json.load(response)
        for found in answer["results"][0].get("series", ()):
            for time_ns, _flag, value in found["values"]:
                yield station, slug, time_ns // 1000, None if value is None else float(value)
