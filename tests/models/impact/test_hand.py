import builtins
import importlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
from rasterio.transform import from_origin

from serayu.models.errors import BadInputError
from serayu.models.impact import ImpactIndex
from serayu.models.impact.hand import HAND_FILE
from serayu.models.impact.rings import cap_rings
from serayu.models.siaga import Siaga
from tests.models.impact.conftest import MADE, Write, box, feature

# rasterio 1.4 multiplies its own transforms in the way that affine 3 is about to give up
pytestmark = pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")

Spoil = Callable[[Path], object]
CELL = 0.0005  # degrees, about 55 m
TABLE = """
raster = "hand.tif"
source = "uji"
invented = true
[post.hulu]
bankfull_m = 2.0
radius_km = 2.0
"""


def write_raster(
    folder: Path, *, crs: str | None = "EPSG:4326", west: float = 99.99, cell: float = CELL
) -> None:
    """Write a valley: height above the drainage rises 1 m for each 0.001 degrees north or south of 0 N.

    A hole without data lies at 100.004 to 100.006 E.
    """
    rows, columns = 80, 160
    lat = (40 - np.arange(rows) - 0.5) * CELL
    height = np.repeat((np.abs(lat) / 0.001)[:, None], columns, axis=1).astype("float32")
    height[:, 28:32] = -9999
    with rasterio.open(
        folder / "hand.tif", "w", driver="GTiff", height=rows, width=columns, count=1, dtype="float32",
        crs=crs, transform=from_origin(west, 40 * cell, cell, cell), nodata=-9999,
    ) as raster:  # fmt: skip
        raster.write(height, 1)


@pytest.fixture(name="valley")
def _valley(folder: Path, villages: Path) -> Path:
    assert villages.is_file()
    write_raster(folder)
    (folder / HAND_FILE).write_text(TABLE)
    return folder


def wet(folder: Path, depth_m: float) -> shapely.Geometry:
    hand = ImpactIndex.load(folder).hand
    assert hand is not None
    return hand.area("hulu", depth_m)


def test_cells_not_above_the_water_are_wet_and_no_data_is_dry(valley: Path) -> None:
    """At 1 m the water reaches 0.001 degrees on either side of the river, within 2 km of the post."""
    area = wet(valley, 1.0)
    plane = ImpactIndex.load(valley).layers.plane
    strip = shapely.box(99.99, -0.001, 100.07, 0.001).difference(shapely.box(100.004, -1, 100.006, 1))
    (expected,) = plane.to_metres(np.array([strip]))
    (post,) = plane.to_metres(np.array([shapely.Point(100.01, 0)]))
    expected = expected.intersection(post.buffer(2000))
    assert area.area == pytest.approx(expected.area, rel=0.03)
    assert area.symmetric_difference(expected).area < 0.05 * expected.area


@pytest.mark.parametrize(("low", "high"), [(0.5, 1.0), (1.0, 2.0), (2.0, 5.0)])
def test_more_water_covers_all_that_less_water_covers(valley: Path, low: float, high: float) -> None:
    assert wet(valley, low).difference(wet(valley, high)).area < 1.0
    assert wet(valley, low).area < wet(valley, high).area


def test_the_level_decides_and_never_less_than_its_limit(valley: Path) -> None:
    index = ImpactIndex.load(valley)
    limit = index.assess("hulu", Siaga.SIAGA, at_us=0)  # limit 3 m: 1 m above the banks
    below = index.assess("hulu", Siaga.SIAGA, at_us=0, level_m=1.0)
    above = index.assess("hulu", Siaga.SIAGA, at_us=0, level_m=3.5)
    assert limit.people is not None
    assert above.people is not None
    assert below == limit
    assert above.people > limit.people
    assert limit.basis.startswith(
        "tinggi di atas alur terdekat, air 1,00 m di atas tebing, pos Hulu (dibuat-buat)"
    )
    assert "air 1,50 m" in above.basis


def test_levels_within_five_centimetres_share_an_outline(valley: Path) -> None:
    index = ImpactIndex.load(valley)
    assert index.hand is not None
    assert index.hand.depth_m("hulu", 3.01) == index.hand.depth_m("hulu", 3.04) == pytest.approx(1.05)
    assert index.hand.depth_m("hulu", 3.05) == pytest.approx(1.05)


