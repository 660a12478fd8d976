"""Observations: window, steps, paging, CSV, and what is refused."""

import csv
import io
from typing import Any

import pytest

from serayu.models.quality.flags import QualityFlag
from serayu.models.reading import Observation, SeriesKey
from serayu.models.times import US_PER_MINUTE, parse_rfc3339
from tests.api.site import REGION, Site

PATH = "/api/v1/stations/hulu/observations"
START = parse_rfc3339("2026-01-31T00:00:00Z")
KEY = SeriesKey(REGION, "hulu", "stage")
DAY: dict[str, str] = {"start": "2026-01-31T00:00:00Z", "end": "2026-02-01T00:00:00Z", "property": "stage"}


@pytest.fixture(name="filled", scope="module")
def _filled(shared_api: Site) -> Site:
    """Three hours, one value a minute: 0.00, 0.01, …; the minute 90 failed, the minute 91 is suspect."""
    flags = {90: QualityFlag.FAIL, 91: QualityFlag.SUSPECT}
    rows = [
        Observation(
            KEY, START + n * US_PER_MINUTE, n / 100, flags.get(n, QualityFlag.GOOD), received_us=START
        )
        for n in range(180)
    ]
    assert not shared_api.hot.write(rows)
    return shared_api


def test_a_window_holds_start_and_not_end(filled: Site) -> None:
    page = filled.get(PATH, property="stage", start="2026-01-31T00:10:00Z", end="2026-01-31T00:12:00Z").json()
    assert [row["time"] for row in page["observations"]] == ["2026-01-31T00:10:00Z", "2026-01-31T00:11:00Z"]
    assert (page["unit"], page["step"], page["next"]) == ("m", "raw", None)


def test_times_with_another_zone_are_understood(filled: Site) -> None:
    page = filled.get(
        PATH, property="stage", start="2026-01-31T07:10:00+07:00", end="2026-01-31T07:11:00+07:00"
    )
    assert [row["value"] for row in page.json()["observations"]] == [0.1]


def test_a_failed_value_is_no_value(filled: Site) -> None:
    page = filled.get(PATH, property="stage", start="2026-01-31T01:30:00Z", end="2026-01-31T01:32:00Z").json()
    failed, suspect = page["observations"]
    assert (failed["value"], failed["raw_value"], failed["flag"]) == (None, 0.9, 4)
    assert (suspect["value"], suspect["raw_value"], suspect["flag"]) == (0.91, 0.91, 3)


@pytest.mark.parametrize("step", ["raw", "10min"])
def test_pages_follow_one_another_without_gap_or_overlap(filled: Site, step: str) -> None:
    parameters: dict[str, Any] = {**DAY, "step": step, "limit": 7}
    seen, pages = [], 0
    while True:
        page = filled.get(PATH, **parameters).json()
        seen += page["observations"]
        pages += 1
        if page["next"] is None:
            break
        parameters["cursor"] = page["next"]
    whole = filled.get(PATH, limit=10_000, step=step, **DAY).json()["observations"]
    assert seen == whole
    assert len(whole) == (180 if step == "raw" else 18)
    assert pages > 2


def test_hours_leave_failed_values_out(filled: Site) -> None:
    page = filled.get(PATH, **{**DAY, "step": "1h"}).json()
    first, second, third = page["observations"]
    assert (first["start"], first["count"], first["minimum"], first["maximum"]) == (
        "2026-01-31T00:00:00Z", 60, 0.0, 0.59,
    )  # fmt: skip
    assert first["mean"] == pytest.approx(0.295)
    assert (second["count"], third["count"]) == (59, 60)


def test_a_step_widens_the_window_to_whole_steps(filled: Site) -> None:
    page = filled.get(
        PATH, property="stage", start="2026-01-31T00:30:00Z", end="2026-01-31T01:30:00Z", step="1h"
    )
    assert (page.json()["start"], page.json()["end"]) == ("2026-01-31T00:00:00Z", "2026-01-31T02:00:00Z")


def test_csv_has_a_header_and_the_same_rows(filled: Site) -> None:
    answer = filled.get(PATH, limit=91, format="csv", **DAY)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["x-next-cursor"] == "2026-01-31T01:31:00Z"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 91
    assert rows[1] == {
        "time": "2026-01-31T00:01:00Z", "value": "0.01", "raw_value": "0.01", "flag": "1", "tests": "", "late": "0",
    }  # fmt: skip
    assert (rows[90]["value"], rows[90]["raw_value"], rows[90]["flag"]) == ("", "0.9", "4")


def test_csv_of_steps_has_their_columns(filled: Site) -> None:
    text = filled.get(PATH, **{**DAY, "format": "csv", "step": "1h"}).text
    assert text.splitlines()[0] == "start,count,mean,minimum,maximum,total"


def test_without_times_it_is_the_last_day(filled: Site) -> None:
    page = filled.get(PATH, property="stage").json()
    assert [row["value"] for row in page["observations"]] == [1.25]


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"property": "discharge"}, "it observes: stage"),
        ({"property": "stage", "start": "yesterday"}, "start"),
        ({"property": "stage", "start": "2026-01-31T00:00:00"}, "time zone missing"),
        ({"property": "stage", "end": "9999-12-31T00:00:00Z"}, "between 1970 and 2200"),
        ({"property": "stage", "start": "1969-12-31T00:00:00Z"}, "between 1970 and 2200"),
        ({"property": "stage", "start": "2199-01-01T00:00:00Z"}, "start before end"),
        ({"property": "stage", "step": "fortnight"}, "or raw"),
        ({"property": "stage", "step": "0h"}, "between 1s and 366d"),
        ({"property": "stage", "step": "99999999999d"}, "between 1s and 366d"),
        ({"property": "stage", "cursor": "x"}, "cursor"),
        ({"property": "stage", "limit": "0"}, "limit"),
        ({"property": "stage", "limit": "10001"}, "limit"),
        ({"property": "stage", "format": "xml"}, "format"),
        ({"property": "stage", "colour": "red"}, "colour"),
        ({}, "property"),
    ],
)
def test_what_is_wrong_is_named(filled: Site, parameters: dict[str, str], said: str) -> None:
    answer = filled.get(PATH, **parameters)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"]
