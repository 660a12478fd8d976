"""Slides of published surveys are scars of slopes, unless a reviewer says otherwise."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from serayu.models.landslide import surveyed
from serayu.models.landslide.findings import FINDING_DAYS, FindingKind, read_findings
from serayu.models.landslide.surveyed import scar_of, surveyed_scars
from serayu.models.stores.register import Register
from serayu.models.stores.survey_files import publish_bundle
from serayu.models.survey.finding import DefectClass
from serayu.models.survey.review import Judgement
from serayu.models.times import US_PER_DAY, parse_rfc3339
from tests.models.survey.bundles import IDS, documents, feature, zipped
from tests.registers import empty_register

CODE = "33.02"
SEEN_US = parse_rfc3339("2026-07-01T02:00:01Z")
HOLE, SLIDE = IDS[0], IDS[3]


@pytest.fixture(name="register")
def _register(tmp_path: Path) -> Iterator[Register]:
    with Register(empty_register(tmp_path / "register.sqlite")) as register:
        publish(register, tmp_path)
        yield register


def publish(register: Register, folder: Path, given: dict[str, Any] | None = None) -> None:
    bundle = io.BytesIO(zipped(given))
    publish_bundle(bundle, register=register, data_dir=folder, region=CODE, by="test", now_us=SEEN_US)


def ids(register: Register, *, days: float = 1.0) -> list[str | None]:
    scars = surveyed_scars(register, CODE, at_us=SEEN_US + round(days * US_PER_DAY))
    return [one.finding.id for one in scars]


def test_only_the_slide_of_a_survey_is_a_scar(register: Register) -> None:
    (scar,) = surveyed_scars(register, CODE, at_us=SEEN_US)
    assert (scar.finding.kind, scar.finding.observed_us, scar.finding.id) == (
        FindingKind.SCAR,
        SEEN_US,
        SLIDE,
    )
    assert scar.geometry.bounds == pytest.approx((109.3391, -7.5037, 109.33911, -7.50369))
    assert surveyed_scars(register, "33.01", at_us=SEEN_US) == ()


def test_an_old_slide_is_not_read(register: Register) -> None:
    assert ids(register, days=FINDING_DAYS) == [SLIDE]
    assert ids(register, days=FINDING_DAYS + 1) == []


@pytest.mark.parametrize(
    ("finding", "judgement", "label", "scars"),
    [
        (SLIDE, Judgement.CONFIRMED, None, [SLIDE]),
        (SLIDE, Judgement.REJECTED, None, []),
        (SLIDE, Judgement.CORRECTED, DefectClass.PATCH_REPAIR, []),
        (HOLE, Judgement.CORRECTED, DefectClass.LANDSLIDE, [SLIDE, HOLE]),
    ],
)
def test_the_last_reviewer_has_the_last_word(
    register: Register, finding: str, judgement: Judgement, label: DefectClass | None, scars: list[str]
) -> None:
    register.add_review(CODE, finding, judgement, label=label, key_id="k", name="uji", now_us=SEEN_US)
    assert sorted(filter(None, ids(register))) == sorted(scars)


def test_more_slides_than_a_page_are_all_read(
    register: Register, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    survey = "019f1b67-9100-7000-b2ad-ea27d3be6299"
    given = documents(survey)
    features = [
        {**feature(3, survey=survey, id=(name := IDS[0].replace("594a", f"5{n:03x}"))), "id": name}
        for n in range(7)
    ]
    given["findings.geojson"]["features"] = features
    given["survey.json"]["counts"]["findings"] = len(features)
    del given["sightings.json"]
    bundle = io.BytesIO(zipped(given, {}))
    publish_bundle(bundle, register=register, data_dir=tmp_path, region=CODE, by="test", now_us=SEEN_US)
    monkeypatch.setattr(surveyed, "_PAGE", 3)
    assert len(ids(register)) == 8


def test_a_slide_without_time_is_no_evidence() -> None:
    told = feature(3, time=None)
    assert scar_of(told["properties"], told["geometry"]) is None


def test_a_file_of_a_survey_gives_its_slides(tmp_path: Path) -> None:
    file = tmp_path / "findings.geojson"
    file.write_text(json.dumps(documents()["findings.geojson"]))
    (scar,) = read_findings(file)
    assert (scar.finding.kind, scar.finding.observed_us, scar.finding.id) == (
        FindingKind.SCAR,
        SEEN_US,
        SLIDE,
    )
