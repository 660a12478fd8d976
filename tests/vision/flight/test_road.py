"""Roads that cannot be flown are refused as everywhere else that reads roads: by row and field."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from serayu.models.errors import BadInputError
from serayu.vision.flight.road import DEFAULT_WIDTH_M, read_road


def written(folder: Path, geometry: dict[str, Any] | None, **properties: object) -> Path:
    feature = {
        "type": "Feature",
        "properties": {"number": "1", "name": "x", **properties},
        "geometry": geometry,
    }
    file = folder / "ruas.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    return file


def line(*points: object) -> dict[str, Any]:
    return {"type": "LineString", "coordinates": list(points)}


FIRST, LAST = [109.0, -7.5, 30.0], [109.001, -7.5, 31.0]


@pytest.mark.parametrize(
    ("geometry", "properties", "field"),
    [
        (None, {}, "geometry"),
        (line(), {}, "geometry"),
        (line(FIRST), {}, "geometry"),
        (line(1, 2), {}, "geometry"),
        (line(["a", "b"], ["c", "d"]), {}, "geometry"),
        ({"type": "Point", "coordinates": FIRST}, {}, "geometry"),
        (line(FIRST, LAST), {"width_m": "lebar"}, "width_m"),
        (line(FIRST, LAST), {"width_m": -3}, "width_m"),
        (line(FIRST, LAST), {"name": None}, "name"),
    ],
)
def test_a_road_that_cannot_be_flown_is_named_by_row_and_field(
    geometry: dict[str, Any] | None, properties: dict[str, object], field: str, tmp_path: Path
) -> None:
    with pytest.raises(BadInputError) as caught:
        read_road(written(tmp_path, geometry, **properties), ruas=None, start_m=0, length_m=20)
    assert (caught.value.row, caught.value.field) == (1, field)


def test_heights_and_repeated_points_of_a_road_do_no_harm(tmp_path: Path) -> None:
    road = read_road(written(tmp_path, line(FIRST, FIRST, LAST)), ruas=None, start_m=5, length_m=50)
    assert road.line.length == pytest.approx(110.4, abs=0.2)
    assert (road.number, road.width_m) == ("1", DEFAULT_WIDTH_M)
    here, along = road.at(5.0)
    assert np.allclose(here, 0, atol=1e-6)
    assert np.allclose(along, (1, 0), atol=1e-6)