def test_water_within_the_banks_falls_back_to_the_drawn_zone(valley: Path, write: Write) -> None:
    write(
        "flood_zones",
        [feature(box(0, -5, 10, 5), station="hulu", level="waspada", source="uji", invented=True)],
    )
    index = ImpactIndex.load(valley)  # waspada begins at 2 m, where the banks end
    assert index.assess("hulu", Siaga.WASPADA, at_us=0).basis.startswith("zona genangan")
    assert index.assess("hulu", Siaga.SIAGA, at_us=0).basis.startswith("tinggi di atas alur")


def test_an_official_zone_of_this_level_beats_the_raster_an_invented_one_does_not(
    valley: Path, write: Write
) -> None:
    for invented, words in ((False, "zona genangan"), (True, "tinggi di atas alur")):
        write(
            "flood_zones",
            [feature(box(0, -5, 10, 5), station="hulu", level="siaga", **{**MADE, "invented": invented})],
        )
        assert ImpactIndex.load(valley).assess("hulu", Siaga.SIAGA, at_us=0).basis.startswith(words)


def test_a_raster_in_metres_gives_the_same_ground(valley: Path) -> None:
    """The same valley in Mercator metres, which at the equator are metres on the ground."""
    degrees = wet(valley, 1.0)
    write_raster(valley, crs="EPSG:3857", west=99.99 * 111_319.4908, cell=CELL * 111_319.4908)
    metres = wet(valley, 1.0)
    assert degrees.symmetric_difference(metres).area < 0.02 * degrees.area


def test_stairs_of_cells_become_rings_for_cap(valley: Path) -> None:
    index = ImpactIndex.load(valley)
    area = wet(valley, 3.0)
    rings = cap_rings(area, index.layers.plane)
    assert rings
    assert all(len(ring) <= 100 for ring in rings)
    back = shapely.union_all(
        index.layers.plane.to_metres(np.array([shapely.Polygon([p[::-1] for p in ring]) for ring in rings]))
    )
    assert back.intersection(area).area >= 0.98 * area.area
    assert back.area <= 1.05 * area.area


def edited(old: str, new: str) -> Spoil:
    """Return an edit of the table."""
    return lambda folder: (folder / HAND_FILE).write_text(TABLE.replace(old, new))


@pytest.mark.parametrize(
    ("spoil", "file", "field", "reason"),
    [
        (edited("[post.hulu]", "[post.lain]"), HAND_FILE, "post.lain", "unknown station"),
        (edited("radius_km = 2.0", "radius_km = 0"), HAND_FILE, "post.hulu.radius_km", "> 0"),
        (edited('source = "uji"', ""), HAND_FILE, None, "missing required field `source`"),
        (edited("[post.hulu]", "[post.hulu"), HAND_FILE, None, "not TOML"),
        (lambda folder: (folder / "hand.tif").unlink(), "hand.tif", None, "No such file"),
        (
            lambda folder: (folder / "hand.tif").write_bytes(b"II*\0 not a raster"),
            "hand.tif",
            None,
            "cannot be read",
        ),
        (lambda folder: write_raster(folder, west=120.0), "hand.tif", "post.hulu", "does not cover"),
    ],
)
def test_a_bad_raster_or_table_is_named(
    valley: Path,
    spoil: Spoil,
    file: str,
    field: str | None,
    reason: str,
) -> None:
    spoil(valley)
    with pytest.raises(BadInputError, match=reason) as caught:
        ImpactIndex.load(valley)
    assert (caught.value.file, caught.value.field) == (str(valley / file), field)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_raster_that_does_not_say_where_it_lies_is_refused(valley: Path) -> None:
    write_raster(valley, crs=None)
    with pytest.raises(BadInputError, match="no coordinate system"):
        ImpactIndex.load(valley)


def test_without_rasterio_a_region_with_a_raster_says_what_to_install(
    valley: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(name: str) -> object:
        if name.startswith("rasterio"):
            raise ImportError(f"No module named {name!r}")
        return builtins.__import__(name)

    monkeypatch.setattr(importlib, "import_module", refuse)
    with pytest.raises(BadInputError, match=r"serayu\[gis\]"):
        ImpactIndex.load(valley)
