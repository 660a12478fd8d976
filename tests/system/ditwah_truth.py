"""Independent of the project's code: the highest level that each post of a dataset exceeded, from the files alone."""

import csv
from pathlib import Path

LEVELS = ("normal", "waspada", "siaga", "awas")


def highest_levels(stations: Path, series: Path, dataset: str) -> dict[str, str]:
    """Return station → highest level over values whose flag is not 4 (the file's word for it: spike)."""
    with stations.open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["dataset"] == dataset]
    limits = {
        row["station_id"]: [float(row[name]) for name in ("alert", "alarm", "critical")] for row in rows
    }
    highest = dict.fromkeys(limits, 0)
    with series.open(newline="") as stream:
        for row in csv.DictReader(stream):
            if row["flag"] != "spike" and row["value"]:
                exceeded = sum(float(row["value"]) > limit for limit in limits[row["station_id"]])
                highest[row["station_id"]] = max(highest[row["station_id"]], exceeded)
    return {station.lower(): LEVELS[rank] for station, rank in highest.items()}
