from pathlib import Path

import pytest

from serayu.models.errors import BadInputError
from serayu.vision.evaluate.dataset import read_dataset


def touch(folder: Path, *names: str) -> None:
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"")


def found(folder: Path, yaml: str, split: str = "val") -> list[tuple[str, str]]:
    file = folder / "data.yaml"
    file.write_text(yaml, encoding="utf-8")
    base = folder.resolve()
    return [
        (
            sample.image.resolve().relative_to(base).as_posix(),
            sample.labels.resolve().relative_to(base).as_posix(),
        )
        for sample in read_dataset(file, split=split).samples
    ]


LAYOUTS = {
    "a folder": "val: images/val\nnames: [a]",
    "a folder below path": "path: .\nval: images/val\nnames: {0: a}",
    "a path of another machine": "path: /nowhere/else\nval: images/val\nnames: [a]",
    "a list of folders": "val: [images/val, images/val]\nnames: [a]",
    "a parent that some tools write": "val: ../images/val\nnames: [a]",
    "backslashes": "val: 'images\\val'\nnames: [a]",
    "a text file": "val: val.txt\nnames: [a]",
    "the other name of the split": "valid: images/val\nnames: [a]",
}


@pytest.mark.parametrize("yaml", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_a_split_is_found_however_it_is_given(tmp_path: Path, yaml: str) -> None:
    touch(
        tmp_path,
        "images/val/jalan_é.jpg",
        "images/val/sub/b.PNG",
        "images/val/notes.txt",
        "images/val/.c.jpg",
    )
    (tmp_path / "val.txt").write_text("./images/val/jalan_é.jpg\n\nimages/val/sub/b.PNG\n", encoding="utf-8")
    assert found(tmp_path, yaml) == [
        ("images/val/jalan_é.jpg", "labels/val/jalan_é.txt"),
        ("images/val/sub/b.PNG", "labels/val/sub/b.txt"),
    ]


def test_labels_lie_beside_where_no_folder_is_called_images(tmp_path: Path) -> None:
    touch(tmp_path, "set/a.tif")
    assert found(tmp_path, "val: set\nnames: [a]") == [("set/a.tif", "set/a.txt")]


def test_only_the_last_folder_images_becomes_labels(tmp_path: Path) -> None:
    touch(tmp_path, "images/v/images/a.jpg")
    assert found(tmp_path, "val: images/v/images\nnames: [a]") == [
        ("images/v/images/a.jpg", "images/v/labels/a.txt")
    ]


@pytest.mark.parametrize(
    ("yaml", "told"),
    [
        ("", "expected a mapping"),
        ("val: [\n", "is not YAML"),
        ("val: images", "class names"),
        ("val: images\nnames: {x: a}", "numbers of classes"),
        ("train: images\nnames: [a]", "no such split; the file's splits: train"),
        ("val: elsewhere\nnames: [a]", "was not found"),
        ("val: [images, 3]\nnames: [a]", "expected a folder"),
        ("val: images\nnames: [a]", "no picture in images"),
        ("val: list.txt\nnames: [a]", "picture 'gone.jpg' was not found"),
    ],
)
def test_what_is_wrong_with_a_data_set_is_said_in_one_line(tmp_path: Path, yaml: str, told: str) -> None:
    touch(tmp_path, "images/readme.md")
    (tmp_path / "list.txt").write_text("gone.jpg\n", encoding="utf-8")
    with pytest.raises(BadInputError, match=told):
        found(tmp_path, yaml)
