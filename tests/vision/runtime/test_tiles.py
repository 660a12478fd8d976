"""Tiles cover a picture, evenly, with the overlap that was asked for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serayu.vision.runtime.tiles import PAD_VALUE, cut_tile, plan_tiles


@pytest.mark.parametrize(
    ("width", "height", "side", "overlap", "expected"),
    [
        pytest.param(1, 1, 64, 0.2, [(0, 0, 1, 1)], id="one pixel"),
        pytest.param(64, 64, 64, 0.2, [(0, 0, 64, 64)], id="just one tile"),
        pytest.param(65, 64, 64, 0.2, [(0, 0, 64, 64), (1, 0, 65, 64)], id="one pixel more"),
        pytest.param(115, 30, 64, 0.2, [(0, 0, 64, 30), (51, 0, 115, 30)], id="as far apart as may be"),
    ],
)
def test_a_picture_is_cut(
    width: int, height: int, side: int, overlap: float, expected: list[tuple[int, ...]]
) -> None:
    tiles = plan_tiles(width, height, side_px=side, overlap=overlap)
    assert [tuple(row) for row in tiles.xyxy_px.tolist()] == expected


def test_a_large_photo_needs_no_more_tiles_than_the_usual_cut() -> None:
    assert len(plan_tiles(4000, 3000, side_px=640)) == 48
    assert len(plan_tiles(8000, 8000, side_px=640)) == 256


@given(
    width=st.integers(1, 700),
    height=st.integers(1, 700),
    side=st.integers(32, 128),
    overlap=st.floats(0.05, 0.8),
)
def test_every_pixel_is_seen_and_neighbours_overlap_enough(
    width: int, height: int, side: int, overlap: float
) -> None:
    tiles = plan_tiles(width, height, side_px=side, overlap=overlap)
    seen = np.zeros((height, width), dtype=bool)
    for left, top, right, bottom in tiles.xyxy_px:
        seen[top:bottom, left:right] = True
        assert (right - left, bottom - top) == (min(side, width), min(side, height))
    assert seen.all()
    lefts = np.unique(tiles.xyxy_px[:, 0])
    assert (np.diff(lefts) <= side * (1 - overlap) + 1).all()


@pytest.mark.parametrize(
    ("size", "overlap"), [((0, 5), 0.2), ((5, 0), 0.2), ((5, 5), 0.0), ((5, 5), 0.95), ((5, 5), float("nan"))]
)
def test_a_senseless_plan_is_refused(size: tuple[int, int], overlap: float) -> None:
    with pytest.raises(ValueError, match=r"overlap|tiles"):
        plan_tiles(*size, side_px=64, overlap=overlap)


def test_what_a_small_picture_leaves_is_grey_whatever_the_buffer_held() -> None:
    image = np.full((10, 20, 3), 200, dtype=np.uint8)
    buffer = np.full((32, 32, 3), 7, dtype=np.uint8)
    cut_tile(image, plan_tiles(20, 10, side_px=32), 0, into=buffer)
    assert (buffer[:10, :20] == 200).all()
    assert (buffer[10:] == PAD_VALUE).all()
    assert (buffer[:10, 20:] == PAD_VALUE).all()


def test_a_margin_lies_around_the_picture_and_is_grey() -> None:
    image = np.full((10, 20, 3), 200, dtype=np.uint8)
    tiles = plan_tiles(20, 10, side_px=32, margin_px=4)
    assert tiles.xyxy_px.tolist() == [[0, 0, 20, 10]]
    assert tiles.inset_px.tolist() == [[4, 4]]
    buffer = np.full((32, 32, 3), 7, dtype=np.uint8)
    cut_tile(image, tiles, 0, into=buffer)
    assert (buffer[4:14, 4:24] == 200).all()
    buffer[4:14, 4:24] = PAD_VALUE
    assert (buffer == PAD_VALUE).all()


@given(
    width=st.integers(1, 300), height=st.integers(1, 300), side=st.integers(32, 96), margin=st.integers(0, 15)
)
def test_with_a_margin_every_pixel_is_seen_where_the_plan_says(
    width: int, height: int, side: int, margin: int
) -> None:
    rows, columns = np.indices((height, width)) % 251
    image = np.dstack([rows, columns, rows]).astype(np.uint8)
    tiles = plan_tiles(width, height, side_px=side, margin_px=margin)
    seen = np.zeros((height, width), dtype=bool)
    buffer = np.zeros((side, side, 3), dtype=np.uint8)
    for index, ((left, top, right, bottom), (x, y)) in enumerate(
        zip(tiles.xyxy_px, tiles.inset_px, strict=True)
    ):
        cut_tile(image, tiles, index, into=buffer)
        assert (buffer[y : y + bottom - top, x : x + right - left] == image[top:bottom, left:right]).all()
        seen[top:bottom, left:right] = True
    assert seen.all()
    assert (tiles.inset_px <= margin).all()
    assert (tiles.inset_px[0] == margin).all()


def test_a_margin_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="margin of 32 px"):
        plan_tiles(100, 100, side_px=64, margin_px=32)
