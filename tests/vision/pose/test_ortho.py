"""An orthophoto as imagery."""

import pickle
import warnings
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyproj
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio import Affine
from rasterio.enums import ColorInterp
from rasterio.errors import NotGeoreferencedWarning

from serayu.models.errors import BadInputError
from serayu.vision.imagery import Imagery
from serayu.vision.pose.ortho import OrthoImagery
from serayu.vision.quality import Verdict
from tests.vision.pose.photos import textured

LON, LAT = 109.2396, -7.4244
UTM = "EPSG:32749"
TM3 = "EPSG:23833"  # DGN95 / Indonesia TM-3 zone 48.1, which the land agency uses


def _write(
    file: Path,
    bands: npt.NDArray[Any],
    *,
    crs: str | None = UTM,
    gsd: float = 0.01,
    turn: float = 0.0,
    placed: bool = True,
    **options: Any,  # noqa: ANN401 -- passed on
) -> Path:
    """Write bands of shape (n, height, width) as a GeoTIFF whose upper left corner is the known place."""
    x, y = pyproj.Transformer.from_crs(4326, crs or UTM, always_xy=True).transform(LON, LAT)
    transform = Affine.translation(x, y) @ Affine.rotation(turn) @ Affine.scale(gsd, -gsd)
    placing = {"transform": transform} if placed else {}
    colours = options.pop("colorinterp", None)
    mask = options.pop("mask", None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # meant so
        _store(file, bands, colours=colours, mask=mask, crs=crs, **placing, **options)
    return file


def _store(
    file: Path,
    bands: npt.NDArray[Any],
    *,
    colours: list[ColorInterp] | None,
    mask: npt.NDArray[np.bool_] | None,
    **options: Any,  # noqa: ANN401 -- passed on
) -> None:
    with rasterio.open(
        file, "w", driver="GTiff", width=bands.shape[2], height=bands.shape[1], count=bands.shape[0],
        dtype=bands.dtype, **options,
    ) as raster:  # fmt: skip
        raster.write(bands)
        if colours:
            raster.colorinterp = colours
        if mask is not None:
            raster.write_mask(mask)


def _rgb(width: int = 300, height: int = 200) -> npt.NDArray[np.uint8]:
    return np.ascontiguousarray(np.moveaxis(textured(width, height)[:, :, ::-1], 2, 0))


def test_windows_cover_the_whole_overlap_and_are_of_one_size(tmp_path: Path) -> None:
    imagery: Imagery = OrthoImagery(_write(tmp_path / "o.tif", _rgb()), window_px=128, overlap_px=32)
    units = imagery.units()
    assert [unit.name for unit in units[:4]] == ["o_0_0", "o_1_0", "o_2_0", "o_0_1"]
    covered = np.zeros((200, 300), dtype=int)
    for unit in units:
        assert unit.window_px is not None
        left, top, width, height = unit.window_px
        assert (width, height) == (128, 128)
        covered[top : top + height, left : left + width] += 1
    assert covered.min() == 1
    row = [unit.window_px[0] for unit in units if unit.window_px and unit.window_px[1] == 0]
    assert all(right - left <= 128 - 32 for left, right in pairwise(row))


@pytest.mark.parametrize(("width", "height"), [(1, 1), (100, 50), (128, 128), (129, 128), (224, 500)])
def test_small_and_odd_sizes_are_covered(tmp_path: Path, width: int, height: int) -> None:
    file = _write(tmp_path / "o.tif", _rgb(width, height))
    units = OrthoImagery(file, window_px=128, overlap_px=32).units()
    windows = [unit.window_px for unit in units if unit.window_px]
    assert max(left + across for left, _, across, _ in windows) == width
    assert max(top + down for _, top, _, down in windows) == height
    assert len({unit.name for unit in units}) == len(units)


def test_pieces_of_a_window_are_those_of_the_file(tmp_path: Path) -> None:
    bands = _rgb()
    imagery = OrthoImagery(_write(tmp_path / "o.tif", bands), window_px=128, overlap_px=32)
    unit = imagery.units()[-1]
    opened = imagery.open(unit)
    assert (opened.image == np.moveaxis(bands[::-1, 72:200, 172:300], 0, 2)).all()
    assert opened.gsd_mm == pytest.approx(10, rel=2e-3)
    assert opened.time_us is None


@pytest.mark.parametrize("crs", [UTM, TM3, "EPSG:3857", "EPSG:4326"])
@pytest.mark.parametrize("turn", [0.0, 30.0])
def test_a_window_lies_where_its_coordinate_system_says(tmp_path: Path, crs: str, turn: float) -> None:
    gsd = 1e-7 if crs == "EPSG:4326" else 0.01
    file = _write(tmp_path / "o.tif", _rgb(), crs=crs, gsd=gsd, turn=turn)
    imagery = OrthoImagery(file, window_px=128, overlap_px=32)
    with rasterio.open(file) as raster:
        expected = raster.transform @ (182.5, 77.25)
    lon_lat = pyproj.Transformer.from_crs(crs, 4326, always_xy=True).transform(*expected)
    for unit in imagery.units():
        assert unit.window_px is not None
        ground = imagery.open(unit).ground
        assert ground is not None
        px = np.array([[182.5 - unit.window_px[0], 77.25 - unit.window_px[1]]])
        assert imagery.plane.inverse(ground.ground_m(px))[0] == pytest.approx(lon_lat, abs=1e-9)
        assert ground.pixels(ground.ground_m(px)) == pytest.approx(px, abs=1e-3)


@given(px=st.tuples(st.floats(-5000, 5000), st.floats(-5000, 5000)))
@settings(max_examples=30, deadline=None)
def test_a_pixel_comes_back(ortho: OrthoImagery, px: tuple[float, float]) -> None:
    ground = ortho.open(ortho.units()[0]).ground
    assert ground is not None
    point = np.array([px])
    assert ground.pixels(ground.ground_m(point)) == pytest.approx(point, abs=0.01)


@pytest.fixture(scope="module")
def ortho(tmp_path_factory: pytest.TempPathFactory) -> OrthoImagery:
    return OrthoImagery(_write(tmp_path_factory.mktemp("o") / "o.tif", _rgb(), turn=12.0), window_px=300)


def test_lengths_are_true_metres_not_those_of_web_mercator(tmp_path: Path) -> None:
    """At 7.4 degrees south Web Mercator's metres are 0.8 % too short on the ground."""
    imagery = OrthoImagery(_write(tmp_path / "o.tif", _rgb(), crs="EPSG:3857"))
    gsd = imagery.open(imagery.units()[0]).gsd_mm
    assert gsd is not None
    geod = pyproj.Geod(ellps="WGS84")
    back = pyproj.Transformer.from_crs(3857, 4326, always_xy=True)
    x, y = pyproj.Transformer.from_crs(4326, 3857, always_xy=True).transform(LON, LAT)
    _, _, east = geod.inv(*back.transform(x, y), *back.transform(x + 100, y))
    _, _, north = geod.inv(*back.transform(x, y), *back.transform(x, y + 100))
    assert gsd == pytest.approx(10 * np.sqrt(east * north) / 100, rel=1e-5)


def test_the_error_is_that_of_the_orthophoto(tmp_path: Path) -> None:
    imagery = OrthoImagery(_write(tmp_path / "o.tif", _rgb()), position_sigma_m=0.03)
    ground = imagery.open(imagery.units()[0]).ground
    assert ground is not None
    assert ground.sigma_m(np.array([[5.0, 5.0]]))[0] == pytest.approx(
        np.hypot(0.03, 0.005 * np.sqrt(2)), rel=1e-2
    )


@pytest.mark.parametrize("way", ["alpha", "nodata", "mask"])
def test_windows_without_content_are_passed_over(tmp_path: Path, way: str) -> None:
    bands = np.maximum(_rgb(), 1)
    seen = np.zeros((200, 300), dtype=np.uint8)
    seen[:, 170:] = 255
    seen[5, 0] = 255  # one lone pixel is content
    options: dict[str, Any] = {}
    if way == "alpha":
        bands = np.concatenate((bands, seen[None]))
        options["colorinterp"] = [ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha]
    elif way == "nodata":
        bands = np.where(seen[None] > 0, bands, 0).astype(np.uint8)
        options["nodata"] = 0
    else:
        options["mask"] = seen > 0
    imagery = OrthoImagery(_write(tmp_path / "o.tif", bands, **options), window_px=64, overlap_px=0)
    names = {unit.name for unit in imagery.units()}
    assert "o_0_0" in names
    assert "o_1_0" not in names
    assert {"o_2_0", "o_4_3"} <= names
    assert imagery.open(imagery.units()[-1]).image.shape == (64, 64, 3)


def test_colours_are_taken_by_their_names(tmp_path: Path) -> None:
    rgb = _rgb()
    order = [ColorInterp.blue, ColorInterp.green, ColorInterp.red, ColorInterp.undefined]
    four = np.concatenate((rgb[::-1], np.zeros((1, 200, 300), dtype=np.uint8)))
    named = OrthoImagery(_write(tmp_path / "bgr.tif", four, colorinterp=order, photometric="MINISBLACK"))
    plain = OrthoImagery(_write(tmp_path / "rgb.tif", rgb))
    assert (named.open(named.units()[0]).image == plain.open(plain.units()[0]).image).all()


def test_grey_and_16_bits_become_pictures_of_8(tmp_path: Path) -> None:
    grey = OrthoImagery(_write(tmp_path / "grey.tif", _rgb()[:1]))
    image = grey.open(grey.units()[0]).image
    assert (image[:, :, 0] == image[:, :, 2]).all()
    deep = (_rgb().astype(np.uint16) * 16) + 300
    deep[:, :, :150] //= 2  # one range for the file, so that windows stay comparable
    imagery = OrthoImagery(_write(tmp_path / "deep.tif", deep), window_px=150, overlap_px=0)
    dark, bright = (imagery.open(unit).image.mean() for unit in imagery.units()[:2])
    assert dark < 0.6 * bright
    assert imagery.open(imagery.units()[0]).image.dtype == np.uint8


def test_what_cannot_be_placed_or_read_is_one_clear_error(tmp_path: Path) -> None:
    text = tmp_path / "text.tif"
    text.write_text("no raster")
    cases = {
        _write(tmp_path / "nocrs.tif", _rgb(), crs=None): "no georeference",
        _write(tmp_path / "noplace.tif", _rgb(), placed=False): "no georeference",
        _write(tmp_path / "float.tif", _rgb().astype(np.float32)): "bands of float32",
        text: "not an orthophoto",
        tmp_path / "absent.tif": "not an orthophoto",
    }
    for file, reason in cases.items():
        with pytest.raises(BadInputError, match=rf"{file.name}: {reason}"):
            OrthoImagery(file).units()
    with pytest.raises(BadInputError, match="overlap_px"):
        OrthoImagery(text, window_px=100, overlap_px=100)


def test_a_truncated_orthophoto_is_named(tmp_path: Path) -> None:
    file = _write(
        tmp_path / "cut.tif", _rgb(600, 600), tiled=True, blockxsize=128, blockysize=128, compress="deflate"
    )
    imagery = OrthoImagery(file, window_px=128, overlap_px=0)
    unit = imagery.units()[-1]
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(BadInputError, match=r"cut\.tif"):
        imagery.open(unit)


def test_another_process_reads_the_same(tmp_path: Path) -> None:
    here = OrthoImagery(_write(tmp_path / "o.tif", _rgb()), window_px=128, overlap_px=32)
    there = pickle.loads(pickle.dumps(here))  # noqa: S301 -- our own bytes
    assert (there.plane, there.units()) == (here.plane, here.units())
    assert (there.open(there.units()[3]).image == here.open(here.units()[3]).image).all()


def test_an_orthophoto_is_judged_too(tmp_path: Path) -> None:
    sharp = OrthoImagery(_write(tmp_path / "o.tif", _rgb(), gsd=0.0009))
    assert sharp.open(sharp.units()[0]).quality.verdict is Verdict.GOOD
    flat = OrthoImagery(_write(tmp_path / "flat.tif", np.full((3, 200, 300), 90, dtype=np.uint8)))
    assert flat.open(flat.units()[0]).quality.reasons[0] == "photo.quality.blur"
