"""Sizes of one thing from several pictures."""

import pytest

from serayu.vision.survey.combine import weighted


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], (None, None)),
        ([(None, 0.1), (None, None)], (None, None)),
        ([(2.0, 0.1)], (2.0, 0.1)),
        ([(2.0, None), (4.0, None)], (3.0, None)),
        ([(2.0, 0.0), (2.0, 0.0)], (2.0, 0.0)),
        # w = 100, 25: mean 1.02; variance (0.5 / 125 + 0.5 / 100) = 0.009
        ([(1.0, 0.1), (1.1, 0.2)], (1.02, 0.009**0.5)),
        # the same error twice: variance 0.5 / 200 + 0.5 / 100 = 0.0075
        ([(1.0, 0.1), (1.0, 0.1)], (1.0, 0.0075**0.5)),
        # chi² = 2 × 25 = 50 at one degree of freedom widens 0.0075 fifty times
        ([(0.5, 0.1), (1.5, 0.1)], (1.0, (0.0075 * 50) ** 0.5)),
    ],
    ids=["none", "all unknown", "one", "no errors", "exact", "weights", "equal", "scatter"],
)
def test_sizes_are_weighted_by_their_errors(
    values: list[tuple[float | None, float | None]], expected: tuple[float | None, float | None]
) -> None:
    size, error = weighted(values)
    assert size == (None if expected[0] is None else pytest.approx(expected[0]))
    assert error == (None if expected[1] is None else pytest.approx(expected[1]))
