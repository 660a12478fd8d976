"""A crack's line and width are found where it is drawn, and nothing where nothing is."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serayu.vision.measure.path import lengths_px, resampled
from serayu.vision.measure.trace import Trace, trace_crack
from tests.vision.measure.drawn import Crack, bounds, colour, coverage, crack, wave


def _found(drawn: Crack) -> Trace:
    trace = trace_crack(drawn.image, drawn.box)
    assert trace is not None
    return trace


@pytest.mark.parametrize("width_px", [3.0, 3.5, 4.0, 5.0, 6.5, 8.0, 10.0, 12.0])
@pytest.mark.parametrize("noise", [2.0, 6.0])
def test_a_drawn_width_is_measured_within_half_a_pixel(width_px: float, noise: float) -> None:
    trace = _found(crack(width_px, noise=noise, seed=int(4 * width_px)))
    assert np.nanmedian(trace.widths_px) == pytest.approx(width_px, abs=0.5)


@pytest.mark.parametrize("width_px", [1.0, 1.5, 2.0])
def test_a_crack_of_few_pixels_is_found_and_looks_wider_but_not_measurable_wide(width_px: float) -> None:
    width = np.nanmedian(_found(crack(width_px)).widths_px)
    assert width_px <= width < 3.0


@pytest.mark.parametrize(("width_px", "most"), [(3.0, 1.5), (4.0, 1.0), (6.0, 0.5), (12.0, 0.5)])
def test_a_blur_of_a_pixel_and_a_half_widens_thin_cracks_only(width_px: float, most: float) -> None:
    trace = _found(crack(width_px, blur=1.5))
    assert np.nanmedian(trace.widths_px) == pytest.approx(width_px, abs=most)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("across", [False, True])
def test_the_length_is_that_of_the_drawn_line(seed: int, *, across: bool) -> None:
    drawn = crack(4.0, seed=seed, way=wave(seed, drift=0.1 * (seed % 3 - 1)), across=across)
    trace = _found(drawn)
    assert lengths_px(trace.path_px)[-1] == pytest.approx(drawn.length_px, abs=2 * 3.0 * math.sqrt(2))
    assert trace.seen > 0.9


@pytest.mark.parametrize("width_px", [1.5, 2.0, 4.0])
def test_a_crack_that_thins_out_is_followed_to_its_ends(width_px: float) -> None:
    """Over 40 px at both ends it narrows to a quarter: half of the contrast would end it 13 px before, twice."""
    drawn = crack(width_px, taper_px=40, noise=2.0)
    assert lengths_px(_found(drawn).path_px)[-1] == pytest.approx(drawn.length_px, abs=10)


@pytest.mark.parametrize("seed", range(3))
def test_noise_makes_no_crack_longer(seed: int) -> None:
    drawn = crack(2.0, seed=seed, noise=6.0)
    assert lengths_px(_found(drawn).path_px)[-1] == pytest.approx(drawn.length_px, rel=0.015)


def test_a_diagonal_crack_in_a_square_box_is_followed() -> None:
    drawn = crack(4.0, shape=(300, 300), way=lambda y: 40 + (y - 40) + 8 * np.sin(y / 20))
    assert lengths_px(_found(drawn).path_px)[-1] == pytest.approx(drawn.length_px, rel=0.03)


def test_a_gap_is_bridged_and_told() -> None:
    whole, broken = crack(4.0), crack(4.0, gap_px=24)
    trace = _found(broken)
    assert lengths_px(trace.path_px)[-1] == pytest.approx(whole.length_px, rel=0.03)
    assert 0.85 < trace.seen < 0.97


def test_the_light_may_change_across_the_picture() -> None:
    drawn = crack(5.0)
    slanting = drawn.image.astype(float) * np.linspace(0.5, 1.3, drawn.image.shape[0])[:, None, None]
    trace = trace_crack(slanting.clip(0, 255).astype(np.uint8), drawn.box)
    assert trace is not None
    assert np.nanmedian(trace.widths_px) == pytest.approx(5.0, abs=0.5)


def test_the_outline_encloses_the_drawn_pixels() -> None:
    drawn = crack(8.0)
    trace = _found(drawn)
    outline = coverage(trace.outline_px(), drawn.image.shape[:2]).sum()
    assert outline == pytest.approx(8.0 * drawn.length_px, rel=0.08)


@pytest.mark.parametrize("seed", range(6))
def test_no_crack_is_seen_in_mere_noise(seed: int) -> None:
    drawn = crack(1.0, depth=0.0, seed=seed, noise=3.0 + seed)
    assert trace_crack(drawn.image, drawn.box) is None


def test_a_bright_line_is_no_crack() -> None:
    drawn = crack(5.0, depth=-60.0)
    trace = trace_crack(drawn.image, drawn.box)
    assert trace is None or np.abs(trace.path_px[:, 0] - wave(0)(trace.path_px[:, 1])).min() > 2


@pytest.mark.parametrize(
    "box",
    [
        pytest.param((0.0, 0.0, 0.0, 0.0), id="empty"),
        pytest.param((-50.0, -50.0, -10.0, -10.0), id="outside"),
        pytest.param((math.nan, 0.0, 50.0, 50.0), id="not a number"),
        pytest.param((10.0, 10.0, 15.0, 14.0), id="a few pixels"),
        pytest.param((0.0, 0.0, 160.0, 400.0), id="even grey"),
    ],
)
def test_a_box_without_a_crack_gives_none(box: tuple[float, float, float, float]) -> None:
    assert trace_crack(colour(np.full((400, 160), 128.0)), box) is None


def test_a_given_mask_tells_which_of_two_cracks_is_meant() -> None:
    one, other = crack(3.0, way=wave(0, middle=50), depth=30), crack(6.0, way=wave(0, middle=110), depth=70)
    both = np.minimum(one.image, other.image)
    line = np.array([(wave(0, middle=50)(np.array([y]))[0], y) for y in range(40, 361, 10)])
    outline = np.concatenate((line - np.array([4, 0]), (line + np.array([4, 0]))[::-1]))
    box = (one.box[0], 38.0, other.box[2], 362.0)
    trace = trace_crack(both, box, within=(outline,))
    assert trace is not None
    assert np.abs(trace.path_px[:, 0] - wave(0, middle=50)(trace.path_px[:, 1])).max() < 4
    assert bounds(trace.path_px)[2] < 70


@settings(deadline=None, max_examples=6)
@given(
    left=st.integers(0, 40),
    top=st.integers(0, 40),
    width=st.sampled_from([3.0, 5.0, 9.0]),
    seed=st.integers(0, 99),
)
def test_moving_the_picture_moves_the_crack_and_nothing_else(
    left: int, top: int, width: float, seed: int
) -> None:
    drawn = crack(width, seed=seed, shape=(240, 120), way=wave(seed, middle=60))
    first = _found(drawn)
    moved = np.pad(drawn.image, ((top, 0), (left, 0), (0, 0)), mode="edge")
    box = (drawn.box[0] + left, drawn.box[1] + top, drawn.box[2] + left, drawn.box[3] + top)
    second = trace_crack(moved, box)
    assert second is not None
    assert np.nanmedian(second.widths_px) == pytest.approx(np.nanmedian(first.widths_px), abs=0.1)
    assert lengths_px(second.path_px)[-1] == pytest.approx(lengths_px(first.path_px)[-1], abs=4)


def test_points_along_a_path_keep_its_ends_and_steps() -> None:
    path = np.array([[0.0, 0.0], [3.0, 4.0], [3.0, 10.0]])
    even = resampled(path)
    assert even[[0, -1]].tolist() == [[0, 0], [3, 10]]
    assert lengths_px(even)[-1] == pytest.approx(11, abs=0.1)
    assert resampled(path[:1].repeat(3, axis=0)).tolist() == [[0, 0]]
