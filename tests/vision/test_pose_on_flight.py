"""The renderer's own camera and the projection, which share no code, agree on where things lie."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from shapely.geometry import shape

from serayu.vision.flight.plan import FlightNoise
from serayu.vision.flight.render import render_flight
from serayu.vision.ground import GroundMap
from serayu.vision.pose.folder import PhotoFolder
from serayu.vision.quality import Measure, Verdict

NEAR_M = 0.05
SIZE = (480, 360)
ROAD = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"number": "001", "name": "Contoh"},
            "geometry": {
                "type": "LineString",
                "coordinates": [[109.2396, -7.4244], [109.2410, -7.4236], [109.2424, -7.4231]],
            },
        }
    ],
}


@pytest.fixture(scope="module")
def flight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("flight")
    road = folder / "road.geojson"
    road.write_text(json.dumps(ROAD))
    render_flight(
        folder / "flown",
        road=road,
        seed=3,
        length_m=12,
        overlap=0.4,
        gsd_mm=16,
        size_px=SIZE,
        per_100_m=80,
        noise=FlightNoise.none(),
        landslide=True,
        overviews=1,
        distortion=(-0.05, 0.02, 0.0005, -0.0004, 0.0),
    )
    return folder / "flown"


def _things(flight: Path) -> list[dict[str, Any]]:
    features: list[dict[str, Any]] = json.loads((flight / "truth.geojson").read_text())["features"]
    return [feature for feature in features if feature["properties"].get("photos")]


def _off_m(flight: Path, *, dem: Path | None) -> dict[str, list[float]]:
    """Return, by class, how far the edges of boxes lie from those of the truth, on the ground."""
    imagery = PhotoFolder(flight / "photos", dem=dem)
    grounds = {unit.name: imagery.open(unit).ground for unit in imagery.units()}
    off: dict[str, list[float]] = {}
    for thing in _things(flight):
        told = thing["properties"]
        (metres,) = imagery.plane.to_metres(np.array([shape(thing["geometry"])], dtype=object))
        for name, box in told["boxes"].items():
            ground = _named(grounds, name)
            assert (
                np.abs(ground.ground_m(ground.pixels(metres.centroid.coords)) - metres.centroid.coords).max()
                < 1e-3
            )
            seen = shapely.transform(metres, ground.pixels).intersection(shapely.box(0, 0, *SIZE))
            gsd_m = ground.gsd_mm(np.array([SIZE]) / 2)[0] / 1000
            off.setdefault(told["class"], []).append(np.abs(np.subtract(seen.bounds, box)).max() * gsd_m)
    return off


def test_every_thing_is_where_its_pixels_are(flight: Path) -> None:
    """Over the elevation model, also on the hillside."""
    off = _off_m(flight, dem=flight / "dem.tif")
    assert "landslide" in off
    assert sum(map(len, off.values())) >= 8
    for label, found in off.items():
        assert max(found) < NEAR_M, label


def test_flat_ground_serves_the_road_and_not_the_hillside(flight: Path) -> None:
    off = _off_m(flight, dem=None)
    slide = off.pop("landslide")
    assert max(slide) > NEAR_M
    for label, found in off.items():
        assert max(found) < NEAR_M, label


def test_rendered_photos_pass_the_gate(flight: Path) -> None:
    imagery = PhotoFolder(flight / "photos", dem=flight / "dem.tif")
    for unit in imagery.units():
        opened = imagery.open(unit)
        assert opened.quality.verdict is not Verdict.REFUSED
        assert Measure.AREA in opened.quality.measures
        assert opened.time_us is not None


def _named(grounds: dict[str, GroundMap | None], name: str) -> GroundMap:
    ground = grounds.get(name) or grounds.get(f"{name}.jpg")
    assert ground is not None
    return ground
