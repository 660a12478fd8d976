"""A folder of photos as imagery."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import rasterio
from PIL.ExifTags import Base
from rasterio import Affine

from serayu.models.errors import BadInputError
from serayu.models.plane import LocalPlane
from serayu.vision.imagery import Imagery
from serayu.vision.pose.folder import ABSOLUTE_SIGMA_M, PhotoFolder
from serayu.vision.pose.photo_ground import PhotoGround
from serayu.vision.quality import Verdict
from tests.vision.pose.photos import DJI, EXIF, jpeg, photo

LON, LAT = 109.2396, -7.4244
NINE_US = 1_782_871_200_000_000  # 2026-07-01 09:00 WIB


def _moved(metres: float, **tags: str) -> dict[str, str]:
    """Return the tags of a photo so many metres to the east."""
    return {**DJI, "GpsLongitude": f"{LON + metres / 110_360:+.9f}", **tags}


def _dem(folder: Path, *, rise: float, name: str = "dem.tif") -> Path:
    """Write an elevation model in degrees: 100 m at the first photo, so many metres more per metre to the east."""
    cell, cells = 0.00002, 800
    across = (np.arange(cells) + 0.5 - cells / 2) * cell * 110_360
    heights = np.repeat((100 + rise * across)[None], cells, axis=0).astype(np.float32)
    file = folder / name
    corner = (LON - cells * cell / 2, LAT + cells * cell / 2)
    with rasterio.open(
        file, "w", driver="GTiff", width=cells, height=cells, count=1, dtype="float32", crs="EPSG:4326",
        transform=Affine(cell, 0, corner[0], 0, -cell, corner[1]),
    ) as raster:  # fmt: skip
        raster.write(heights, 1)
    return file


def _ground(imagery: Imagery, index: int = 0) -> PhotoGround:
    ground = imagery.open(imagery.units()[index]).ground
    assert isinstance(ground, PhotoGround)
    return ground


def test_photos_come_by_name_and_nothing_else_does(tmp_path: Path) -> None:
    for name in ("b.JPG", "a.jpeg", "C.jpg", ".hidden.jpg", "notes.txt", "a.tif"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "folder.jpg").mkdir()
    assert [unit.name for unit in PhotoFolder(tmp_path).units()] == ["C.jpg", "a.jpeg", "b.JPG"]


def test_a_photo_is_opened_whole(tmp_path: Path) -> None:
    photo(tmp_path)
    imagery: Imagery = PhotoFolder(tmp_path)
    opened = imagery.open(imagery.units()[0])
    assert opened.image.shape == (480, 640, 3)
    assert opened.time_us == NINE_US
    assert opened.gsd_mm == pytest.approx(60)  # 30 m over 500 px
    assert opened.ground is not None
    assert opened.ground.plane == imagery.plane
    assert opened.quality.verdict is Verdict.LIMITED
    below = imagery.plane.inverse(opened.ground.ground_m(np.array([[320.0, 240.0]])))
    assert below[0] == pytest.approx([LON, LAT], abs=1e-9)


def test_a_damaged_photo_is_named_and_does_not_keep_others_from_being_read(tmp_path: Path) -> None:
    photo(tmp_path, "1.jpg")
    whole = jpeg()
    (tmp_path / "2.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "3.jpg").write_bytes(b"")
    imagery = PhotoFolder(tmp_path)
    first, second, third = imagery.units()
    assert imagery.open(first).ground is not None
    for bad, name in ((second, r"2\.jpg"), (third, r"3\.jpg")):
        with pytest.raises(BadInputError, match=name):
            imagery.open(bad)


def test_nothing_is_opened_before_it_is_asked_and_a_bad_folder_is_named(tmp_path: Path) -> None:
    absent = PhotoFolder(tmp_path / "absent", dem=tmp_path / "absent.tif")
    with pytest.raises(BadInputError, match="absent: cannot be read"):
        absent.units()
    with pytest.raises(BadInputError, match="no JPEG photo"):
        PhotoFolder(tmp_path).units()
    with pytest.raises(BadInputError, match="height_above_ground_m"):
        PhotoFolder(tmp_path, height_above_ground_m=0)


def test_photos_without_any_place_are_looked_at_but_not_placed(tmp_path: Path) -> None:
    photo(tmp_path, dji={}, exif={Base.DateTimeOriginal: "2026:07:01 09:00:00"})
    imagery = PhotoFolder(tmp_path, dem=tmp_path / "never-read.tif")
    assert imagery.plane == LocalPlane(0.0)
    opened = imagery.open(imagery.units()[0])
    assert (opened.ground, opened.gsd_mm, opened.time_us) == (None, None, NINE_US)
    assert opened.quality.verdict is Verdict.LIMITED
    assert opened.quality.reasons[0] == "photo.quality.no_position"
    assert opened.quality.reasons[-1] == "photo.quality.zone_assumed"


def test_a_photo_of_the_horizon_is_refused_without_ground(tmp_path: Path) -> None:
    photo(tmp_path, dji={**DJI, "GimbalPitchDegree": "+5.00"})
    imagery = PhotoFolder(tmp_path)
    opened = imagery.open(imagery.units()[0])
    assert opened.ground is None
    assert "photo.quality.no_ground" in opened.quality.reasons


def test_another_process_reads_the_same(tmp_path: Path) -> None:
    for index in range(3):
        photo(tmp_path, f"{index}.jpg", dji=_moved(index * 20))
    here = PhotoFolder(tmp_path, dem=_dem(tmp_path, rise=0.02))
    there = pickle.loads(pickle.dumps(here))  # noqa: S301 -- our own bytes
    _ground(here)
    later = pickle.loads(pickle.dumps(here))  # noqa: S301 -- our own bytes
    assert len(pickle.dumps(here)) < 10_000  # no heights in it
    px = np.array([[10.0, 20.0], [600.0, 400.0]])
    for other in (there, later):
        assert (other.plane, other.units()) == (here.plane, here.units())
        assert (_ground(other, 2).ground_m(px) == _ground(here, 2).ground_m(px)).all()


def test_the_plane_lies_in_the_middle_of_the_photos_or_where_it_is_told(tmp_path: Path) -> None:
    for index, metres in enumerate((0, 50, 400)):
        photo(tmp_path, f"{index}.jpg", dji=_moved(metres))
    assert PhotoFolder(tmp_path).plane.lon0 == pytest.approx(LON + 200 / 110_360, abs=1e-6)
    assert PhotoFolder(tmp_path, plane=LocalPlane(109.0)).plane == LocalPlane(109.0)


def test_without_a_given_take_off_photos_start_from_the_middle_of_their_ground(tmp_path: Path) -> None:
    for index in range(3):
        photo(tmp_path, f"{index}.jpg", dji=_moved(index * 40))
    middle = np.array([[320.0, 240.0]])
    flat = PhotoFolder(tmp_path, dem=_dem(tmp_path, rise=0.0))
    assert _ground(flat).gsd_mm(middle)[0] == pytest.approx(60, rel=1e-6)
    hill = PhotoFolder(tmp_path, dem=_dem(tmp_path, rise=0.05))  # 100, 102, 104 m below the photos
    grounds = [_ground(hill, index) for index in range(3)]
    assert [ground.level_m for ground in grounds] == pytest.approx([102] * 3, abs=0.01)
    assert [ground.gsd_mm(middle)[0] for ground in grounds] == pytest.approx([64, 60, 56], rel=1e-2)
    assert grounds[0].pose.sigmas.height_m > _ground(flat).pose.sigmas.height_m
    assert "photo.quality.takeoff_assumed" in hill.open(hill.units()[0]).quality.reasons
    given = PhotoFolder(tmp_path, dem=tmp_path / "dem.tif", takeoff_elevation_m=104.0)
    assert _ground(given).level_m == 104
    assert "photo.quality.takeoff_assumed" not in given.open(given.units()[0]).quality.reasons


def test_over_steep_ground_the_absolute_altitude_is_the_better_guess_but_not_with_rtk(tmp_path: Path) -> None:
    for flag, folder in (("16", tmp_path / "gnss"), ("50", tmp_path / "rtk")):
        folder.mkdir()
        for index in range(3):
            tags = _moved(index * 40, RtkFlag=flag, AbsoluteAltitude="+137.00")
            photo(folder, f"{index}.jpg", dji=tags)
    dem = _dem(tmp_path, rise=0.5)
    gnss, rtk = (_ground(PhotoFolder(tmp_path / name, dem=dem)) for name in ("gnss", "rtk"))
    assert gnss.level_m == pytest.approx(107)
    assert gnss.pose.sigmas.height_m > ABSOLUTE_SIGMA_M
    assert rtk.level_m == pytest.approx(120, abs=0.1)


def test_a_given_height_is_above_the_terrain_below_each_photo(tmp_path: Path) -> None:
    for index in range(2):
        photo(tmp_path, f"{index}.jpg", dji=_moved(index * 100))
    imagery = PhotoFolder(tmp_path, dem=_dem(tmp_path, rise=0.1), height_above_ground_m=20)
    for index in range(2):
        assert _ground(imagery, index).gsd_mm(np.array([[320.0, 240.0]]))[0] == pytest.approx(40, rel=0.01)


def test_an_elevation_model_elsewhere_is_named(tmp_path: Path) -> None:
    photo(tmp_path, dji={**DJI, "GpsLongitude": "+110.5"}, exif=EXIF)
    imagery = PhotoFolder(tmp_path, dem=_dem(tmp_path, rise=0))
    with pytest.raises(BadInputError, match=r"dem\.tif: the elevation model does not reach"):
        imagery.open(imagery.units()[0])
