"""Folders and names of one campaign; what it writes and what its counter reads."""

import json
from pathlib import Path
from typing import NamedTuple

REGION = "99.77"
EXTRA_RAIN_EVERY = 2  # every second station has a rain gauge beside its stage


class Series(NamedTuple):
    """A datastream of the campaign."""

    station: str
    slug: str


class Places:
    """Where everything lies below one folder."""

    def __init__(self, work: Path) -> None:
        self.work = work.resolve()
        self.region = self.work / "region"
        self.journals = self.work / "generator"
        self.data = self.work / "data"
        self.logs = self.work / "logs"
        self.agents = self.work / "agents"
        self.stop = self.work / "stop"
        self.proxy_log = self.work / "proxy.log"
        self.ready = self.work / "ingest.ready"

    @property
    def hot_store(self) -> Path:
        return self.data / "hot.sqlite"

    def make(self) -> None:
        for folder in (self.region, self.journals, self.data, self.logs, self.agents):
            folder.mkdir(parents=True)

    def cards(self, station: str) -> list[Path]:
        """Return a station's cards in the order of their use."""
        return sorted(
            self.agents.glob(f"{station}/card-*"), key=lambda path: int(path.name.partition("-")[2])
        )

    def card(self, station: str, number: int) -> Path:
        return self.agents / station / f"card-{number}"


def series_of(agents: int) -> list[Series]:
    """Return the datastreams of so many stations."""
    found = []
    for number in range(1, agents + 1):
        station = f"pos-{number:02d}"
        found.append(Series(station, "stage"))
        if number % EXTRA_RAIN_EVERY == 0:
            found.append(Series(station, "rain"))
    return found


def write_region(places: Places, series: list[Series]) -> None:
    """Write a region whose stations are invented and have no limits: numbers are no water levels."""
    places.region.joinpath("region.toml").write_text(
        f'code = "{REGION}"\nname = "Uji gangguan"\nsource = "bench.faults, invented"\n', encoding="utf-8"
    )
    features = []
    for place, station in enumerate(dict.fromkeys(each.station for each in series)):
        slugs = [each.slug for each in series if each.station == station]
        properties = {
            "id": station,
            "name": station,
            "kind": "river",
            "source": "bench.faults, invented",
            "invented": True,
            "datastreams": [{"property": slug, "interval_s": 1} for slug in slugs],
        }
        geometry = {"type": "Point", "coordinates": [109.0 + 0.01 * place, -7.4]}
        features.append({"type": "Feature", "geometry": geometry, "properties": properties})
    places.region.joinpath("stations.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8"
    )
