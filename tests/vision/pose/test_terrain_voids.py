"""Elevation models whose voids are not declared as such."""

from pathlib import Path

import numpy as np
import pytest
import rasterio

from serayu.models.plane import LocalPlane
from serayu.vision.pose.terrain import Terrain


@pytest.mark.parametrize("void", [-32768.0, -9999.0, 3.4e38, -np.inf, np.nan])
def test_heights_that_no_land_has_are_voids_though_the_file_does_not_say_so(
    void: float, tmp_path: Path
) -> None:
    heights = np.full((20, 20), 104.0, np.float32)
    heights[:, 10:] = void
    file = tmp_path / "dem.tif"
    place = rasterio.Affine(1e-5, 0, 109.3, 0, -1e-5, -7.5)
    with rasterio.open(
        file,
        "w",
        driver="GTiff",
        width=20,
        height=20,
        count=1,
        dtype="float32",
        crs="EPSG:4326",
        transform=place,
    ) as raster:
        raster.write(heights, 1)
    plane = LocalPlane(109.3)
    terrain = Terrain.read(file, plane=plane)
    known, lost = terrain.height_m(plane.forward(np.array([[109.30004, -7.5001], [109.30016, -7.5001]])))
    assert terrain.range_m == (104.0, 104.0)
    assert known == 104.0
    assert np.isnan(lost)
