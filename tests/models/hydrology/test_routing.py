"""A linear reservoir delays water and loses none."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from serayu.models.hydrology.routing import linear_reservoir

flows = arrays(np.float64, st.integers(1, 30), elements=st.floats(0, 1000))


@given(inflow=flows, storage_h=st.floats(0.1, 20))
def test_the_reservoir_conserves_volume(inflow: np.ndarray, storage_h: float) -> None:
    emptying = np.zeros(math.ceil(40 * storage_h))
    outflow = linear_reservoir(np.concatenate([inflow, emptying]), storage_h=storage_h, step_h=1)
    assert float(outflow.sum()) == pytest.approx(float(inflow.sum()), rel=1e-6)


@given(inflow=flows, storage_h=st.floats(0, 20), initial=st.floats(0, 1000))
def test_outflow_stays_between_the_least_and_the_most_that_went_in(
    inflow: np.ndarray, storage_h: float, initial: float
) -> None:
    outflow = linear_reservoir(inflow, storage_h=storage_h, step_h=0.5, initial_outflow=initial)
    assert float(outflow.min()) >= min(initial, float(inflow.min())) - 1e-9
    assert float(outflow.max()) <= max(initial, float(inflow.max())) + 1e-9


@given(inflow=st.floats(0, 100), initial=st.floats(0, 100), steps=st.integers(1, 20))
def test_many_small_steps_equal_the_exponential_solution(inflow: float, initial: float, steps: int) -> None:
    outflow = linear_reservoir([inflow] * steps, storage_h=3, step_h=0.25, initial_outflow=initial)
    exact = inflow + (initial - inflow) * math.exp(-0.25 * steps / 3)
    assert float(outflow[-1]) == pytest.approx(exact)


def test_bounds() -> None:
    assert linear_reservoir([], storage_h=3, step_h=1).tolist() == []
    assert linear_reservoir([5, 1], storage_h=0, step_h=1).tolist() == [5, 1]
    gap = linear_reservoir([5, math.nan, 1], storage_h=3, step_h=1)
    assert np.isnan(gap).tolist() == [False, True, True]


@pytest.mark.parametrize(("storage_h", "step_h"), [(-1, 1), (1, 0), (math.nan, 1), (1, math.nan)])
def test_times_out_of_range_are_refused(storage_h: float, step_h: float) -> None:
    with pytest.raises(ValueError, match="storage_h"):
        linear_reservoir([1], storage_h=storage_h, step_h=step_h)


def test_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match="one row"):
        linear_reservoir([[1.0]], storage_h=1, step_h=1)
