"""The list of stations: what is present, what is stale or failed, and who sees it."""

import math
from collections.abc import Iterable

import pytest

from serayu.models.access import Role
from serayu.models.quality.flags import QcTest, QualityFlag
from serayu.models.reading import Observation, SeriesKey
from serayu.models.siaga import Siaga
from serayu.models.stores.sensor_faults import StandingFault
from serayu.models.times import US_PER_MINUTE, rfc3339
from tests.api.site import REGION, STATIONS, Site, now_us

FIELDS = {"sawah-a", "sawah-b"}
ALL = {name for name, *_ in STATIONS}


def _station(api: Site, name: str, role: str | None = None) -> dict:  # type: ignore[type-arg]
    answer = api.get(f"/api/v1/stations/{name}", role)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def _stream(api: Site, name: str, slug: str, role: str | None = None) -> dict:  # type: ignore[type-arg]
    return next(dict(s) for s in _station(api, name, role)["datastreams"] if s["property"] == slug)


def test_a_station_without_any_reading_says_that_there_is_no_data(api: Site) -> None:
    stage = _stream(api, "hulu", "stage")
    assert (stage["value"], stage["last_value"], stage["reason"], stage["stale"]) == (
        None,
        None,
        "no_data",
        True,
    )
    assert (stage["time"], stage["age_s"], stage["flag"]) == (None, None, None)


def test_a_fresh_good_value_is_the_present_value(api: Site) -> None:
    api.put("hulu", "stage", 1.25, age_s=20)
    stage = _stream(api, "hulu", "stage")
    assert (stage["value"], stage["last_value"], stage["reason"], stage["stale"]) == (1.25, 1.25, None, False)
    assert (stage["unit"], stage["flag"], stage["flag_name"], stage["tests"]) == ("m", 1, "good", [])
    assert 19 <= stage["age_s"] < 60


@pytest.mark.parametrize(
    ("value", "flag", "age_s", "reason"),
    [
        pytest.param(1.25, QualityFlag.GOOD, 301, "stale", id="just older than five minutes"),
        pytest.param(-8.88, QualityFlag.FAIL, 5, "failed", id="failed"),
        pytest.param(math.nan, QualityFlag.MISSING, 5, "missing", id="not measured"),
        pytest.param(-8.88, QualityFlag.FAIL, 900, "failed", id="failed and old"),
    ],
)
def test_a_stale_failed_or_missing_value_is_never_the_present_value(
    api: Site, value: float, flag: QualityFlag, age_s: float, reason: str
) -> None:
    api.put("hulu", "stage", value, age_s=age_s, flag=flag)
    stage = _stream(api, "hulu", "stage")
    assert (stage["value"], stage["reason"]) == (None, reason)
    assert stage["last_value"] == (None if math.isnan(value) else value)
    assert stage["trend_per_h"] is None


def test_a_level_without_a_present_value_is_not_known_rather_than_normal(api: Site) -> None:
    api.put("hulu", "stage", 1.25, age_s=400)
    level = _station(api, "hulu")["level"]
    assert (level["siaga"], level["label"], level["reason"]) == (None, None, "stale")


def test_a_suspect_value_is_shown_with_its_flag_and_tests(api: Site) -> None:
    api.put("hulu", "stage", 1.25, flag=QualityFlag.SUSPECT, tests=QcTest.SPIKE)
    stage = _stream(api, "hulu", "stage")
    assert (stage["value"], stage["flag_name"], stage["tests"]) == (1.25, "suspect", ["spike"])


def test_the_level_is_that_of_the_alert_in_force(api: Site) -> None:
    api.put("hulu", "stage", 3.4)
    api.change("hulu", Siaga.NORMAL, Siaga.SIAGA, level_m=3.4, verified=False)
    level = _station(api, "hulu")["level"]
    assert (level["siaga"], level["label"], level["current"]) == ("siaga", Siaga.SIAGA.label, True)
    assert (level["reason"], level["verified"], level["exceeds"]) == ("threshold", False, "siaga")


def test_an_alert_stays_in_force_when_its_post_falls_silent_and_says_so(api: Site) -> None:
    api.put("hulu", "stage", 3.4, age_s=900)
    api.change("hulu", Siaga.NORMAL, Siaga.SIAGA, level_m=3.4)
    level = _station(api, "hulu")["level"]
    assert (level["siaga"], level["current"], level["exceeds"]) == ("siaga", False, None)


def test_a_value_above_a_limit_that_is_not_yet_an_alert_says_which_limit(api: Site) -> None:
    api.put("hulu", "stage", 4.5)
    level = _station(api, "hulu")["level"]
    assert (level["siaga"], level["exceeds"]) == ("normal", "awas")


def test_thresholds_say_who_stands_for_them(api: Site) -> None:
    limits = _station(api, "hulu")["thresholds"]
    assert limits == {
        "waspada_m": 2.0, "siaga_m": 3.0, "awas_m": 4.0, "source": "test", "valid_from": "2026-01-01",
        "approved_by": "nobody yet", "invented": True, "inclusive": False,
    }  # fmt: skip


def test_rain_is_summed_over_the_last_hour_and_day_and_has_no_trend(api: Site) -> None:
    for age_s, depth in ((10, 1.0), (3599, 2.0), (3700, 4.0), (86_000, 8.0), (86_500, 16.0)):
        api.put("hujan-a", "rain", depth, age_s=age_s)
    rain = _stream(api, "hujan-a", "rain")
    assert (rain["value"], rain["total_1h"], rain["total_24h"], rain["trend_per_h"]) == (1.0, 3.0, 15.0, None)


