"""Bulletins as GeoJSON: RFC 7946's order of coordinates and of rings, and a geometry only where one is known."""

import json

import msgspec
from hypothesis import given, settings
from shapely.geometry import shape
from shapely.geometry.polygon import orient

from serayu.models.warning.bulletin import AffectedArea, Bulletin, Impact
from serayu.models.warning.documents import bulletin_collection, bulletin_document, bulletin_feature
from tests.models.warning.strategies import bulletins
from tests.models.warning.test_registers import ALERT

RING = ((-7.5, 109.2), (-7.4, 109.2), (-7.4, 109.3), (-7.5, 109.3), (-7.5, 109.2))
"""(latitude, longitude), clockwise on a map."""


def flooded(*rings: tuple[tuple[float, float], ...]) -> Bulletin:
    return msgspec.structs.replace(
        ALERT, impact=Impact(areas=(AffectedArea("33.02.12.2001", "A", polygons=rings),))
    )


def test_longitude_comes_first_and_rings_run_counterclockwise() -> None:
    geometry = bulletin_feature(flooded(RING))["geometry"]
    assert geometry["type"] == "MultiPolygon"
    assert geometry["coordinates"][0][0][0] == [109.2, -7.5]
    assert geometry == bulletin_feature(flooded(RING[::-1]))["geometry"]
    assert shape(geometry).geoms[0].equals_exact(orient(shape(geometry).geoms[0]), 0)


def test_without_an_area_the_geometry_is_the_station_or_none() -> None:
    assert bulletin_feature(ALERT)["geometry"] is None
    there = bulletin_feature(ALERT, position=(109.2, -7.5))["geometry"]
    assert there == {"type": "Point", "coordinates": [109.2, -7.5]}


@settings(max_examples=30, deadline=None)
@given(bulletins())
def test_a_feature_holds_the_document_and_valid_polygons(bulletin: Bulletin) -> None:
    feature = json.loads(json.dumps(bulletin_feature(bulletin), allow_nan=False))
    document = json.loads(json.dumps(bulletin_document(bulletin)))
    assert {"id": feature["id"], **feature["properties"]} == document
    rings = [ring for area in bulletin.impact.areas for ring in area.polygons]
    if not rings:
        assert feature["geometry"] is None
        return
    found = shape(feature["geometry"])
    assert len(found.geoms) == len(rings)
    for polygon, ring in zip(found.geoms, rings, strict=True):
        assert polygon.is_valid
        assert polygon.exterior.is_ccw
        assert {(lat, lon) for lon, lat in polygon.exterior.coords} == set(ring)


def test_a_collection_keeps_the_order_and_places_each_at_its_station() -> None:
    other = msgspec.structs.replace(ALERT, id="0198a2b4-0000-7000-8000-000000000002", station="elsewhere")
    found = bulletin_collection([other, ALERT], positions={"bgs-hulu": (109.1, -7.5)})
    assert [feature["id"] for feature in found["features"]] == [other.id, ALERT.id]
    assert [feature["geometry"] is None for feature in found["features"]] == [True, False]
    assert bulletin_collection([]) == {"type": "FeatureCollection", "features": []}
