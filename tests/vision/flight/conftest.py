"""A road with a bend, and one small flight over it that several tests look at."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from serayu.vision.flight.plan import FlightNoise
from serayu.vision.flight.render import render_flight
from serayu.vision.flight.road import Road, read_road

ROADS = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"number": "UJI-01", "name": "Jalan uji", "width_m": 5.5},
            "geometry": {
                "type": "LineString",
                "coordinates": [[109.3362, -7.5035], [109.3361, -7.5039], [109.3356, -7.5044]],
            },
        },
        {
            "type": "Feature",
            "properties": {"number": "UJI-02", "name": "Jalan uji kedua"},
            "geometry": {"type": "LineString", "coordinates": [[109.3, -7.5], [109.3, -7.51]]},
        },
    ],
}
SMALL: dict[str, Any] = {
    "gsd_mm": 20.0,
    "size_px": (480, 360),
    "overlap": 0.5,
    "seed": 11,
    "start_m": 10.0,
    "per_100_m": 60.0,
}
TINY: dict[str, Any] = {
    **SMALL,
    "size_px": (200, 150),
    "overlap": 0.2,
    "length_m": 12,
    "landslide": False,
    "overviews": 0,
}
"""For what needs several flights: a strip in the middle of the road."""


@pytest.fixture(scope="session")
def roads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("roads") / "ruas.geojson"
    file.write_bytes(msgspec.json.encode(ROADS))
    return file


@pytest.fixture(scope="session")
def road(roads: Path) -> Road:
    return read_road(roads, ruas="UJI-01", start_m=10, length_m=60)


@pytest.fixture(scope="session")
def flight(roads: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a flight without noise."""
    folder = tmp_path_factory.mktemp("flight") / "out"
    render_flight(folder, road=roads, length_m=18, noise=FlightNoise.none(), **SMALL)
    return folder


@pytest.fixture(scope="session")
def strip(roads: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the smallest flight, without noise."""
    folder = tmp_path_factory.mktemp("strip") / "out"
    render_flight(folder, road=roads, noise=FlightNoise.none(), **TINY)
    return folder
