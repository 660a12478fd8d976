"""What a SensorThings client must send to create an entity."""

import copy
from collections.abc import Mapping
from typing import Any

import pytest

from serayu.models.sensorthings import ENTITY_TYPES, check_create, entity_type

THING: dict[str, Any] = {"name": "Pos BGS hulu", "description": "Pos duga air di Bendung Gerak Serayu"}
LOCATION: dict[str, Any] = {
    "name": "Bendung Gerak Serayu",
    "description": "hulu",
    "encodingType": "application/geo+json",
    "location": {"type": "Point", "coordinates": [109.2, -7.5]},
}
SENSOR: dict[str, Any] = {
    "name": "ultrasonik",
    "description": "JSN-SR04T",
    "encodingType": "text/plain",
    "metadata": "0.25 m - 4.5 m",
}
PROPERTY: dict[str, Any] = {
    "name": "tinggi muka air",
    "definition": "http://vocab.nerc.ac.uk/standard_name/water_surface_height_above_reference_datum/",
    "description": "m",
}
DATASTREAM: dict[str, Any] = {
    "name": "tinggi muka air",
    "description": "tiap 5 menit",
    "unitOfMeasurement": {"name": "metre", "symbol": "m", "definition": "ucum:m"},
    "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
    "Thing": {"@iot.id": 1},
    "Sensor": {"@iot.id": "jsn-1"},
    "ObservedProperty": PROPERTY,
}
OBSERVATION: dict[str, Any] = {"result": 3.2, "Datastream": {"@iot.id": 1}}
WITHIN_THING = {key: value for key, value in DATASTREAM.items() if key != "Thing"}


def _paths(entity: str, body: object) -> list[str]:
    return [problem.path for problem in check_create(entity_type(entity), body)]


@pytest.mark.parametrize(
    ("entity", "body"),
    [
        ("Thing", THING),
        ("Things", THING | {"properties": {"kode_wilayah": "33.02"}}),
        ("Location", LOCATION),
        ("Sensor", SENSOR),
        ("ObservedProperty", PROPERTY),
        ("Datastream", DATASTREAM),
        ("FeatureOfInterest", {**LOCATION, "feature": LOCATION["location"]}),
        (
            "HistoricalLocation",
            {"time": "2026-01-10T01:00:00Z", "Thing": {"@iot.id": 1}, "Locations": [LOCATION]},
        ),
        ("Observation", OBSERVATION),
        ("Observation", OBSERVATION | {"result": 0}),
        ("Observation", OBSERVATION | {"result": False}),
        ("Observation", OBSERVATION | {"phenomenonTime": "2026-01-10T08:00:00+07:00", "resultTime": None}),
        ("Observation", OBSERVATION | {"phenomenonTime": "2026-01-10T00:00:00Z/2026-01-10T01:00:00Z"}),
        ("Observation", OBSERVATION | {"validTime": "2026-01-10T00:00:00Z/PT1H"}),
        ("Thing", THING | {"Locations": [{"@iot.id": 4}, LOCATION], "Datastreams": [WITHIN_THING]}),
        ("Observation", {"result": 1, "Datastream": DATASTREAM}),
    ],
)
def test_what_is_complete_may_be_created(entity: str, body: Mapping[str, Any]) -> None:
    before = copy.deepcopy(body)
    assert check_create(entity_type(entity), body) == ()
    assert body == before


@pytest.mark.parametrize(
    ("entity", "body", "paths"),
    [
        pytest.param("Thing", {}, ["name", "description"], id="empty"),
        pytest.param("Thing", [], [""], id="no object"),
        pytest.param("Thing", THING | {"name": " "}, ["name"], id="blank name"),
        pytest.param("Thing", THING | {"name": 7}, ["name"], id="name that is no text"),
        pytest.param(
            "Thing", THING | {"properties": "x"}, ["properties"], id="properties that are no object"
        ),
        pytest.param("Thing", THING | {"Locations": {}}, ["Locations"], id="one where many belong"),
        pytest.param("Thing", THING | {"Datastreams": [{}]}, None, id="an incomplete datastream inside"),
        pytest.param("Location", LOCATION | {"location": None}, ["location"], id="a location that is null"),
        pytest.param("Observation", {"result": 1}, ["Datastream"], id="no datastream"),
        pytest.param("Observation", {"Datastream": {"@iot.id": 1}}, ["result"], id="no result"),
        pytest.param("Observation", OBSERVATION | {"result": None}, ["result"], id="a result that is null"),
        pytest.param(
            "Observation",
            OBSERVATION | {"phenomenonTime": "2026-01-10T01:00:00"},
            ["phenomenonTime"],
            id="no zone",
        ),
        pytest.param(
            "Observation", OBSERVATION | {"phenomenonTime": None}, ["phenomenonTime"], id="null time"
        ),
        pytest.param("Observation", OBSERVATION | {"resultTime": "kemarin"}, ["resultTime"], id="no time"),
        pytest.param(
            "Observation",
            OBSERVATION | {"validTime": "2026-01-10T01:00:00Z"},
            ["validTime"],
            id="no interval",
        ),
        pytest.param("Observation", OBSERVATION | {"validTime": "P/PT"}, ["validTime"], id="two durations"),
        pytest.param(
            "Observation",
            OBSERVATION | {"Datastream": {"@iot.id": True}},
            ["Datastream/@iot.id"],
            id="a truth as id",
        ),
        pytest.param(
            "Observation", OBSERVATION | {"Datastream": 1}, ["Datastream"], id="a bare number as link"
        ),
        pytest.param("Datastream", WITHIN_THING, ["Thing"], id="a datastream of no thing"),
        pytest.param(
            "Datastream",
            DATASTREAM | {"unitOfMeasurement": {"name": "metre"}},
            ["unitOfMeasurement"],
            id="half a unit",
        ),
        pytest.param(
            "Datastream", DATASTREAM | {"unitOfMeasurement": "m"}, ["unitOfMeasurement"], id="a bare unit"
        ),
        pytest.param(
            "HistoricalLocation",
            {"time": "2026-01-10T01:00:00Z", "Thing": {"@iot.id": 1}, "Locations": []},
            ["Locations"],
            id="history of no place",
        ),
    ],
)
def test_what_is_wrong_is_named_by_its_path(entity: str, body: object, paths: list[str] | None) -> None:
    inner = ["name", "description", "unitOfMeasurement", "observationType", "Sensor", "ObservedProperty"]
    expected = paths if paths is not None else [f"Datastreams/0/{name}" for name in inner]
    assert _paths(entity, body) == expected


def test_an_unknown_entity_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown entity type 'thing'"):
        entity_type("thing")


def test_every_relation_leads_to_an_entity_that_leads_back() -> None:
    for kind in ENTITY_TYPES:
        for relation in kind.relations:
            other = entity_type(relation)
            assert {kind.singular, kind.plural} & set(other.relations), (kind.singular, relation)
