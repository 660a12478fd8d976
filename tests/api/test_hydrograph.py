"""Hydrographs: what is drawn, what is left out, and where the line breaks."""

import re
from types import SimpleNamespace
from typing import Any, cast
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serayu.api.charts import chart_of
from serayu.api.context import Api
from serayu.api.hydrograph import Chart, Limit, Point, hydrograph_svg, thin, value_range
from serayu.api.ticks import time_ticks, value_ticks
from serayu.models.quality.flags import QualityFlag
from serayu.models.reading import Observation, SeriesKey
from serayu.models.station import Datastream, Station, StationKind
from serayu.models.times import US_PER_DAY, US_PER_HOUR, US_PER_MINUTE
from tests.api.site import Site

LIMITS = (Limit("waspada", "Siaga 3", 2.0), Limit("siaga", "Siaga 2", 3.0), Limit("awas", "Siaga 1", 4.0))


def _chart(points: list[Point], **changes: Any) -> Chart:  # noqa: ANN401 -- fields of a chart
    base = Chart(
        "Pos <A>", "", "m", 2, 0, US_PER_DAY, points, (), LIMITS, 10 * US_PER_MINUTE, bars=False, empty="kosong",
        rejected="ditolak",
    )  # fmt: skip
    return base._replace(**changes)


def _drawn(svg: str, kind: str) -> list[ET.Element]:
    return [node for node in ET.fromstring(svg).iter() if node.get("class", "").split(" ")[0] == kind]  # noqa: S314 -- own text


def test_an_empty_chart_says_so_and_is_well_formed() -> None:
    svg = hydrograph_svg(_chart([]))
    assert "kosong" in svg
    assert _drawn(svg, "line") == []


def test_markup_in_names_is_text() -> None:
    assert "Pos &lt;A&gt;" in hydrograph_svg(_chart([]))


def test_the_line_breaks_where_data_is_missing() -> None:
    minutes = [*range(0, 300, 5), *range(600, 900, 5)]
    points = [Point(n * US_PER_MINUTE, 1.0 + n / 1000) for n in minutes]
    assert len(_drawn(hydrograph_svg(_chart(points)), "line")) == 2


def test_a_lonely_point_is_a_dot() -> None:
    assert len(_drawn(hydrograph_svg(_chart([Point(US_PER_HOUR, 1.0)])), "dot")) == 1


def test_suspect_values_are_hollow_and_rejected_ones_are_crosses_without_value() -> None:
    chart = _chart([Point(US_PER_HOUR, 1.0, ok=False)], rejected_us=[2 * US_PER_HOUR])
    svg = hydrograph_svg(chart)
    assert len(_drawn(svg, "suspect")) == 1
    assert len(_drawn(svg, "rejected")) == 1
    assert "ditolak" in svg


@pytest.mark.parametrize(
    ("values", "names"),
    [
        pytest.param([0.5], ["waspada"], id="below all: the next limit is in sight"),
        pytest.param([2.5], ["waspada", "siaga"], id="between two"),
        pytest.param([5.0], ["awas"], id="above all"),
        pytest.param([0.5, 5.0], ["waspada", "siaga", "awas"], id="through all"),
    ],
)
def test_the_limits_around_the_water_are_drawn(values: list[float], names: list[str]) -> None:
    points = [Point(n * US_PER_HOUR, value) for n, value in enumerate(values)]
    drawn = _drawn(hydrograph_svg(_chart(points)), "limit")
    assert [node.get("class") for node in drawn] == [f"limit {name}" for name in names]


def test_a_flat_line_gets_room_around_it() -> None:
    low, high = value_range(_chart([Point(0, 1.0), Point(1, 1.0)], limits=()))
    assert high - low >= 0.1 - 1e-9


points = st.lists(
    st.builds(Point, st.integers(0, US_PER_DAY), st.floats(-100, 100)),
    max_size=2000,
    unique_by=lambda p: p.t_us,
).map(sorted)


@given(points)
def test_thinning_keeps_both_extremes_the_order_and_only_true_points(found: list[Point]) -> None:
    kept = thin(found, start_us=0, end_us=US_PER_DAY, columns=50)
    assert kept == sorted(kept)
    assert set(kept) <= set(found)
    assert len(kept) <= 2 * 52 or len(found) <= 100
    if found:
        assert max(p.value for p in kept) == max(p.value for p in found)
        assert min(p.value for p in kept) == min(p.value for p in found)


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_value_marks_are_few_and_within_the_axis(low: float, span: float) -> None:
    marks = [value for value, _ in value_ticks(low, low + span)]
    assert 2 <= len(marks) <= 7
    assert all(low - span * 1e-6 <= mark <= low + span * (1 + 1e-6) for mark in marks)


@pytest.mark.parametrize("hours", [0.1, 1, 6, 24, 72, 168, 744])
def test_time_marks_are_few(hours: float) -> None:
    marks = list(time_ticks(0, round(hours * US_PER_HOUR)))
    assert 2 <= len(marks) <= 7


def test_the_route_draws_good_values_only(api: Site) -> None:
    for age_s, value in ((300, 1.0), (240, 1.1), (180, 1.2)):
        api.put("hulu", "stage", value, age_s=age_s)
    api.put("hulu", "stage", 987.0, age_s=120, flag=QualityFlag.FAIL)
    answer = api.get("/api/v1/stations/hulu/hydrograph.svg", hours=1)
    assert answer.headers["content-type"].startswith("image/svg+xml")
    (line,) = _drawn(answer.text, "line")
    assert len(re.findall(r"[\d.]+,[\d.]+", line.get("points", ""))) == 3
    assert "987" not in answer.text
    assert len(_drawn(answer.text, "rejected")) == 1


@pytest.mark.parametrize("hours", [6, 24, 168, 744])
@pytest.mark.parametrize(
    ("station", "slug"), [("hujan-a", "rain"), ("hulu", "stage"), ("simpang-a", "count-mc")]
)
def test_every_span_of_every_kind_is_drawn(shared_api: Site, station: str, slug: str, hours: int) -> None:
    answer = shared_api.get(f"/api/v1/stations/{station}/hydrograph.svg", property=slug, hours=hours)
    assert answer.status_code == 200
    kinds = {kind for kind in ("line", "dot", "bar") if _drawn(answer.text, kind)}
    assert kinds, answer.text


@pytest.mark.parametrize("query", ["property=rain", "hours=0", "hours=745", "hours=x"])
def test_a_wrong_question_for_a_chart_is_a_problem(shared_api: Site, query: str) -> None:
    assert shared_api.get(f"/api/v1/stations/hulu/hydrograph.svg?{query}").status_code == 422


def test_the_peak_of_an_hour_that_has_just_begun_is_drawn(shared_api: Site) -> None:
    hour_us = 1_767_225_600 * 1_000_000
    key = SeriesKey("99.01", "pos-x", "stage")
    post = Station(
        id="pos-x", region="99.01", name="X", kind=StationKind.RIVER, lon=0, lat=0, source="test",
        datastreams=(Datastream("stage"),),
    )  # fmt: skip
    shared_api.hot.write([Observation(key, hour_us + minute * 60_000_000, 1.0 + minute) for minute in (1, 2)])
    api = cast("Api", SimpleNamespace(hot=shared_api.hot))
    for minutes in (2, 10, 59):
        end_us = hour_us + minutes * 60_000_000
        chart = chart_of(api, post, post.datastreams[0], end_us=end_us, span_us=7 * 24 * US_PER_HOUR)
        assert [point.value for point in chart.points] == [2.0, 3.0]
        assert all(hour_us <= point.t_us <= end_us for point in chart.points)