@pytest.mark.parametrize(
    ("minutes", "hour", "day", "since"),
    [
        pytest.param(range(1440), 1.0, 1.0, 1440, id="a whole day"),
        pytest.param(range(180), 1.0, 0.125, 180, id="the last three hours"),
        pytest.param([*range(30), *range(60, 1440)], 0.5, 0.979, 1440, id="nothing for half an hour"),
        pytest.param([0], 0.017, 0.001, 1, id="one reading"),
    ],
)
def test_a_total_says_how_much_of_its_span_has_readings(
    api: Site, minutes: Iterable[int], hour: float, day: float, since: int
) -> None:
    now = now_us()
    key = SeriesKey("33.02", "hujan-a", "rain")
    rows = [
        Observation(key, now - m * US_PER_MINUTE, 0.2, QualityFlag.GOOD, received_us=now) for m in minutes
    ]
    assert not api.hot.write(sorted(rows, key=lambda row: row.t_us))
    rain = _stream(api, "hujan-a", "rain")
    assert (rain["total_1h_coverage"], rain["total_24h_coverage"]) == (hour, day)
    assert rain["total_24h_since"] == rfc3339(now - since * US_PER_MINUTE)


def test_what_does_not_accumulate_has_no_coverage(shared_api: Site) -> None:
    stage = _stream(shared_api, "hulu", "stage")
    assert {
        stage[f"total_{span}{what}"] for span in ("1h", "24h") for what in ("", "_coverage", "_since")
    } == {None}


def test_the_trend_is_the_change_per_hour(api: Site) -> None:
    api.put("hulu", "stage", 1.0, age_s=3610)
    api.put("hulu", "stage", 1.5, age_s=10)
    assert _stream(api, "hulu", "stage")["trend_per_h"] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("role", "seen"),
    [
        (None, ALL - FIELDS),
        ("public", ALL - FIELDS),
        ("crew", ALL - FIELDS),
        ("farmer", ALL),
        ("dishub", ALL),
        ("operator", ALL),
    ],
)
def test_fields_are_seen_by_their_farmers_and_officers_only(
    shared_api: Site, role: str | None, seen: set[str]
) -> None:
    assert {s["id"] for s in shared_api.get("/api/v1/stations", role).json()["stations"]} == seen
    features = shared_api.get("/api/v1/stations.geojson", role).json()["features"]
    assert {f["id"] for f in features} == seen
    for name in FIELDS:
        expected = 200 if name in seen else 404
        paths = (name, f"{name}/observations?property=soil-moisture", f"{name}/hydrograph.svg")
        for path in paths:
            assert shared_api.get(f"/api/v1/stations/{path}", role).status_code == expected, path


def test_a_farmer_sees_only_own_fields(api: Site) -> None:
    new = api.register.create_key("33.02", "Bu Tani", Role.FARMER, now_us=1, stations=["sawah-a"])
    with api.client() as client:
        client.headers["X-API-Key"] = new.secret
        seen = {s["id"] for s in client.get("/api/v1/stations").json()["stations"]}
        assert seen == ALL - {"sawah-b"}
        assert client.get("/api/v1/stations/sawah-b").status_code == 404


def test_geojson_is_the_same_list_with_positions(shared_api: Site) -> None:
    answer = shared_api.get("/api/v1/stations", format="geojson")
    assert answer.headers["content-type"] == "application/geo+json"
    feature = next(f for f in answer.json()["features"] if f["id"] == "hilir")
    assert feature["geometry"] == {"type": "Point", "coordinates": [109.20, -7.53]}
    assert feature["properties"]["datastreams"][0]["value"] == 3.25


def test_the_etag_holds_until_a_reading_comes(api: Site) -> None:
    api.put("hulu", "stage", 1.25)
    first = api.get("/api/v1/stations")
    with api.client() as client:
        again = client.get("/api/v1/stations", headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        api.put("hulu", "stage", 1.30, age_s=1)
        later = client.get("/api/v1/stations", headers={"If-None-Match": first.headers["etag"]})
        assert later.status_code == 200
        assert later.headers["etag"] != first.headers["etag"]


def test_the_etag_of_one_audience_says_nothing_to_another(shared_api: Site) -> None:
    tags = {shared_api.get("/api/v1/stations", role).headers["etag"] for role in (None, "dishub", "farmer")}
    assert len(tags) == 3


def test_the_list_comes_compressed_to_those_who_can(shared_api: Site) -> None:
    with shared_api.client() as client:
        plain = client.get("/api/v1/stations", headers={"Accept-Encoding": "identity"})
        small = client.get("/api/v1/stations", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert small.headers["content-encoding"] == "gzip"
    assert [s["id"] for s in plain.json()["stations"]] == [s["id"] for s in small.json()["stations"]]


def test_an_unknown_station_is_a_problem_document(shared_api: Site) -> None:
    answer = shared_api.get("/api/v1/stations/atlantis")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:serayu:problem:not-found"


def test_a_sensor_fault_is_told_beside_the_level_and_is_no_alert(api: Site) -> None:
    api.put("hulu", "stage", 1.25, age_s=20)
    api.get("/api/v1/stations")
    fault = StandingFault(REGION, "hulu", "doubtful", now_us() - 60 * US_PER_MINUTE)
    api.hot.sensor_faults.change(begin=[fault])
    api.put("hulu", "stage", 1.26, age_s=10)
    station = _station(api, "hulu")
    (told,) = station["sensor_faults"]
    assert (told["kind"], told["since"]) == ("doubtful", rfc3339(fault.since_us))
    assert "belum terverifikasi" in told["label"]
    assert "not verified" in told["label_en"]
    assert station["level"]["siaga"] == "normal"
    assert _station(api, "hilir")["sensor_faults"] == []
