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
