"""What the public sees of a forecast: level, band, skill; or why there is nothing to see."""

import json
import zipfile
from importlib import metadata
from pathlib import Path

import msgspec
import pytest

from serayu.models.flood.shelf import FORMAT, HEAD, model_file, station_digest
from serayu.models.region import load_region
from serayu.models.times import US_PER_DAY, US_PER_HOUR, US_PER_MINUTE, SystemClock, parse_rfc3339, rfc3339
from serayu.models.warning.outlook import Outlook, OutlookStep
from tests.api.site import REGION, Site, now_us


def _outlook(*, age_us: int = 0, without: tuple[str, ...] = ()) -> Outlook:
    issued_us = now_us() - age_us
    return Outlook(
        region=REGION,
        station="hilir",
        issued_us=issued_us,
        steps=(
            OutlookStep(1.0, 1.6, 1.5, 1.75, "ridge", 0.71),
            OutlookStep(3.0, 2.1, 1.8, 2.6, "trees", 0.6),
        ),
        probability=(0.7, 0.12345, 0.0),
        crossing_us=(issued_us + 2 * US_PER_HOUR, None, None),
        without=without,
    )


def _model(site: Site, *, shown: tuple[float, ...] = (), digest: str | None = None, days: float = 1) -> Path:
    """Write the head of a model: what the api reads of it."""
    post = load_region(site.settings.region).stations["hilir"]
    head = {
        "format": FORMAT,
        "sklearn": metadata.version("scikit-learn"),
        "station": "hilir",
        "digest": station_digest(post) if digest is None else digest,
        "fit_until_us": now_us() - round(days * US_PER_DAY),
        "horizons_h": [1.0, 3.0, 12.0],
        "method": ["ridge", "trees", "ridge"],
        "skill": [{"index": 0.7, "low": 0.6, "storms": 9}] * 3,
        "index": [0.7, 0.6, 0.0],
        "notes": [],
        "kit": {"shown": shown, "coverage": [0.8, 0.8, 0.8], "learnt_from": "invented"},
    }
    file = model_file(site.settings.data_dir, "hilir")
    file.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(HEAD, json.dumps(head))
    return file


def test_a_forecast_is_public_with_band_skill_and_what_it_was_without(api: Site) -> None:
    _model(api, shown=(1.0, 3.0))
    api.register.record_forecasts([_outlook(without=("hulu",))])
    answer = api.get("/api/v1/stations/hilir/forecast")
    assert answer.status_code == 200
    found = answer.json()
    assert found["shown"]
    assert [(one["hours"], one["level_m"], one["low_m"], one["high_m"]) for one in found["steps"]] == [
        (1.0, 1.6, 1.5, 1.75),
        (3.0, 2.1, 1.8, 2.6),
    ]
    issued_us = parse_rfc3339(found["issued"])
    assert parse_rfc3339(found["steps"][1]["time"]) == issued_us + 3 * US_PER_HOUR
    assert found["probability"] == {"waspada": 0.7, "siaga": 0.123, "awas": 0.0}
    assert parse_rfc3339(found["crossing"]["waspada"]) == issued_us + 2 * US_PER_HOUR
    assert (found["hidden_h"], found["without"], found["learnt_from"]) == ([12.0], ["hulu"], "invented")
    lines = "\n".join(found["lines"])
    assert "indeks ketekunan 0,6 pada 3 jam, diuji pada badai yang tidak dilatihkan" in lines
    assert "2,10 m, kisaran 1,80–2,60 m" in lines
    assert "Tanpa data hulu" in lines
    assert "Prakiraan 12 jam tidak ditampilkan: tidak lebih baik daripada nilai tetap." in lines
    assert "Dilatih pada badai buatan." in lines
    assert len(found["lines"]) == len(found["lines_en"])


def test_the_station_document_carries_its_forecast(api: Site) -> None:
    api.register.record_forecasts([_outlook()])
    post = api.get("/api/v1/stations/hilir").json()
    assert post["forecast"]["shown"]
    assert post["forecast"]["steps"][0]["level_m"] == 1.6
    assert post["id"] == "hilir"
    assert api.get("/api/v1/stations/hujan-a").json()["forecast"] is None
    before = api.get("/api/v1/stations/hilir").headers["etag"]
    api.register.record_forecasts([_outlook(age_us=5 * US_PER_HOUR)])
    assert api.get("/api/v1/stations/hilir").headers["etag"] == before, "an older one changes nothing"


def test_a_forecast_younger_than_the_kept_list_of_stations_is_shown(api: Site) -> None:
    api.get("/api/v1/stations/hilir")
    late_us = SystemClock().now_us()
    api.register.record_forecasts([msgspec.structs.replace(_outlook(), issued_us=late_us)])
    assert api.get("/api/v1/stations/hilir").json()["forecast"]["issued"] == rfc3339(late_us)


@pytest.mark.parametrize(
    ("shown", "digest", "days", "age_h", "reason", "said"),
    [
        pytest.param(None, None, 1, None, "no_model", "belum dilatih", id="nothing fitted"),
        pytest.param((), None, 1, None, "no_skill", "tidak lebih baik daripada nilai tetap", id="no skill"),
        pytest.param((1.0,), "other", 1, None, "refused", "harus dilatih ulang", id="limits changed"),
        pytest.param((1.0,), None, 500, None, "refused", "harus dilatih ulang", id="too old"),
        pytest.param((1.0,), None, 1, None, "none_yet", "belum cukup baru", id="no forecast yet"),
        pytest.param((1.0,), None, 1, 4, "stale", "Tidak ada prakiraan baru sejak", id="stale"),
    ],
)
def test_a_forecast_that_may_not_be_shown_is_not_and_says_why(
    api: Site,
    shown: tuple[float, ...] | None,
    digest: str | None,
    days: float,
    age_h: float | None,
    reason: str,
    said: str,
) -> None:
    if shown is not None:
        _model(api, shown=shown, digest=digest, days=days)
    if age_h is not None:
        api.register.record_forecasts([_outlook(age_us=round(age_h * US_PER_HOUR))])
    found = api.get("/api/v1/stations/hilir/forecast").json()
    assert (found["shown"], found["steps"], found["reason"]) == (False, [], reason)
    assert said in found["lines"][0]
    assert len(found["lines_en"]) == 1


def test_a_damaged_model_is_refused_and_breaks_nothing(api: Site) -> None:
    file = model_file(api.settings.data_dir, "hilir")
    file.parent.mkdir(parents=True)
    file.write_bytes(b"not a model")
    assert api.get("/api/v1/stations/hilir/forecast").json()["reason"] == "refused"


def test_the_hydrograph_goes_on_into_the_forecast(api: Site) -> None:
    api.put("hilir", "stage", 1.4, age_s=600)
    api.put("hilir", "stage", 1.5, age_s=60)
    plain = api.get("/api/v1/stations/hilir/hydrograph.svg", hours=6).text
    assert 'class="band"' not in plain
    api.register.record_forecasts([_outlook(age_us=US_PER_MINUTE // 2)])
    drawn = api.get("/api/v1/stations/hilir/hydrograph.svg", hours=6).text
    assert 'class="band"' in drawn
    assert 'class="ahead"' in drawn
    assert "Prakiraan muka air" in drawn
    assert 'class="band"' not in api.get("/api/v1/stations/hilir/hydrograph.svg", hours=200).text


def test_nobody_learns_of_a_field_by_asking_for_its_forecast(api: Site) -> None:
    assert api.get("/api/v1/stations/sawah-a/forecast").status_code == 404
    assert api.get("/api/v1/stations/nowhere/forecast").status_code == 404
