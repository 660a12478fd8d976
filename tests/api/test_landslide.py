"""Landslide levels over the api: unknown is shown as unknown, and a warning in force only to who may know of it."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from serayu.models.landslide.watch import RoadWatch
from serayu.models.siaga_levels import Siaga
from serayu.models.times import US_PER_DAY, US_PER_HOUR, US_PER_MINUTE
from serayu.models.uuid7 import uuid7
from serayu.models.warning.bulletin import BulletinStatus, Hazard
from tests.api.site import REGION, Site, now_us, site, write_region
from tests.models.landslide.support import SQUARE, hourly, reported, unit
from tests.models.warning.test_registers import ALERT

WET = hourly(10.0, 25.0, 30.0)
STEEP = unit(id="u1", name="Tebing <i>", ruas="R1")
BLIND = unit(id="u2", name="Lereng", ruas="R2", rain=("none",))


@pytest.fixture(name="slopes")
def _slopes(tmp_path: Path) -> Path:
    region = write_region(tmp_path / "region")
    ring = [list(corner) for corner in SQUARE.exterior.coords]
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Polygon", "coordinates": [ring]},
            "properties": {"id": one.unit.id, "name": one.unit.name, "ruas": one.unit.ruas},
        }
        for one in (STEEP, BLIND)
    ]
    (region / "slopes.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return tmp_path


def assessed(api: Site, *, age_us: int = US_PER_MINUTE, alert: str | None = None) -> None:
    report = reported([STEEP, BLIND], WET)
    roads = {"R1": RoadWatch(alert_id=alert, held=True)}
    api.register.record_landslide(REGION, at_us=now_us() - age_us, report=report, roads=roads)


def road(api: Site, name: str, role: str | None = None) -> dict[str, Any]:
    answer = api.get("/api/v1/landslide", role)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = next(one for one in answer.json()["ruas"] if one["ruas"] == name)
    return found


def test_a_region_without_slopes_has_no_landslide_levels(shared_api: Site) -> None:
    for path in ("/api/v1/landslide", "/api/v1/landslide.geojson"):
        assert shared_api.get(path).status_code == 404
    assert "Lereng di atas jalan" not in shared_api.get("/").text


def test_before_the_first_assessment_nothing_is_said(slopes: Path) -> None:
    with site(slopes) as api:
        assert api.get("/api/v1/landslide").status_code == 404
        assert "Lereng di atas jalan" in api.get("/").text


def test_each_road_has_level_rules_numbers_and_what_is_missing(slopes: Path) -> None:
    with site(slopes) as api:
        assessed(api)
        document = api.get("/api/v1/landslide").json()
        assert document["stale"] is False
        assert [(one["ruas"], one["level"], one["siaga"]) for one in document["ruas"]] == [
            ("R1", "siaga", "siaga"),
            ("R2", "unknown", None),
        ]
        worst = document["units"][0]
        exceeded = [rule for rule in worst["rules"] if rule["verdict"] == "exceeded"]
        assert all(rule["value"] > rule["threshold"] for rule in exceeded)
        assert exceeded
        assert document["units"][1]["missing"][0] == "rain"
        known = api.get("/api/v1/landslide")
        with api.client() as client:
            again = client.get("/api/v1/landslide", headers={"If-None-Match": known.headers["etag"]})
        assert again.status_code == 304


def test_an_assessment_that_is_too_old_is_unknown(slopes: Path) -> None:
    with site(slopes) as api:
        assessed(api, age_us=31 * US_PER_MINUTE)
        document = api.get("/api/v1/landslide").json()
        assert document["stale"] is True
        assert {one["level"] for one in (*document["ruas"], *document["units"])} == {"unknown"}
        assert {one["siaga"] for one in (*document["ruas"], *document["units"])} == {None}
        assert "Tidak diketahui" in document["ruas"][0]["explanation"]["id"]


def test_the_slopes_are_a_layer_with_their_levels(slopes: Path) -> None:
    with site(slopes) as api:
        assessed(api)
        answer = api.get("/api/v1/landslide.geojson")
        assert answer.headers["content-type"] == "application/geo+json"
        assert [
            (one["properties"]["id"], one["properties"]["level"]) for one in answer.json()["features"]
        ] == [
            ("u1", "siaga"),
            ("u2", "unknown"),
        ]


@pytest.mark.parametrize(
    ("status", "role", "seen"),
    [
        (BulletinStatus.ACTUAL, None, True),
        (BulletinStatus.TEST, None, False),
        (BulletinStatus.TEST, "operator", True),
    ],
)
def test_the_warning_in_force_stands_beside_the_level(
    slopes: Path, status: BulletinStatus, role: str | None, *, seen: bool
) -> None:
    with site(slopes) as api:
        sent_us = now_us() - US_PER_HOUR
        warned = msgspec.structs.replace(
            ALERT,
            id=uuid7(sent_us),
            alert_id=uuid7(sent_us),
            region=REGION,
            hazard=Hazard.LANDSLIDE,
            level=Siaga.AWAS,
            status=status,
            authority="BPBD Contoh",
            sent_us=sent_us,
            expires_us=sent_us + US_PER_DAY,
        )
        api.register.record_bulletin(warned, now_us=now_us())
        assessed(api, alert=warned.alert_id)
        found = road(api, "R1", role)["warning"]
        assert (found is not None) is seen
        if found is not None:
            assert (found["bulletin"], found["siaga"], found["held"]) == (warned.id, "awas", True)
        assert road(api, "R2", role)["warning"] is None


def test_a_warning_that_has_lapsed_is_not_in_force(slopes: Path) -> None:
    with site(slopes) as api:
        sent_us = now_us() - US_PER_DAY - US_PER_HOUR
        fields = {"id": uuid7(sent_us), "alert_id": uuid7(sent_us), "region": REGION}
        warned = msgspec.structs.replace(ALERT, **fields, sent_us=sent_us, expires_us=sent_us + US_PER_DAY)
        api.register.record_bulletin(warned, now_us=now_us())
        assessed(api, alert=warned.alert_id)
        assert road(api, "R1", "operator")["warning"] is None


def test_a_slope_above_normal_is_on_the_page_of_warnings_as_monitoring(slopes: Path) -> None:
    with site(slopes) as api:
        assessed(api)
        page = api.get("/peringatan").text
        assert "Belum ada peringatan RESMI" in page
        assert "SIAGA (Siaga 2) longsor" in page
        assert "SIAGA (Siaga 2) longsor" not in page.replace("SIAGA (Siaga 2) longsor", "", 1)
        assessed(api, age_us=US_PER_HOUR)  # too old to say anything
        assert "Tidak ada peringatan yang berlaku." in api.get("/peringatan").text
