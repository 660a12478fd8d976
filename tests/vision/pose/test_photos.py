"""The photos of a folder, and of the folders of a drone's card."""

from pathlib import Path

import pytest

from serayu.models.errors import BadInputError
from serayu.vision.pose.photos import photo_units


def _files(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")


@pytest.mark.parametrize(
    ("files", "units"),
    [
        (("DCIM/100MEDIA/b.JPG", "DCIM/100MEDIA/a.JPG"), ("a.JPG", "b.JPG")),
        (
            ("100MEDIA/a.JPG", "101MEDIA/a.JPG", "101MEDIA/b.JPG"),
            ("100MEDIA_a.JPG", "101MEDIA_a.JPG", "b.JPG"),
        ),
        (("a.JPG", "sub/a.JPG"), ("a.JPG", "sub_a.JPG")),
        (("a.jpg", ".trash/b.jpg", "out/.work/x.result", "out/photos/c.jpg", "notes/d.txt"), ("a.jpg",)),
    ],
    ids=["card", "two folders", "beside and below", "no photos of the flight"],
)
def test_photos_in_folders_have_names_of_their_own_in_a_fixed_order(
    tmp_path: Path, files: tuple[str, ...], units: tuple[str, ...]
) -> None:
    _files(tmp_path, *files)
    found = photo_units(tmp_path)
    assert tuple(unit.name for unit in found) == units
    assert len({unit.file for unit in found}) == len(units)
    assert all(unit.file.is_file() for unit in found)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (("a/b.jpg", "b.jpg", "a_b.jpg"), "two photos would be named a_b.jpg"),
        ((f"{'x' * 150}/{'y' * 60}.jpg", f"{'y' * 60}.jpg"), "longer than 200 characters"),
        (("sub/notes.txt",), "no JPEG photo in this folder or in a folder under it"),
    ],
    ids=["one name", "long", "none"],
)
def test_names_that_cannot_be_told_apart_or_kept_are_refused(
    tmp_path: Path, files: tuple[str, ...], said: str
) -> None:
    _files(tmp_path, *files)
    with pytest.raises(BadInputError, match=said):
        photo_units(tmp_path)
