"""Widths from masks and the standard's limits."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serayu.models.pavement.severity import crack_severity, pothole_severities
from serayu.models.survey.finding import Severity
from serayu.vision.measure.skeleton import skeleton_widths_px

L, M, H = Severity.LOW, Severity.MEDIUM, Severity.HIGH


@settings(deadline=None, max_examples=30)
@given(
    width=st.integers(1, 15),
    length=st.integers(40, 80),
    lying=st.booleans(),
    pad=st.integers(0, 8),
)
def test_widths_of_bars_are_exact_where_odd_and_a_pixel_low_at_most_where_even(
    width: int, length: int, pad: int, *, lying: bool
) -> None:
    bar = np.pad(np.ones((length, width), dtype=np.bool_), pad)
    widths = skeleton_widths_px(bar.T if lying else bar)
    assert np.median(widths) == (width if width % 2 else width - 1)


def test_an_empty_mask_has_no_widths() -> None:
    assert skeleton_widths_px(np.zeros((9, 9), dtype=np.bool_)).size == 0


@pytest.mark.parametrize("side", [1, 2, 5])
def test_a_mask_that_is_all_end_still_has_a_width(side: int) -> None:
    assert skeleton_widths_px(np.pad(np.ones((side, side), dtype=np.bool_), 3)).min() >= 1


@pytest.mark.parametrize(
    ("width_mm", "severity"), [(0, L), (9.99, L), (10, M), (75, M), (75.01, H), (math.inf, H)]
)
def test_cracks_are_graded_by_width(width_mm: float, severity: Severity) -> None:
    assert crack_severity(width_mm) is severity


@pytest.mark.parametrize(
    ("diameter_mm", "depth_mm", "severities"),
    [
        (150, None, {L, M}),
        (200, None, {L, M}),
        (201, None, {L, M}),
        (450, None, {L, M}),
        (451, None, {M, H}),
        (2000, None, {M, H}),
        (150, 25, {L}),
        (150, 51, {M}),
        (300, 25, {L}),
        (300, 26, {M}),
        (300, 60, {M}),
        (600, 0, {M}),
        (600, 26, {H}),
        (600, 51, {H}),
    ],
)
def test_potholes_are_graded_by_depth_within_their_diameter(
    diameter_mm: float, depth_mm: float | None, severities: set[Severity]
) -> None:
    assert pothole_severities(diameter_mm, depth_mm=depth_mm) == severities


@given(st.floats(1, 1e5))
def test_no_diameter_alone_decides_a_severity(diameter_mm: float) -> None:
    assert len(pothole_severities(diameter_mm)) > 1


def test_sizes_below_zero_have_no_severity() -> None:
    for width_mm in (-1.0, math.nan):
        with pytest.raises(ValueError, match="cannot be"):
            crack_severity(width_mm)
    for diameter_mm, depth_mm in ((-1.0, None), (math.nan, None), (100.0, -1.0)):
        with pytest.raises(ValueError, match="cannot be"):
            pothole_severities(diameter_mm, depth_mm=depth_mm)
