"""What a survey writes can be published: it passes the schema and our reader, with the boxes of every photo."""

import io
import json
from pathlib import Path

import jsonschema

from serayu.models.survey.bundle import pack, read_bundle
from serayu.models.survey.schema import finding_schema
from serayu.vision.survey.pipeline import Order, run_survey
from tests.vision.survey.pictures import ROAD, FlatFolder, gauge, write_flight


def test_what_a_survey_writes_passes_the_schema_and_the_reader(tmp_path: Path) -> None:
    flight, out = tmp_path / "flight", tmp_path / "out"
    write_flight(flight, ROAD)
    order = Order(flight, out, boxes=flight / "boxes")
    outcome = run_survey(order, imagery=FlatFolder(flight), gauge=gauge)
    validator = jsonschema.Draft202012Validator(finding_schema())
    for one in json.loads((out / "findings.geojson").read_text())["features"]:
        validator.validate(one["properties"])
    packed = io.BytesIO()
    pack(out, packed)
    found = read_bundle(packed)
    counts = outcome.summary.counts
    assert (found.head.survey, len(found.findings)) == (outcome.summary.survey, counts.findings)
    assert found.crops.keys() == {one.id for one in found.findings}
    assert sum(len(photo.boxes) for photo in found.photos) == counts.sightings
    assert sum(photo.unplaced for photo in found.photos) == counts.detections - counts.sightings
    for finding in found.findings:
        shown = {photo.photo for photo in found.photos for box in photo.boxes if box.finding == finding.id}
        assert shown == set(finding.photos)
