"""``serayu flood fit``: what it refuses, what it skips, and that what it stores is what ingest takes up."""

import json
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from serayu.models.flood.shelf import model_file, model_files, read_card, refusal
from serayu.models.reading import Observation
from serayu.models.region import load_region
from serayu.models.stores.hot import HotStore
from serayu.models.times import US_PER_HOUR, SystemClock, rfc3339
from serayu.standalone.cli import app
from serayu.standalone.doctor_cli import examine
from serayu.standalone.replay.past import WithPast
from tests.api.site import write_region
from tests.models.flood.test_live import RAIN, STAGE, UPPER, river

HOURS = 900


@pytest.fixture(name="given", scope="module")
def _given(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("given")
    write_region(folder / "region")
    (folder / "stations.csv").write_text(
        "station_id,variable,unit\nP-1,stage,m\nP-0,stage,m\nR-1,rain,mm\nQ,flow,m3/s\n"
    )
    names = {STAGE: ("P-1", "m"), UPPER: ("P-0", "m"), RAIN: ("R-1", "mm")}
    start_us = SystemClock().now_us() // US_PER_HOUR * US_PER_HOUR - HOURS * US_PER_HOUR
    lines = ["station_id,time_utc,value,unit,flag"]
    for key, series in river(1900).items():
        name, unit = names[key]
        rows = zip(series.time_us.tolist(), series.value.tolist(), strict=True)
        first_us = int(series.time_us[0])
        lines += [
            f"{name},{rfc3339(start_us + t - first_us)},{value},{unit},"
            for t, value in rows
            if t - first_us < HOURS * US_PER_HOUR
        ]
    (folder / "series.csv").write_text("\n".join(lines) + "\n")
    (folder / "up.toml").write_text(
        '[stations."P-1"]\nupstream = ["P-0"]\nrain = ["R-1"]\n[stations."P-1".travel_time_h]\nP-0 = 4\n'
    )
    return folder


def _fit(folder: Path, data: Path, *more: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(
        app,
        ["flood", "fit", "--region", str(folder / "region"), "--data", str(data), "--json", *more],
    )
    return result.exit_code, result.stdout, result.stderr


def _tables(folder: Path) -> list[str]:
    return [
        "--stations", str(folder / "stations.csv"), "--series", str(folder / "series.csv"),
        "--upstream", str(folder / "up.toml"),
    ]  # fmt: skip


def test_given_series_are_fitted_as_the_regions_posts_and_kept_where_ingest_looks(
    given: Path, tmp_path: Path
) -> None:
    status, out, err = _fit(
        given, tmp_path, *_tables(given), "--map", "P-1=hilir", "--map", "P-0=hulu", "--map", "R-1=hujan-a",
        "--post", "hilir",
    )  # fmt: skip
    assert status == 0, err
    found = json.loads(out)
    post = found["stations"]["hilir"]
    assert (post["upstream"], post["rain"], post["learnt_from"]) == (["hulu"], ["hujan-a"], "given")
    assert set(post["horizons"]) == {"1", "3", "6", "12"}
    for one in post["horizons"].values():
        assert set(one) == {"method", "pi", "pi_storms", "storms", "coverage_80", "shown"}
    assert [post["levels"][level]["limit_m"] for level in ("waspada", "siaga", "awas")] == [2.0, 3.0, 4.0]
    card = read_card(model_file(tmp_path, "hilir"))
    station = load_region(given / "region").stations["hilir"]
    assert refusal(card, station, now_us=SystemClock().now_us()) is None
    assert [one.horizon_h for one in card.horizons if one.shown] == [
        float(hours) for hours, one in post["horizons"].items() if one["shown"]
    ]
    finding = next(one for one in examine(given / "region", tmp_path) if one.check == "flood models")
    assert (finding.ok, finding.detail) == (True, "1 fitted")


def test_doctor_names_a_model_that_is_refused(given: Path, tmp_path: Path) -> None:
    file = model_file(tmp_path, "hilir")
    file.parent.mkdir(parents=True)
    file.write_bytes(b"damaged")
    finding = next(one for one in examine(given / "region", tmp_path) if one.check == "flood models")
    assert not finding.ok
    assert "hilir: " in finding.detail


def test_without_enough_history_nothing_is_fitted_and_the_need_is_told(given: Path, tmp_path: Path) -> None:
    status, out, err = _fit(given, tmp_path, *_tables(given))
    assert status == 1
    assert "no post was fitted" in err
    reasons = {one["station"]: one["reason"] for one in json.loads(out)["skipped"]}
    assert "720 (30 days) needed" in reasons["hilir"]
    assert "no station of that name" in reasons["P-1"]
    assert list(model_files(tmp_path)) == []


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ([], "no data here"),
        (["--stations", "stations.csv"], "go together"),
        (["--map", "P-1=hilir"], "needs --stations"),
        (["--post", "nowhere"], "nowhere"),
        (["--stations", "none.csv", "--series", "series.csv"], "none.csv"),
        (["--stations", "stations.csv", "--series", "series.csv", "--map", "P-1"], "expected ID=STATION"),
        (["--stations", "stations.csv", "--series", "series.csv", "--map", "X=hilir"], "not in the table"),
    ],
)
def test_bad_input_is_named(
    given: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: list[str], said: str
) -> None:
    monkeypatch.chdir(given)
    status, _, err = _fit(given, tmp_path, *more)
    assert status == 2
    assert said in err


def test_a_forecast_in_a_replay_looks_back_beyond_its_first_value(tmp_path: Path) -> None:
    with (
        closing(HotStore(tmp_path / "hot.sqlite")) as whole,
        closing(HotStore(tmp_path / "replay.sqlite")) as own,
    ):
        whole.write([Observation(STAGE, t, 1.0) for t in range(10)])
        own.write([Observation(STAGE, t, 2.0) for t in range(6, 8)])  # 8 and 9 are yet to come
        found = WithPast(own, tmp_path / "hot.sqlite", first_us=6)
        assert [(t, value) for t, value, _ in found.values(STAGE, 4, 10)] == [
            (4, 1.0),
            (5, 1.0),
            (6, 2.0),
            (7, 2.0),
        ]
        assert [t for t, *_ in found.values(STAGE, 0, 3)] == [0, 1, 2]
