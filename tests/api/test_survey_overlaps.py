"""Several published surveys of one road: told apart on the review page, and said when one is published."""

import io
import re
import zipfile
from pathlib import Path

import httpx
import pytest

from serayu.models.stores.register import Register, upgrade
from serayu.models.stores.register.database import sqlite_url
from serayu.models.survey.overlap import Stretch, overlapping
from serayu.vision.survey.publish import Target, publish_survey
from serayu.vision.survey.publish_cli import published_text
from tests.api.site import REGION, Site
from tests.models.survey.bundles import SURVEY, documents, other, zipped

TWIN = SURVEY.replace("be6201", "be9f3c")


def _folder(folder: Path, data: bytes) -> Path:
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        packed.extractall(folder)
    return folder


def _publish(api: Site, data: bytes, key: str) -> httpx.Response:
    headers = {"Content-Type": "application/zip", "Idempotency-Key": key}
    with api.client("operator") as client:
        return client.post("/api/v1/surveys", content=data, headers=headers)


@pytest.mark.parametrize(
    ("other_stretch", "expected"),
    [
        (Stretch("A", 0.0, 0.1), {"x": {"A": 0.1}}),
        (Stretch("A", 0.15, 0.9), {"x": {"A": 0.05}}),
        (Stretch("A", 0.2, 0.3), {}),
        (Stretch("B", 0.0, 0.1), {}),
    ],
)
def test_surveys_overlap_where_both_judged_the_same_stretch_of_a_road(
    other_stretch: Stretch, expected: dict[str, dict[str, float]]
) -> None:
    own = [Stretch("A", 0.0, 0.1), Stretch("A", 0.1, 0.2)]
    assert overlapping(own, {"x": [other_stretch]}) == expected
    assert overlapping([], {"x": [other_stretch]}) == {}


def test_publishing_names_other_surveys_of_the_same_stretch(tmp_path: Path, api: Site) -> None:
    upgrade(sqlite_url(tmp_path / "here" / "register.sqlite"))
    here = Target(region=api.settings.region, data=tmp_path / "here")
    there = Target(url=api.url, key=api.secrets["keys"]["operator"])
    first, twin = _folder(tmp_path / "first", zipped()), _folder(tmp_path / "twin", other(TWIN))
    for target in (here, there):
        alone = publish_survey(first, target)
        assert alone["overlaps"] == []
        assert "\n" not in published_text(alone)
        done = publish_survey(twin, target)
        (overlap,) = done["overlaps"]
        assert (overlap["survey"], overlap["ruas"], overlap["km"]) == (SURVEY, ["CONTOH-01"], 0.1)
        said = published_text(done)
        assert f"serayu vision withdraw {SURVEY}" in said
        assert "difoto 01-07-2026 09.00 WIB" in said
        assert "the map shows the findings of both" in said


def test_surveys_of_other_stretches_or_without_roads_do_not_overlap(tmp_path: Path, api: Site) -> None:
    upgrade(sqlite_url(tmp_path / "register.sqlite"))
    here = Target(region=api.settings.region, data=tmp_path)
    assert publish_survey(_folder(tmp_path / "first", zipped()), here)["overlaps"] == []
    twin = _folder(tmp_path / "twin", other(TWIN))
    file = twin / "segments.geojson"
    file.write_text(file.read_text().replace('"km_from": 0.0, "km_to": 0.1', '"km_from": 0.1, "km_to": 0.2'))
    assert publish_survey(twin, here)["overlaps"] == []
    with Register(sqlite_url(tmp_path / "register.sqlite")) as register:
        assert register.survey_roads(REGION) == {SURVEY: ("CONTOH-01",), TWIN: ("CONTOH-01",)}
        assert register.overlaps(REGION, "none") == ()


def test_the_review_page_tells_surveys_of_one_road_and_hour_apart(api: Site) -> None:
    assert _publish(api, zipped(), "publish-0001").status_code == 201
    assert _publish(api, other(TWIN), "publish-0002").status_code == 201
    without = documents("jalan-lain")
    without["segments.geojson"]["features"] = []
    without["findings.geojson"]["features"] = []
    without["sightings.json"]["photos"] = []
    without["survey.json"].update(first=None, counts={"units": 2, "findings": 0, "classes": {}})
    assert _publish(api, zipped(without, {}), "publish-0003").status_code == 201
    with api.client() as client:
        assert client.post("/login", data={"key": api.secrets["keys"]["dishub"]}).status_code == 303
        page = client.get("/tinjau", params={"survey": TWIN}).text
    names = dict(re.findall(r'<option value="([^"]+)"(?: selected)?>(photos[^<]*)</option>', page))
    assert set(names) == {SURVEY, TWIN, "jalan-lain"}
    assert len(set(names.values())) == 3
    assert names[SURVEY].startswith("photos, 01-07-2026 09.00 WIB, CONTOH-01, 4 temuan, terbit ")
    assert names[SURVEY].endswith(", 019f1b67…6201")
    assert names[TWIN].endswith(", 019f1b67…9f3c")
    assert names["jalan-lain"].startswith("photos, tidak diketahui, 0 temuan, terbit ")
    assert names["jalan-lain"].endswith(", jalan-lain")


def test_the_review_page_and_the_list_say_what_findings_must_not_be_used_for(api: Site) -> None:
    assert _publish(api, zipped(), "publish-0001").status_code == 201
    bound = documents("riset")
    for file in ("segments.geojson", "findings.geojson"):
        bound[file]["features"] = []
    bound["sightings.json"]["photos"] = []
    told = {"name": "landslide", "restriction_id": "Hanya <riset>.", "restriction_en": "Research only."}
    bound["survey.json"].update(
        weights=[{"name": "road"}, told], counts={"units": 2, "findings": 0, "classes": {}}
    )
    assert _publish(api, zipped(bound, {}), "publish-0002").status_code == 201
    with api.client() as client:
        assert client.post("/login", data={"key": api.secrets["keys"]["dishub"]}).status_code == 303
        pages = {one: client.get("/tinjau", params={"survey": one}).text for one in (SURVEY, "riset", "")}
        listed = client.get("/api/v1/surveys").json()["surveys"]
    assert "Hanya &lt;riset&gt;." in pages["riset"]
    assert "Research only." in pages[""]
    assert "Research only." not in pages[SURVEY]
    restrictions = {one["id"]: one["restrictions"] for one in listed}
    assert restrictions == {SURVEY: [], "riset": [{"id": "Hanya <riset>.", "en": "Research only."}]}
