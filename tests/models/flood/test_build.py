import math

import numpy as np
import pytest

from serayu.models.flood.build import build_post, cut_frame, grid_step_us, rows_before, usable_level
from serayu.models.flood.links import PostLinks
from serayu.models.flood.series import PostInfo, Series
from serayu.models.times import US_PER_HOUR, US_PER_MINUTE

H = US_PER_HOUR


def _series(hours: list[float], values: list[float]) -> Series:
    return Series(
        time_us=np.array([round(hour * H) for hour in hours]),
        value=np.array(values, dtype=float),
        flagged=np.zeros(len(values), bool),
    )


def _infos(**variables: str) -> dict[str, PostInfo]:
    return {
        name: PostInfo(station_id=name, variable=variable, unit="m", given_unit="m")
        for name, variable in variables.items()
    }


@pytest.mark.parametrize(
    ("minutes", "count", "expected"),
    [
        (5, 100, 15),
        (15, 100, 15),
        (20, 100, 30),
        (60, 100, 60),
        (65, 100, 60),
        (180, 100, 60),
        (15, 500_000, 60),
    ],
)
def test_rows_are_as_dense_as_the_data_an_hour_at_most(minutes: int, count: int, expected: int) -> None:
    times = np.arange(count) * minutes * US_PER_MINUTE
    assert grid_step_us(times) == expected * US_PER_MINUTE


def test_irregular_readings_fall_into_the_row_that_follows_them() -> None:
    levels = {"A": usable_level(_series([0.1, 1.2, 1.9, 4.0], [1.0, 1.1, 1.2, 1.3]), 10 * H)}
    post = build_post(
        "A", levels=levels, rain={}, infos=_infos(A="stage"), links=PostLinks(), fit_until_us=10 * H
    )
    frame = post.frame
    assert frame.time_us(0) == H  # no hour is the usual one: whole hours
    assert frame.level.tolist() == pytest.approx([1.0, 1.2, math.nan, 1.3], nan_ok=True)


def test_rows_lie_where_the_readings_lie() -> None:
    levels = {"A": usable_level(_series([0.5, 1.5, 2.5, 3.6], [1, 2, 3, 4]), 10 * H)}
    frame = build_post(
        "A", levels=levels, rain={}, infos=_infos(A="stage"), links=PostLinks(), fit_until_us=10 * H
    ).frame
    assert frame.start_us == H // 2
    assert frame.level.tolist() == pytest.approx([1, 2, 3, math.nan, 4], nan_ok=True)


def test_rain_is_summed_and_what_is_not_known_is_not_zero() -> None:
    quarter = _series([0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0], [1, 1, 0, 2, 3, math.nan, 0])
    levels = {"A": usable_level(_series([0, 1, 2, 3, 4], [1] * 5), 10 * H)}
    post = build_post(
        "A",
        levels=levels,
        rain={"R": quarter},
        infos=_infos(A="stage", R="rain"),
        links=PostLinks(rain=("R", "LOST"), upstream=("GONE",)),
        fit_until_us=10 * H,
    )
    assert post.frame.rain["R"].tolist() == pytest.approx([math.nan, 4, math.nan, math.nan, 0], nan_ok=True)
    assert post.notes == ("upstream GONE: no data", "rain LOST: no data")


def test_a_coarse_gauge_says_its_depth_when_it_is_known_and_nothing_between() -> None:
    three_hourly = _series([0, 3, 6, 15], [0, 9, 3, 0])
    levels = {"A": usable_level(_series(list(range(16)), [1] * 16), 20 * H)}
    frame = build_post(
        "A",
        levels=levels,
        rain={"R": three_hourly},
        infos=_infos(A="stage", R="rain"),
        links=PostLinks(rain=("R",)),
        fit_until_us=20 * H,
    ).frame
    expected = [0, 0, 0, 9, 0, 0, 3, 0, 0, *[math.nan] * 6, 0]
    assert frame.rain["R"].tolist() == pytest.approx(expected, nan_ok=True)


def test_a_cut_frame_ends_before_the_end_of_the_fit_part() -> None:
    levels = {"A": usable_level(_series([0, 1, 2, 3], [1, 2, 3, 4]), 2 * H)}
    frame = build_post(
        "A", levels=levels, rain={}, infos=_infos(A="stage"), links=PostLinks(), fit_until_us=2 * H
    ).frame
    assert [rows_before(frame, hour * H) for hour in (-1, 0, 1, 2, 9)] == [0, 0, 1, 2, 4]
    assert len(cut_frame(frame, rows_before(frame, 2 * H))) == 2
