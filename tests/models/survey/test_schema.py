"""The schema of a finding's properties and our reader agree: what one refuses, so does the other."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from jsonschema.protocols import Validator

from serayu.models.errors import BadInputError
from serayu.models.survey.feature import finding_feature
from serayu.models.survey.finding import Errors, Finding
from serayu.models.survey.read import read_findings
from serayu.models.survey.schema import OPTIONAL, finding_schema
from tests.models.survey.bundles import SURVEY, feature, properties

FILE = Path(__file__).parents[3] / "docs" / "schemas" / "finding.schema.json"
MISSING = object()
WRONG: list[tuple[str, object]] = [
    ("id", "1"), ("id", "019F1B67-94E8-7000-B727-2D65B0594A00"), ("id", "019f1b67-94e8-4000-b727-2d65b0594a00"),
    ("id", None), ("id", MISSING), ("survey", "../x"), ("survey", ""), ("survey", 7), ("survey", MISSING),
    ("class", "manhole"), ("class", None), ("class", MISSING), ("score", 1.01), ("score", -0.1), ("score", "0.5"),
    ("score", True), ("score", MISSING), ("ruas", ""), ("ruas", 7), ("ruas", "x" * 41), ("ruas", "a\0b"),
    ("ruas", None), ("ruas", MISSING),
    ("km", -0.1), ("km", None), ("km", "0"), ("side", "left"), ("side", MISSING), ("length_m", -1),
    ("length_m", "1"), ("width_mm", -0.5), ("area_m2", []), ("area_m2", None), ("severity", "X"), ("severity", None),
    ("errors", None), ("errors", {}), ("errors", {"position_m": -1}), ("errors", {"position_m": 1, "km": 2}),
    ("errors", {"position_m": 1, "length_m": 0.1}), ("errors", {"position_m": 1, "road_edge_m": 1}),
    ("errors", MISSING), ("photo", "a/b.jpg"), ("photo", ""),
    ("photo", ".."), ("photo", "a\\b.jpg"), ("photo", "a\nb.jpg"), ("photo", MISSING), ("photos", []),
    ("photos", ["SRY_0002.jpg", "SRY_0002.jpg"]), ("photos", "SRY_0002.jpg"),
    ("photos", ["SRY_0002.jpg", "/etc/passwd"]),
    ("photos", MISSING), ("time", "2026-07-01"), ("time", "2026-07-01T02:00:01+07:00"), ("time", 5), ("time", MISSING),
    ("unmeasured", ["because"]), ("unmeasured", None), ("road_edge_m", -1), ("slope_deg", 90.5), ("colour", "red"),
]  # fmt: skip


def _validator() -> Validator:
    schema = json.loads(FILE.read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def _read(given: dict[str, Any]) -> tuple[Finding, ...]:
    one = {**feature(), "properties": given}
    one.pop("id")
    data = json.dumps({"type": "FeatureCollection", "features": [feature(1), one]}).encode()
    return read_findings(data, survey=SURVEY)


def test_the_file_is_what_the_code_says_and_names_the_fields_of_a_finding() -> None:
    schema = finding_schema()
    assert json.loads(FILE.read_text("utf-8")) == schema
    fields = {one.encode_name: one for one in msgspec.structs.fields(Finding)}
    assert schema["properties"].keys() == fields.keys() - {"geometry"}
    optional = {name for name, one in fields.items() if one.default is not msgspec.NODEFAULT}
    assert optional == set(OPTIONAL) == schema["properties"].keys() - set(schema["required"])
    assert schema["properties"]["errors"]["properties"].keys() == set(Errors.__struct_fields__)


@pytest.mark.parametrize("n", range(4))
def test_a_finding_passes_both_and_comes_back_as_it_was(n: int) -> None:
    _validator().validate(properties(n))
    data = json.dumps({"type": "FeatureCollection", "features": [feature(n)]}).encode()
    (found,) = read_findings(data, survey=SURVEY)
    again = json.loads(msgspec.json.encode(finding_feature(found)))
    assert again == json.loads(json.dumps(feature(n)))
    _validator().validate(again["properties"])


@pytest.mark.parametrize(("name", "value"), WRONG, ids=[f"{name}-{n}" for n, (name, _) in enumerate(WRONG)])
def test_what_the_schema_refuses_the_reader_refuses_by_name(name: str, value: object) -> None:
    given = properties()
    if value is MISSING:
        del given[name]
    else:
        given[name] = value
    assert not _validator().is_valid(given)
    with pytest.raises(BadInputError) as caught:
        _read(given)
    assert (caught.value.file, caught.value.row) == ("findings.geojson", 2)
    related = {"ruas": ("km", "side", "ruas"), "area_m2": ("area_m2",), "photos": ("photo", "photos")}
    assert any(one in str(caught.value) for one in related.get(name, (name,)))


def test_the_side_of_a_known_road_may_be_unknown_in_both() -> None:
    given = {**properties(), "side": None, "unmeasured": ["finding.unmeasured.side"]}
    assert given["ruas"] is not None
    _validator().validate(given)
    assert len(_read(given)) == 2


@pytest.mark.parametrize("name", OPTIONAL)
def test_what_may_be_left_out_may_be_left_out_in_both(name: str) -> None:
    given = properties()
    del given[name]
    _validator().validate(given)
    assert len(_read(given)) == 2
