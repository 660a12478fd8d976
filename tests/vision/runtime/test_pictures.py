"""Pictures of files: any name, format and depth; upright for who labels, as they lie for poses."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from serayu.models.errors import BadInputError
from serayu.vision.runtime.pictures import read_picture


@pytest.mark.parametrize("name", ["jalan é.png", "rusak.jpg", "orto.tif"])
def test_pictures_of_any_name_and_format_are_read_upright(tmp_path: Path, name: str) -> None:
    image = np.zeros((40, 60, 3), dtype=np.uint8)
    image[:, :, 2] = 250  # red
    encoded = cv2.imencode(Path(name).suffix, image)[1]
    (tmp_path / name).write_bytes(encoded.tobytes())
    read = read_picture(tmp_path / name, upright=True)
    assert read.shape == (40, 60, 3)
    assert read.dtype == np.uint8
    assert np.abs(read.astype(int) - image).max() <= 6


def test_a_tiff_of_16_bit_is_stretched_not_darkened(tmp_path: Path) -> None:
    ramp = np.linspace(100, 900, 3000, dtype=np.uint16).reshape(50, 60)
    (tmp_path / "a.tif").write_bytes(cv2.imencode(".tif", ramp)[1].tobytes())
    read = read_picture(tmp_path / "a.tif", upright=False)
    assert read.shape == (50, 60, 3)
    assert read.min() == 0
    assert read.max() == 255


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\xff\xd8\xff\xe0"])
@pytest.mark.parametrize("name", ["a.jpg", "a.tif"])
def test_a_corrupt_picture_is_refused_by_name(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInputError, match=name):
        read_picture(tmp_path / name, upright=True)


@pytest.mark.parametrize(("upright", "shape"), [(True, (60, 40, 3)), (False, (40, 60, 3))])
def test_a_picture_is_turned_as_exif_says_only_where_that_is_wanted(
    tmp_path: Path, *, upright: bool, shape: tuple[int, ...]
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera stood on its side
    Image.new("RGB", (60, 40)).save(tmp_path / "a.jpg", exif=exif)
    assert read_picture(tmp_path / "a.jpg", upright=upright).shape == shape


def test_a_tiff_of_numbered_colours_shows_the_colours(tmp_path: Path) -> None:
    paper = Image.new("P", (8, 8), 1)
    paper.putpalette([0, 0, 0, 250, 20, 30])
    paper.save(tmp_path / "a.tif")
    assert read_picture(tmp_path / "a.tif", upright=False)[4, 4].tolist() == [30, 20, 250]


def test_an_absent_picture_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"a\.jpg: cannot be read: No such file"):
        read_picture(tmp_path / "a.jpg", upright=True)
