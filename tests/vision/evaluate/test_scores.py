"""Matching, precision, F1 and their intervals, on tables worked out by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serayu.models.errors import BadInputError
from serayu.vision.evaluate.counts import Counts, count, f1_interval
from serayu.vision.evaluate.masks import covered_px, mask_ious, shape_of
from serayu.vision.evaluate.matching import Pairs, box_ious, match
from serayu.vision.evaluate.naming import match_names
from serayu.vision.evaluate.precision import average_precision, average_precisions
from serayu.vision.evaluate.threshold import best_threshold


def pairs(scores: list[float], ious: list[list[float]], truths: int | None = None) -> Pairs:
    columns = len(ious[0]) if ious else truths or 0
    return Pairs(np.array(scores), columns, np.array(ious, dtype=float).reshape(len(scores), columns))


@pytest.mark.parametrize(
    ("one", "other", "iou"),
    [
        ((0, 0, 10, 10), (0, 0, 10, 10), 1.0),
        ((0, 0, 10, 10), (5, 0, 15, 10), 1 / 3),
        ((0, 0, 10, 10), (10, 0, 20, 10), 0.0),
        ((0, 0, 10, 10), (2, 2, 4, 4), 0.04),
        ((3, 3, 3, 9), (0, 0, 10, 10), 0.0),  # a box without area
        ((3, 3, 3, 3), (3, 3, 3, 3), 0.0),
    ],
)
def test_overlap_of_two_boxes(one: tuple[float, ...], other: tuple[float, ...], iou: float) -> None:
    assert box_ious(np.array([one], float), np.array([other], float))[0, 0] == pytest.approx(iou)


@pytest.mark.parametrize("shape", [(0, 4), (3, 4)])
def test_overlap_with_nothing_is_an_empty_table(shape: tuple[int, int]) -> None:
    assert box_ious(np.ones(shape), np.ones((0, 4))).shape == (shape[0], 0)


@pytest.mark.parametrize(
    ("ious", "expected"),
    [
        ([], []),
        ([[0.49]], [-1]),
        ([[0.5]], [0]),
        ([[0.9], [0.95]], [0, -1]),  # the higher score takes it, not the better overlap
        ([[0.6, 0.8], [0.1, 0.7]], [1, -1]),  # takes what it overlaps most; one to one
        ([[0.6, 0.8], [0.7, 0.7]], [1, 0]),
    ],
)
def test_matching_is_greedy_by_score_and_one_to_one(ious: list[list[float]], expected: list[int]) -> None:
    table = np.array(ious, dtype=float).reshape(len(ious), len(ious[0]) if ious else 0)
    assert match(table, limit=0.5).tolist() == expected


@given(
    st.integers(0, 8).flatmap(
        lambda n: st.integers(0, 6).flatmap(
            lambda m: st.lists(st.lists(st.floats(0, 1), min_size=m, max_size=m), min_size=n, max_size=n).map(
                lambda rows: np.array(rows, dtype=float).reshape(n, m)
            )
        )
    ),
    st.integers(0, 8),
)
def test_what_scores_lower_never_changes_a_match(ious: np.ndarray, cut: int) -> None:
    matched = match(ious, limit=0.5)
    assert matched[:cut].tolist() == match(ious[:cut], limit=0.5).tolist()
    taken = matched[matched >= 0].tolist()
    assert len(taken) == len(set(taken))


@pytest.mark.parametrize(
    ("counts", "precision", "recall", "f1"),
    [
        (Counts(0, 0, 0), None, None, None),
        (Counts(0, 0, 4), 0.0, 0.0, 0.0),
        (Counts(0, 3, 0), 0.0, 0.0, 0.0),
        (Counts(6, 2, 4), 0.75, 0.6, 2 / 3),
    ],
)
def test_scores_of_counts(
    counts: Counts, precision: float | None, recall: float | None, f1: float | None
) -> None:
    assert counts.precision == pytest.approx(precision)
    assert counts.recall == pytest.approx(recall)
    assert counts.f1 == pytest.approx(f1)


def test_a_threshold_counts_from_its_own_value_up() -> None:
    one = pairs([0.9, 0.5, 0.3], [[0.8, 0.0], [0.7, 0.0], [0.0, 0.6]])
    assert count(one, threshold=0.5) == Counts(1, 1, 1)
    assert count(one, threshold=0.3) == Counts(2, 1, 0)
    assert count(one, threshold=0.95) == Counts(0, 0, 2)


@pytest.mark.parametrize(
    ("scores", "hits", "truths", "expected"),
    [
        ([], [], 3, 0.0),
        ([0.9], [1], 1, 1.0),
        ([0.9], [0], 1, 0.0),
        # Precision 1 up to recall 1/2: 51 of 101 points.
        ([0.9], [1], 2, 51 / 101),
        # Right, false, right: precision 1 to recall 1/2 (51 points), then 2/3 (50 points).
        ([0.9, 0.8, 0.7], [1, 0, 1], 2, (51 + 50 * 2 / 3) / 101),
        # False first: precision never above 1/2 or 2/3; the envelope lifts the first half to 2/3.
        ([0.9, 0.8, 0.7], [0, 1, 1], 2, 2 / 3),
        ([0.7, 0.9, 0.8], [1, 0, 1], 2, 2 / 3),  # in any order
    ],
)
def test_average_precision_by_hand(
    scores: list[float], hits: list[int], truths: int, expected: float
) -> None:
    assert average_precision(np.array(scores), np.array(hits, float), truths=truths) == pytest.approx(
        expected
    )


def test_a_class_that_is_nowhere_has_no_precision() -> None:
    assert average_precisions([pairs([0.4], [[]])]) is None


def test_at_most_a_hundred_of_a_class_count_in_one_picture() -> None:
    scores = list(np.linspace(0.9, 0.1, 101))
    ious = [[0.0]] * 100 + [[1.0]]
    values = average_precisions([pairs(scores, ious)], limits=(0.5,))
    assert values is not None
    assert values[0] == 0.0


def test_the_best_threshold_lies_between_right_and_false() -> None:
    right = [pairs([0.8], [[0.9]]) for _ in range(20)]
    false = [pairs([0.3], [[0.1]]) for _ in range(20)]
    chosen = best_threshold(right + false)
    assert 0.3 < chosen.threshold <= 0.8
    assert chosen.f1 == pytest.approx(2 * 20 / (20 + 40))


def test_no_threshold_is_chosen_where_nothing_is_labelled() -> None:
    with pytest.raises(ValueError, match="nothing is labelled"):
        best_threshold([pairs([0.4], [[]])])


def test_scenes_that_agree_give_an_interval_without_width() -> None:
    interval = f1_interval([Counts(3, 1, 1)] * 5, range(5))
    assert interval is not None
    np.testing.assert_allclose(interval, [0.75, 0.75])


def test_frames_of_one_scene_widen_the_interval() -> None:
    counts = [Counts(1, 0, 0)] * 20 + [Counts(0, 0, 1)] * 20
    frames = f1_interval(counts, range(40))
    scenes = f1_interval(counts, [k // 10 for k in range(40)])
    assert frames is not None
    assert scenes is not None
    assert scenes[1] - scenes[0] > 1.8 * (frames[1] - frames[0])
    assert scenes == f1_interval(counts, [k // 10 for k in range(40)])  # seeded


@pytest.mark.parametrize("counts", [[], [Counts(3, 1, 1)], [Counts(), Counts()]])
def test_no_interval_of_one_scene_or_of_nothing(counts: list[Counts]) -> None:
    assert f1_interval(counts, range(len(counts))) is None


@given(st.lists(st.tuples(*[st.integers(0, 9)] * 3), min_size=2, max_size=12))
def test_the_interval_lies_between_nought_and_one(rows: list[tuple[int, int, int]]) -> None:
    interval = f1_interval([Counts(*row) for row in rows], range(len(rows)), repeats=50)
    assert interval is None or 0 <= interval[0] <= interval[1] <= 1


SQUARE = np.array([[0, 0], [10, 0], [10, 10], [0, 10]], float)


def test_overlap_of_masks_by_hand() -> None:
    triangle = np.array([[0, 0], [10, 0], [0, 10]], float)
    bowtie = np.array([[0, 0], [10, 10], [10, 0], [0, 10]], float)  # crosses itself: two triangles of 25
    shapes = [shape_of([SQUARE]), shape_of([triangle]), shape_of([bowtie]), shape_of([SQUARE[:2]])]
    assert [shape.area for shape in shapes] == pytest.approx([100, 50, 50, 0])
    assert mask_ious(shapes, shapes[:1])[:, 0] == pytest.approx([1.0, 0.5, 0.5, 0.0])
    assert mask_ious(shapes, []).shape == (4, 0)
    assert covered_px(shapes[:1], [shape_of([SQUARE + 5])]) == pytest.approx((25.0, 175.0))
    assert covered_px([], []) == (0.0, 0.0)


def test_classes_are_matched_by_name_and_the_rest_is_named() -> None:
    naming = match_names(
        ("pothole", "patch_repair", "alligator_crack", "landslide"),
        ("manhole", "Patch-Repair", "Pothole", "alligator crack"),
        labelled={0, 1, 2},
    )
    assert naming.counted == ("pothole", "patch_repair")
    assert naming.by_index == {1: "patch_repair", 2: "pothole"}
    assert naming.weights_only == ("landslide",)
    assert naming.data_only == ("manhole",)
    assert naming.unlabelled == ("alligator_crack",)


def test_pictures_of_background_alone_leave_no_class_out() -> None:
    naming = match_names(("a", "b"), ("b", "a"), labelled=())
    assert naming.counted == ("a", "b")
    assert naming.unlabelled == ()


def test_data_without_a_shared_class_are_refused() -> None:
    with pytest.raises(BadInputError, match="no class of the data"):
        match_names(("a",), ("b",), labelled={0})


def test_precision_agrees_with_an_area_under_the_curve_of_its_own() -> None:
    """101 points against the area under the same envelope, which they sample: they differ by a point's width."""
    random = np.random.default_rng(3)
    scores, hits = random.random(500), (random.random(500) < 0.6).astype(float)
    truths = int(hits.sum()) + 40
    order = np.argsort(-scores)
    found = np.cumsum(hits[order])
    envelope = np.maximum.accumulate((found / np.arange(1, 501))[::-1])[::-1]
    area = math.fsum(envelope[k] / truths for k in range(500) if hits[order][k])
    assert average_precision(scores, hits, truths=truths) == pytest.approx(area, abs=0.01)
