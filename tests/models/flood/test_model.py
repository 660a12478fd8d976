import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serayu.models.flood.model import Prediction

LEVELS = np.array([0.05, 0.1, 0.5, 0.9, 0.95])


def _prediction(quantiles: list[float]) -> Prediction:
    values = np.array(quantiles, dtype=float).reshape(1, 1, -1)
    return Prediction(horizons_h=(3.0,), mean=values[:, :, 2], probabilities=LEVELS, quantiles=values)


def test_the_band_is_the_tenth_and_the_ninetieth_percentile() -> None:
    prediction = _prediction([1.0, 2.0, 3.0, 5.0, 9.0])
    assert prediction.low.item() == pytest.approx(2.0)
    assert prediction.high.item() == pytest.approx(5.0)
    assert prediction.quantile(0.3).item() == pytest.approx(2.5)


@pytest.mark.parametrize(
    ("limit", "expected"),
    [(3.0, 0.5), (4.0, 0.3), (5.0, 0.1), (9.0, 0.05), (1.0, 0.95), (1e6, 0.0), (-1e6, 1.0)],
)
def test_probability_above_reads_the_quantiles_and_dies_out_beyond_them(
    limit: float, expected: float
) -> None:
    assert _prediction([1.0, 2.0, 3.0, 5.0, 9.0]).probability_above(limit).item() == pytest.approx(expected)


def test_a_tail_keeps_falling_beyond_the_last_quantile() -> None:
    prediction = _prediction([1.0, 2.0, 3.0, 5.0, 9.0])
    near, far = (prediction.probability_above(limit).item() for limit in (10.0, 13.0))
    assert 0.05 > near > far > 0


def test_a_forecast_without_spread_is_certain() -> None:
    prediction = _prediction([2.0] * 5)
    assert prediction.probability_above(1.9).item() == pytest.approx(1.0)
    assert prediction.probability_above(2.1).item() == pytest.approx(0.0)


def test_no_forecast_has_no_probability() -> None:
    assert math.isnan(_prediction([math.nan] * 5).probability_above(1.0).item())


@given(
    st.lists(st.floats(-50, 50), min_size=5, max_size=5).map(sorted),
    st.floats(-60, 60),
    st.floats(0, 20),
)
def test_a_higher_limit_is_never_more_probable(quantiles: list[float], limit: float, more: float) -> None:
    prediction = _prediction(quantiles)
    low, high = (prediction.probability_above(each).item() for each in (limit, limit + more))
    assert 0 <= high <= low <= 1


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="expected mean"):
        Prediction(
            horizons_h=(1.0, 3.0), mean=np.zeros((2, 1)), probabilities=LEVELS, quantiles=np.zeros((2, 1, 5))
        )
    with pytest.raises(ValueError, match="ascend"):
        Prediction(
            horizons_h=(1.0,),
            mean=np.zeros((2, 1)),
            probabilities=LEVELS[::-1],
            quantiles=np.zeros((2, 1, 5)),
        )
