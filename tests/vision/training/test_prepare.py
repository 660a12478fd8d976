"""What is learnt from, kept back and judged: scenes stay apart, labels stay right, unlabelled classes are named."""

import json
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from serayu.models.errors import BadInputError
from serayu.vision.training.config import Augment, Card, Config, Judge, Source
from serayu.vision.training.pictures import source_pictures
from serayu.vision.training.prepare import prepare
from serayu.vision.training.scenes import hold_out

CLASSES = ("longitudinal_crack", "pothole", "patch_repair")
CARD = Card(title="t", purpose="p", limits=(), never=(), weights_licence="CC0")


def source(folder: str, split: str = "train", **settings: object) -> Source:
    return Source(folder=folder, split=split, licence="CC0", attribution="us", **settings)  # type: ignore[arg-type]


def place(seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A place seen from above: no two seeds look alike, and its parts can be told apart."""
    rng = np.random.default_rng(seed)
    ground = cv2.resize(
        rng.integers(60, 200, (60, 60, 3), dtype=np.uint8), (480, 480), interpolation=cv2.INTER_NEAREST
    )
    return np.asarray(cv2.GaussianBlur(ground, (0, 0), 1.0), np.uint8)


def put(
    folder: Path, split: str, name: str, image: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], labels: str
) -> None:
    for kind in ("images", "labels"):
        (folder / kind / split).mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(folder / "images" / split / f"{name}.png"), image)
    (folder / "labels" / split / f"{name}.txt").write_text(labels)
    names = {0: "pothole", 1: "longitudinal_crack", 2: "rut"}
    (folder / "data.yaml").write_text(json.dumps({"names": names}))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    box = "0 0.5 0.5 0.25 0.25\n"
    for number in range(6):
        put(tmp_path / "road", "train", f"t{number}", place(number)[:400, :400], box)
    put(tmp_path / "road", "train", "seen", place(100)[:400, :400], box)
    put(tmp_path / "road", "val", "v0", place(100)[60:460, 60:460], box + "2 0.5 0.5 0.1 0.1\n")
    put(tmp_path / "road", "val", "v1", place(101)[:400, :400], "1 0.25 0.25 0.5 0.5\n")
    return tmp_path


def config(**changes: object) -> Config:
    plain: dict[str, object] = {
        "name": "x",
        "task": "detect",
        "classes": CLASSES,
        "source": (source("road"),),
        "judge": (
            Judge(name="val", source=source("road", "val")),
            Judge(name="higher", source=source("road", "val"), shrink=2),
        ),
        "card": CARD,
        "augment": Augment(),
        "holdout": 0.34,
    }
    return Config(**{**plain, **changes})  # type: ignore[arg-type]


def test_a_picture_of_a_place_that_judges_is_not_learnt_from(data: Path, tmp_path: Path) -> None:
    out = prepare(config(), fingerprint="f", data=data, folder=tmp_path / "out")
    names = set(out.train) | set(out.holdout)
    assert out.left_out == 1
    assert "seen.png" not in names
    assert names == {f"t{number}.png" for number in range(6)}
    assert not set(out.train) & set(out.holdout)
    assert len(out.holdout) == 2
    assert {entry.scene for entry in out.train.values()}.isdisjoint(one.scene for one in out.holdout.values())
    assert sorted(path.name for path in (tmp_path / "out" / "images" / "train").iterdir()) == sorted(
        out.train
    )


def test_classes_are_matched_by_name_and_one_that_is_no_class_is_left_out(data: Path, tmp_path: Path) -> None:
    out = prepare(config(), fingerprint="f", data=data, folder=tmp_path / "out")
    assert (tmp_path / "out" / "labels" / "val" / "v0.txt").read_text().split()[0] == "1"
    assert out.counts["val"] == {"longitudinal_crack": 1, "pothole": 1, "patch_repair": 0}
    # The data know no patches: nobody says that there are none.
    assert all(entry.ignored == ((2, 0.0, 0.0, 1.0, 1.0),) for entry in out.train.values())


def test_a_higher_flight_is_made_of_shrunken_pictures_whose_labels_move_along(
    data: Path, tmp_path: Path
) -> None:
    prepare(config(), fingerprint="f", data=data, folder=tmp_path / "out")
    (sheet,) = (tmp_path / "out" / "images" / "higher").iterdir()
    assert cv2.imread(str(sheet)).shape == (400, 400, 3)  # type: ignore[union-attr]
    rows = (tmp_path / "out" / "labels" / "higher" / "sheet_0000.txt").read_text().splitlines()
    first = [float(field) for field in rows[0].split()]
    second = [float(field) for field in rows[1].split()]
    assert first == [1, 0.25, 0.25, 0.125, 0.125]
    assert second == [0, 0.625, 0.125, 0.25, 0.25]


def test_what_is_prepared_is_kept_and_of_another_configuration_refused(data: Path, tmp_path: Path) -> None:
    first = prepare(config(), fingerprint="f", data=data, folder=tmp_path / "out")
    again = prepare(config(), fingerprint="f", data=tmp_path / "gone", folder=tmp_path / "out")
    assert again == first
    assert msgspec.json.decode((tmp_path / "out" / "prepared.json").read_bytes())["left_out"] == 1
    with pytest.raises(BadInputError, match="another configuration"):
        prepare(config(), fingerprint="g", data=data, folder=tmp_path / "out")


def test_the_split_does_not_depend_on_the_folder_it_is_written_to(data: Path, tmp_path: Path) -> None:
    first = prepare(config(), fingerprint="f", data=data, folder=tmp_path / "a")
    assert prepare(config(), fingerprint="f", data=data, folder=tmp_path / "b") == first
    other = prepare(config(seed=5), fingerprint="f", data=data, folder=tmp_path / "c")
    assert other.left_out == first.left_out


def test_two_pictures_of_one_name_are_refused(data: Path, tmp_path: Path) -> None:
    twice = config(source=(source("road"), source("road")))
    with pytest.raises(BadInputError, match=r"has the name of"):
        prepare(twice, fingerprint="f", data=data, folder=tmp_path / "out")


@pytest.mark.parametrize("split", ["train", "val"])
def test_two_pictures_that_would_share_a_label_file_are_refused(
    data: Path, tmp_path: Path, split: str
) -> None:
    first = next((data / "road" / "images" / split).iterdir())
    cv2.imwrite(str(first.with_suffix(".jpg")), place(9))
    with pytest.raises(BadInputError, match=r"has the name of"):
        prepare(config(), fingerprint="f", data=data, folder=tmp_path / "out")


def test_limits_of_a_source_mute_what_they_leave_out(tmp_path: Path) -> None:
    labels = (
        "0 0.5 0.1 0.1 0.1\n0 0.5 0.7 0.1 0.1\n0 0.5 0.7 0.9 0.5\n0 0.2 0.7 0.02 0.3\n1 0.8 0.8 0.1 0.1\n"
    )
    put(tmp_path / "seg", "train", "a", place(0)[:200, :200], labels)
    limits = source("seg", known=("pothole",), keep=("pothole",), crop_top=0.4, most=0.2, longest=4.0)
    (picture,) = source_pictures(limits, data=tmp_path, classes=CLASSES)
    # Of five: the first is above the cut, the third too large, the fourth too long, the fifth of a class not kept.
    assert picture.labels.classes.tolist() == [1]
    assert picture.labels.boxes[0] == pytest.approx([0.45, (0.65 - 0.4) / 0.6, 0.55, (0.75 - 0.4) / 0.6])
    muted = [(box[0], box[1:] == (0.0, 0.0, 1.0, 1.0)) for box in picture.ignored]
    assert muted == [(1, False), (1, False), (0, True), (2, True)]


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        pytest.param({"split": "test"}, "not a folder", id="no such split"),
        pytest.param({"only": "z*"}, "holds no picture", id="no such file"),
        pytest.param({"folder": "none"}, "data.yaml", id="no such folder"),
    ],
)
def test_absent_data_are_named(data: Path, settings: dict[str, str], reason: str) -> None:
    chosen = msgspec.structs.replace(source("road"), **settings)
    with pytest.raises(BadInputError, match=reason):
        source_pictures(chosen, data=data, classes=CLASSES)


@pytest.mark.parametrize(
    ("row", "field", "reason"),
    [
        pytest.param("0 200 200 30 40", "x", "a fraction", id="pixels"),
        pytest.param("0 0.5 0.5 wide 0.1", "width", "a number", id="a word"),
        pytest.param("3 0.5 0.5 0.1 0.1", "class", "0 to 2", id="no class of the data"),
    ],
)
def test_a_label_that_cannot_be_learnt_from_is_named_with_file_row_and_field(
    data: Path, row: str, field: str, reason: str
) -> None:
    file = data / "road" / "labels" / "train" / "t1.txt"
    file.write_text(f"0 0.5 0.5 0.25 0.25\n{row}\n")
    with pytest.raises(BadInputError, match=reason) as caught:
        source_pictures(source("road"), data=data, classes=CLASSES)
    assert (caught.value.file, caught.value.row, caught.value.field) == (str(file), 2, field)


def test_a_row_written_twice_is_learnt_once(data: Path) -> None:
    (data / "road" / "labels" / "train" / "t0.txt").write_text("0 0.5 0.5 0.25 0.25\n" * 2)
    first = source_pictures(source("road"), data=data, classes=CLASSES)[1]
    assert (first.file.name, len(first.labels)) == ("t0.png", 1)


def test_class_numbers_may_have_gaps(data: Path) -> None:
    (data / "road" / "data.yaml").write_text("names: {0: pothole, 7: longitudinal_crack}")
    (data / "road" / "labels" / "train" / "t0.txt").write_text("7 0.5 0.5 0.25 0.25\n")
    pictures = source_pictures(source("road"), data=data, classes=CLASSES)
    assert {one.file.name: one.labels.classes.tolist() for one in pictures}["t0.png"] == [0]


def test_whole_scenes_are_kept_back_and_large_ones_never() -> None:
    scenes = np.array([0] * 50 + list(range(1, 51)))
    back = hold_out(scenes, share=0.2, seed=1)
    assert back.sum() == 20
    assert not back[:50].any()
    assert (back == hold_out(scenes, share=0.2, seed=1)).all()
    assert not hold_out(scenes, share=0.0, seed=1).any()
