"""What two tiles both see is one thing, and nothing else is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serayu.vision.runtime.found import Found, empty_found
from serayu.vision.runtime.merge import merge_tiles
from serayu.vision.runtime.tiles import Tiles, plan_tiles

Box = tuple[float, float, float, float]

PAIR = plan_tiles(180, 100, side_px=100)
"""Two tiles, 0-100 and 80-180, whose common region is 80-100."""


def made(
    *rows: tuple[Box, int], scores: list[float] | None = None, label: int = 0
) -> tuple[Found, np.ndarray]:
    boxes = np.array([box for box, _ in rows], dtype=np.float64).reshape(-1, 4)
    told = np.array(scores if scores is not None else [0.5] * len(rows))
    return Found(boxes, told, np.full(len(rows), label)), np.array([tile for _, tile in rows], dtype=np.intp)


def cut_up(boxes: list[tuple[Box, int]], tiles: Tiles) -> tuple[Found, np.ndarray]:
    """Return given boxes as a perfect detector finds them: cut by every tile that sees some of them."""
    rows, labels, tile_of = [], [], []
    for tile, (left, top, right, bottom) in enumerate(tiles.xyxy_px):
        for box, label in boxes:
            seen = (max(box[0], left), max(box[1], top), min(box[2], right), min(box[3], bottom))
            if seen[2] > seen[0] and seen[3] > seen[1]:
                rows.append(seen)
                labels.append(label)
                tile_of.append(tile)
    found = Found(np.array(rows, dtype=np.float64).reshape(-1, 4), np.full(len(rows), 0.5), np.array(labels))
    return found, np.array(tile_of, dtype=np.intp)


def boxes_of(found: Found) -> list[Box]:
    return [tuple(row) for row in found.xyxy_px.tolist()]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([((10, 10, 20, 20), 0)], [(10, 10, 20, 20)], id="one"),
        pytest.param(
            [((82, 10, 98, 20), 0), ((83, 11, 98, 20), 1)],
            [(82, 10, 98, 20)],
            id="seen twice in the common region",
        ),
        pytest.param([((40, 10, 100, 20), 0), ((80, 10, 150, 20), 1)], [(40, 10, 150, 20)], id="goes on"),
        pytest.param(
            [((60, 10, 98, 20), 0), ((80, 11, 98, 20), 1)], [(60, 10, 98, 20)], id="cut in one only"
        ),
        pytest.param(
            [((0, 0, 100, 30), 0), ((80, 26, 180, 60), 1)], [(0, 0, 180, 60)], id="an oblique crack goes on"
        ),
        pytest.param(
            [((0, 0, 100, 30), 0), ((80, 32, 180, 60), 1)],
            [(0, 0, 100, 30), (80, 32, 180, 60)],
            id="parallel neighbours",
        ),
        pytest.param(
            [((92, 10, 100, 90), 0), ((80, 30, 180, 95), 1)],
            [(80, 30, 180, 95), (92, 10, 100, 90)],
            id="a cut neighbour that begins elsewhere is not absorbed",
        ),
        pytest.param(
            [((82, 12, 88, 18), 0), ((80, 10, 150, 20), 1)], [(80, 10, 150, 20)], id="a part seen alone"
        ),
        pytest.param(
            [((10, 10, 30, 30), 0), ((11, 10, 30, 30), 0)],
            [(10, 10, 30, 30)],
            id="twice in one tile",
        ),
    ],
)
def test_boxes_of_two_tiles(rows: list[tuple[Box, int]], expected: list[Box]) -> None:
    assert boxes_of(merge_tiles(*made(*rows), PAIR)) == expected


def test_the_best_score_is_kept_and_classes_are_apart() -> None:
    found, tile_of = made(((82, 10, 98, 20), 0), ((82, 10, 98, 20), 1), scores=[0.3, 0.9])
    assert merge_tiles(found, tile_of, PAIR).scores.tolist() == [0.9]
    other = Found(found.xyxy_px, found.scores, np.array([0, 1]))
    assert len(merge_tiles(other, tile_of, PAIR)) == 2


def test_weak_boxes_widen_nothing_and_do_not_chain() -> None:
    found, tile_of = made(
        ((40, 10, 100, 20), 0),
        ((80, 10, 150, 20), 1),
        ((80, 0, 180, 100), 1),
        ((82, 60, 98, 70), 0),
        ((82, 60, 98, 71), 1),
        scores=[0.9, 0.8, 0.1, 0.02, 0.03],
    )
    merged = merge_tiles(found, tile_of, PAIR, sure=0.5)
    seen = dict(zip(boxes_of(merged), merged.scores.tolist(), strict=True))
    assert seen == {(40, 10, 150, 20): 0.9, (80, 0, 180, 100): 0.1, (82, 60, 98, 71): 0.03}
    strong = found.taken(np.array([0, 1]))
    assert boxes_of(merge_tiles(strong, tile_of[:2], PAIR)) == [(40, 10, 150, 20)]


def test_a_crack_through_many_tiles_is_one() -> None:
    tiles = plan_tiles(2000, 90, side_px=100)
    found, tile_of = cut_up([((3, 40, 1990, 48), 0)], tiles)
    assert len(found) > 20
    assert boxes_of(merge_tiles(found, tile_of, tiles)) == [(3, 40, 1990, 48)]


def test_masks_are_joined_by_union() -> None:
    found, tile_of = made(((40, 10, 100, 20), 0), ((80, 10, 150, 20), 1))
    rings = [
        np.array([[a, 10], [b, 10], [b, 20], [a, 20], [a, 10]], dtype=float)
        for a, b in ((40, 100), (80, 150))
    ]
    masked = Found(found.xyxy_px, found.scores, found.labels, ((rings[0],), (rings[1],)))
    merged = merge_tiles(masked, tile_of, PAIR)
    ((ring,),) = merged.outlines_px
    assert (ring.min(axis=0).tolist(), ring.max(axis=0).tolist()) == ([40, 10], [150, 20])


@st.composite
def apart(draw: st.DrawFn) -> list[tuple[Box, int]]:
    """Return boxes of which no two overlap, of two classes: one at most in each square of a grid."""
    squares = draw(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), unique=True, max_size=12))
    boxes = []
    for column, row in squares:
        left, top = draw(st.integers(0, 40)), draw(st.integers(0, 40))
        width, height = draw(st.integers(4, 50)), draw(st.integers(4, 50))
        x, y = column * 100 + left, row * 100 + top
        boxes.append(((float(x), float(y), float(x + width), float(y + height)), draw(st.integers(0, 1))))
    return boxes


@given(boxes=apart(), side=st.integers(60, 300), overlap=st.floats(0.15, 0.6), margin=st.integers(0, 24))
def test_given_boxes_come_back_whole_wherever_the_tiles_lie(
    boxes: list[tuple[Box, int]], side: int, overlap: float, margin: int
) -> None:
    tiles = plan_tiles(600, 600, side_px=side, overlap=overlap, margin_px=margin)
    merged = merge_tiles(*cut_up(boxes, tiles), tiles)
    assert sorted(zip(boxes_of(merged), merged.labels.tolist(), strict=True)) == sorted(boxes)


@st.composite
def noisy(draw: st.DrawFn) -> tuple[Found, np.ndarray, Tiles]:
    """Return boxes of any kind in tiles of any kind."""
    tiles = plan_tiles(draw(st.integers(50, 400)), draw(st.integers(50, 400)), side_px=100)
    count = draw(st.integers(0, 25))
    tile_of = np.array(
        draw(st.lists(st.integers(0, len(tiles) - 1), min_size=count, max_size=count)), dtype=np.intp
    )
    share = st.tuples(*[st.floats(0, 1)] * 4)
    boxes = np.zeros((count, 4))
    for row, tile in enumerate(tile_of):
        a, b, c, d = draw(share)
        left, top, right, _ = tiles.xyxy_px[tile]
        x, y = (
            sorted((left + a * (right - left), left + c * (right - left))),
            sorted((top + b * 90, top + d * 90)),
        )
        boxes[row] = x[0], y[0], x[1] + 1, y[1] + 1
    scores = np.array(draw(st.lists(st.floats(0.1, 1), min_size=count, max_size=count)))
    labels = np.array(draw(st.lists(st.integers(0, 2), min_size=count, max_size=count)), dtype=np.intp)
    return Found(boxes, scores, labels), tile_of, tiles


@given(case=noisy(), seed=st.integers(0, 1000))
def test_the_order_of_boxes_is_without_effect(case: tuple[Found, np.ndarray, Tiles], seed: int) -> None:
    found, tile_of, tiles = case
    order = np.random.default_rng(seed).permutation(len(found))
    one, other = merge_tiles(found, tile_of, tiles), merge_tiles(found.taken(order), tile_of[order], tiles)
    assert one.xyxy_px.tolist() == other.xyxy_px.tolist()
    assert (one.scores.tolist(), one.labels.tolist()) == (other.scores.tolist(), other.labels.tolist())


@given(case=noisy())
def test_joining_what_was_joined_changes_nothing(case: tuple[Found, np.ndarray, Tiles]) -> None:
    found, tile_of, tiles = case
    once = merge_tiles(found, tile_of, tiles)
    whole = plan_tiles(tiles.width_px, tiles.height_px, side_px=500)
    clipped = once.xyxy_px.clip(0, [tiles.width_px, tiles.height_px] * 2)
    again = merge_tiles(Found(clipped, once.scores, once.labels), np.zeros(len(once), dtype=np.intp), whole)
    assert again.xyxy_px.tolist() == clipped.tolist()
    assert again.scores.tolist() == once.scores.tolist()


def test_nothing_stays_nothing() -> None:
    assert len(merge_tiles(empty_found(), np.zeros(0, dtype=np.intp), PAIR)) == 0
