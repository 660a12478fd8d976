"""Slopes from elevation models: planes whose slope is known, voids, rims, other units."""

import math
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio import Affine
from shapely.geometry import Point, box

from serayu.models.errors import BadInputError
from serayu.models.landslide.dem import Dem, Grid, horn_slope_deg
from serayu.models.landslide.ground import degree_lengths_m
from tests.models.landslide.support import unit

WEST, NORTH, CELL = 109.0, -7.3, 1 / 3600
ROWS = COLUMNS = 60
EAST_M, NORTH_M = degree_lengths_m(NORTH - ROWS / 2 * CELL)


def plane(*, east: float = 0.0, south: float = 0.0, rows: int = ROWS, columns: int = COLUMNS) -> Grid:
    """Heights that rise by so many metres a cell."""
    down, across = np.mgrid[0:rows, 0:columns].astype(np.float64)
    heights: Grid = 1000.0 + across * east + down * south
    return heights


def write(
    file: Path,
    heights: Grid,
    *,
    crs: str | None = "EPSG:4326",
    cell: float = CELL,
    origin: tuple[float, float] = (WEST, NORTH),
) -> Path:
    west, north = origin
    with rasterio.open(
        file,
        "w",
        driver="GTiff",
        width=heights.shape[1],
        height=heights.shape[0],
        count=1,
        dtype="float32",
        crs=crs,
        transform=Affine(cell, 0.0, west, 0.0, -cell, north),
        nodata=-32768.0,
    ) as raster:
        raster.write(np.where(np.isnan(heights), -32768.0, heights).astype(np.float32), 1)
    return file


def at(row: int, column: int) -> Point:
    return Point(WEST + (column + 0.5) * CELL, NORTH - (row + 0.5) * CELL)


def test_degrees_are_as_long_as_the_ellipsoid_says() -> None:
    assert degree_lengths_m(0.0) == pytest.approx((111319.5, 110574.3), abs=0.5)
    assert degree_lengths_m(45.0) == pytest.approx((78846.8, 111131.7), abs=0.5)


@pytest.mark.parametrize(("east", "south"), [(0.0, 0.0), (10.0, 0.0), (0.0, 10.0), (-7.0, 3.0)])
def test_horn_finds_the_slope_of_a_plane(east: float, south: float) -> None:
    slopes = horn_slope_deg(plane(east=east, south=south, rows=5, columns=6), width_m=20.0, height_m=25.0)
    assert slopes.shape == (3, 4)
    assert slopes == pytest.approx(math.degrees(math.atan(math.hypot(east / 20, south / 25))))


def test_degrees_become_metres_of_that_latitude(tmp_path: Path) -> None:
    with Dem(write(tmp_path / "d.tif", plane(east=20.0))) as dem:
        slope = dem.slope_deg(unit(geometry=at(30, 30)))
    assert slope == pytest.approx(math.degrees(math.atan(20.0 / (CELL * EAST_M))), abs=0.01)


def test_a_model_in_metres_is_asked_in_its_own_system(tmp_path: Path) -> None:
    heights = plane(south=12.0, rows=400, columns=400)
    file = write(tmp_path / "utm.tif", heights, crs="EPSG:32749", cell=30.0, origin=(276000.0, 9190000.0))
    with Dem(file) as dem:
        slope = dem.slope_deg(unit(geometry=Point(109.02, -7.37)))
    assert slope == pytest.approx(math.degrees(math.atan(12 / 30)), abs=0.01)


def test_an_hgt_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "S08E109.hgt"
    heights = (np.mgrid[0:1201, 0:1201][1] * 4).astype(">i2")
    heights[600, 600] = -32768
    file.write_bytes(heights.tobytes())
    cell = 1 / 1200
    with Dem(file) as dem:
        known = dem.slope_deg(unit(geometry=Point(109.5 + 100 * cell, -7.5)))
        void = dem.slope_deg(unit(geometry=Point(109.5, -7.5)))
    assert known == pytest.approx(math.degrees(math.atan(4 / (cell * degree_lengths_m(-7.5)[0]))), abs=0.05)
    assert void is None


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(at(0, 30), id="on the rim"),
        pytest.param(at(30, 59), id="on the other rim"),
        pytest.param(Point(WEST - 1, NORTH), id="outside"),
        pytest.param(at(21, 21), id="beside a void"),
        pytest.param(at(20, 20), id="in a void"),
    ],
)
def test_a_slope_that_the_model_does_not_hold_is_none(tmp_path: Path, place: Point) -> None:
    heights = plane(east=20.0)
    heights[20, 20] = np.nan
    with Dem(write(tmp_path / "d.tif", heights)) as dem:
        assert dem.slope_deg(unit(geometry=place)) is None


def test_a_polygon_has_the_slope_of_its_steep_cells(tmp_path: Path) -> None:
    heights = plane(east=5.0)
    heights[:, 40:] = heights[:, 40:41] + np.arange(20) * 30.0
    area = box(WEST + 10 * CELL, NORTH - 50 * CELL, WEST + 50 * CELL, NORTH - 10 * CELL)
    with Dem(write(tmp_path / "d.tif", heights)) as dem:
        assert dem.slope_deg(unit(geometry=area)) == pytest.approx(44.4, abs=0.5)
        tiny = box(*at(30, 20).buffer(CELL / 10).bounds)
        assert dem.slope_deg(unit(geometry=tiny)) == pytest.approx(9.3, abs=0.2)


@pytest.mark.parametrize(
    ("crs", "reason"),
    [
        pytest.param(None, "coordinate system", id="none"),
        pytest.param("EPSG:2263", "not in metres", id="feet"),
    ],
)
@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_model_whose_units_are_not_known_is_refused(tmp_path: Path, crs: str | None, reason: str) -> None:
    with pytest.raises(BadInputError, match=reason):
        Dem(write(tmp_path / "d.tif", plane(), crs=crs))


def test_a_file_that_is_no_raster_is_refused(tmp_path: Path) -> None:
    (tmp_path / "d.tif").write_text("heights", encoding="utf-8")
    for file in (tmp_path / "d.tif", tmp_path / "absent.tif"):
        with pytest.raises(BadInputError, match="not an elevation model"):
            Dem(file)
