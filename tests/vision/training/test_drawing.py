"""Cut-outs, zoom and looks: labels stay where the things are."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serayu.vision.training.config import Augment, Paste
from serayu.vision.training.drawing import Changes, Drawn, chances, changed, with_ignored
from serayu.vision.training.graft import Scion, graft_some, scions
from serayu.vision.training.looks import changed_look, zoomed
from serayu.vision.training.paste import Bank, lay, paste_some
from serayu.vision.training.prepare import Entry

ALWAYS = Augment(zoom=(0.4, 2.0), zoom_p=1, tone_p=1, soft_p=1, noise_p=1, jpeg_p=1)
seeds = st.integers(0, 2**32 - 1)


def asphalt(side: int = 160) -> npt.NDArray[np.uint8]:
    return np.full((side, side, 3), 120, np.uint8)


def disc() -> npt.NDArray[np.uint8]:
    """A dark disc cut out of a light picture."""
    cut = np.full((101, 101, 4), 200, np.uint8)
    cut[..., 3] = 0
    cv2.circle(cut, (50, 50), 48, (40, 40, 40, 255), -1)
    return cut


@settings(max_examples=40, deadline=None)
@given(seeds)
def test_a_cut_out_changes_the_picture_in_its_box_and_nowhere_else(seed: int) -> None:
    image = asphalt()
    pasted = paste_some(
        image, np.zeros((0, 4)), (disc(),), most=1, size_px=(20, 60), rng=np.random.default_rng(seed)
    )
    assert image.min() == image.max() == 120, "the picture given is not changed"
    (box,) = pasted.boxes_px
    rows, columns = np.nonzero(np.abs(pasted.image.astype(int) - 120).max(axis=2) > 4)
    assert 15 <= max(box[2:] - box[:2]) <= 62
    assert rows.min() >= box[1] - 4
    assert rows.max() <= box[3] + 4
    assert columns.min() >= box[0] - 4
    assert columns.max() <= box[2] + 4


@settings(max_examples=40, deadline=None)
@given(seeds)
def test_nothing_is_laid_over_what_is_labelled_or_over_what_is_laid(seed: int) -> None:
    taken = np.array([[0.0, 0.0, 80.0, 160.0]])
    pasted = paste_some(
        asphalt(), taken, (disc(),), most=4, size_px=(20, 40), rng=np.random.default_rng(seed)
    )
    boxes = np.vstack([taken, pasted.boxes_px])
    for first in range(len(boxes)):
        for second in range(first):
            apart = np.maximum(boxes[first, :2] - boxes[second, 2:], boxes[second, :2] - boxes[first, 2:])
            assert apart.max() >= 0


@pytest.mark.parametrize(
    "background",
    [
        pytest.param((40, 160, 40), id="grass"),
        pytest.param((0, 0, 0), id="black edge of a warped picture"),
        pytest.param(None, id="stripes of a marking"),
    ],
)
def test_nothing_is_laid_where_there_is_no_bare_road(background: tuple[int, int, int] | None) -> None:
    image = asphalt()
    if background is None:
        image[::8] = 255
    else:
        image[:] = background
    pasted = paste_some(
        image, np.zeros((0, 4)), (disc(),), most=3, size_px=(20, 60), rng=np.random.default_rng(0)
    )
    assert len(pasted.boxes_px) == 0
    assert (pasted.image == image).all()


def test_a_cut_out_too_thin_to_be_seen_at_its_size_is_not_laid() -> None:
    thin = np.full((4, 400, 4), 255, np.uint8)
    laid = []
    for seed in range(20):
        pasted = paste_some(
            asphalt(),
            np.zeros((0, 4)),
            (thin,),
            most=1,
            size_px=(12.0, 20.0),
            rng=np.random.default_rng(seed),
        )
        laid.append(len(pasted.boxes_px))
        assert bool(laid[-1]) or (pasted.image == asphalt()).all()
    assert 0 in laid


def test_a_cut_out_takes_the_tone_of_the_road() -> None:
    dark, light = asphalt() // 2, np.minimum(asphalt().astype(int) * 2, 255).astype(np.uint8)
    on_dark, box = lay(dark, disc(), place=(20, 20), rng=np.random.default_rng(0))
    on_light, _ = lay(light, disc(), place=(20, 20), rng=np.random.default_rng(0))
    x, y = (box[:2] + box[2:]).astype(int) // 2
    assert on_light[y, x].mean() - on_dark[y, x].mean() > 50


@settings(max_examples=60, deadline=None)
@given(seeds, st.floats(0.4, 2.0), st.integers(20, 150), st.integers(20, 150))
def test_zoom_keeps_a_box_on_its_thing(seed: int, factor: float, x: int, y: int) -> None:
    image = asphalt(200)
    box = np.array([[x, y, x + 40, y + 30]], float)
    image[y : y + 30, x : x + 40] = 20
    result, boxes, kept = zoomed(image, box, factor=factor, most_px=200, rng=np.random.default_rng(seed))
    assert max(result.shape[:2]) <= 200
    rows, columns = np.nonzero(result[..., 0] < 70)
    if not kept[0]:
        assert len(rows) <= 0.3 * 40 * 30 * factor**2 + 30
        return
    seen = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
    assert np.abs(seen - boxes[0]).max() <= 1.5 + factor


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_a_look_changes_no_shape_and_is_the_same_for_the_same_seed(seed: int) -> None:
    image = np.random.default_rng(1).integers(0, 256, (64, 48, 3), dtype=np.uint8)
    first = changed_look(image, ALWAYS, np.random.default_rng(seed))
    assert first.shape == image.shape
    assert first.dtype == np.uint8
    assert (first == changed_look(image, ALWAYS, np.random.default_rng(seed))).all()
    assert (changed_look(image, Augment(), np.random.default_rng(seed)) == image).all()


@given(seed=st.integers(0, 10_000))
def test_shadows_of_leaves_only_darken(seed: int) -> None:
    image = np.full((60, 90, 3), 200, np.uint8)
    shaded = changed_look(image, Augment(shade_p=1), np.random.default_rng(seed))
    assert shaded.shape == image.shape
    assert (shaded <= image).all()
    assert shaded.min() >= 200 * (1 - 0.65 * 1.05) - 1


def test_classes_nobody_labelled_become_a_box_over_the_picture_through_every_zoom() -> None:
    drawn = Drawn(asphalt(), np.array([0]), np.array([[10.0, 10.0, 30.0, 30.0]]))
    entry = Entry(source=0, scene=0, weight=1, ignored=((4, 0.0, 0.0, 1.0, 1.0),))
    mute = with_ignored(drawn, entry, classes=5)
    assert mute.classes.tolist() == [0, 9]
    changes = Changes(Augment(zoom=(0.4, 2.0), zoom_p=1), (), 5)
    for seed in range(30):
        after = changed(mute, changes, most_px=160, rng=np.random.default_rng(seed))
        (whole,) = after.boxes_px[after.classes == 9]
        assert whole.tolist() == [0, 0, after.image.shape[1], after.image.shape[0]]


def test_cut_outs_are_laid_though_a_class_is_muted_all_over() -> None:
    bank: Bank = (disc(),)
    paste = Paste(folder="b", label="pothole", licence="l", attribution="a", p=1, most=2, size_px=(20, 50))
    drawn = Drawn(asphalt(), np.array([9]), np.array([[0.0, 0.0, 160.0, 160.0]]))
    after = changed(
        drawn, Changes(Augment(), ((paste, 3, bank),), 5), most_px=160, rng=np.random.default_rng(0)
    )
    assert (after.classes == 3).sum() >= 1
    assert len(after.classes) == len(after.boxes_px)


def test_pictures_are_drawn_by_weight() -> None:
    entries = {"a": Entry(source=0, scene=0, weight=3), "b": Entry(source=0, scene=1, weight=1)}
    assert chances(["b", "a"], entries).tolist() == [0.25, 0.75]
    with pytest.raises(KeyError):
        chances(["c"], entries)


def put(folder: Path, name: str, labels: str, level: int = 120) -> None:
    for kind in ("images", "labels"):
        (folder / kind / "train").mkdir(parents=True, exist_ok=True)
    image = np.full((200, 200, 3), level, np.uint8)
    image[80:120, 80:120] = level // 2
    cv2.imwrite(str(folder / "images" / "train" / f"{name}.png"), image)
    (folder / "labels" / "train" / f"{name}.txt").write_text(labels)


@pytest.mark.parametrize(
    ("labels", "count"),
    [
        pytest.param("", 0, id="nothing labelled"),
        pytest.param("0 0.5 0.5 0.2 0.2\n", 1, id="alone"),
        pytest.param("1 0.5 0.5 0.2 0.2\n", 0, id="of another class"),
        pytest.param("0 0.5 0.5 0.1 0.1\n", 0, id="too small"),
        pytest.param("0 0.5 0.5 0.7 0.2\n", 0, id="too large"),
        pytest.param("0 0.1 0.5 0.2 0.2\n", 0, id="at the edge"),
        pytest.param("0 0.5 0.5 0.2 0.2\n1 0.5 0.62 0.1 0.1\n", 0, id="beside another label"),
        pytest.param("0 0.5 0.5 0.2 0.2\n1 0.8 0.8 0.1 0.1\n", 1, id="far from another label"),
    ],
)
def test_a_thing_is_taken_only_when_it_stands_alone(tmp_path: Path, labels: str, count: int) -> None:
    put(tmp_path, "a", labels)
    entries = {"a.png": Entry(source=0, scene=0, weight=1)}
    found = scions(tmp_path, entries, label=0, classes=2, most_px=100)
    assert len(found) == count
    for one in found:
        left, top, right, bottom = one.inner
        assert (one.image[top:bottom, left:right] == 60).all()
        assert (one.image[: top - 1] == 120).all()
    muted = {"a.png": Entry(source=0, scene=0, weight=1, ignored=((1, 0, 0, 1, 1),))}
    assert not scions(tmp_path, muted, label=0, classes=2, most_px=100)


@settings(max_examples=30, deadline=None)
@given(seeds, st.sampled_from([70, 120, 180]))
def test_a_graft_keeps_its_contrast_on_another_road_and_leaves_the_rest(seed: int, level: int) -> None:
    image = np.full((56, 56, 3), 120, np.uint8)
    image[8:48, 8:48] = 60
    road = np.full((200, 200, 3), level, np.uint8)
    laid = graft_some(
        road,
        np.zeros((0, 4)),
        (Scion(image, (8, 8, 48, 48)),),
        most=1,
        scale=(0.8, 1.5),
        rng=np.random.default_rng(seed),
    )
    (box,) = laid.boxes_px
    x, y = ((box[:2] + box[2:]) / 2).astype(int)
    assert laid.image[y, x] == pytest.approx(level / 2, abs=0.04 * level)
    rows, columns = np.nonzero(np.abs(laid.image.astype(int) - level).max(axis=2) > 0.15 * level)
    assert np.abs(np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]) - box).max() <= 2.5
    assert (road == level).all()


@settings(max_examples=40, deadline=None)
@given(seeds)
def test_a_clean_part_holds_nothing_labelled_and_mutes_what_the_picture_mutes(seed: int) -> None:
    image = asphalt()
    image[60:100, 60:100] = 0
    drawn = Drawn(image, np.array([0, 9]), np.array([[60.0, 60.0, 100.0, 100.0], [0.0, 0.0, 160.0, 160.0]]))
    part = changed(drawn, Changes(Augment(clean_p=1), (), 5), most_px=160, rng=np.random.default_rng(seed))
    if part.image.shape == image.shape:
        return
    assert part.image.min() == 120
    assert part.classes.tolist() == [9]
    assert part.boxes_px.tolist() == [[0, 0, part.image.shape[1], part.image.shape[0]]]


def test_a_picture_full_of_labels_has_no_clean_part() -> None:
    drawn = Drawn(asphalt(), np.array([0]), np.array([[10.0, 10.0, 150.0, 150.0]]))
    part = changed(drawn, Changes(Augment(clean_p=1), (), 5), most_px=160, rng=np.random.default_rng(0))
    assert part.classes.tolist() == [0]
