"""Vectors of the SensorThings API (``sta.*``)."""

from collections.abc import Mapping
from types import MappingProxyType

from serayu.models import sensorthings
from tests.vector_adapters.values import Adapter


def _entity_properties(*, entity: str) -> Mapping[str, object]:
    return {"required": sorted(sensorthings.entity_type(entity).properties)}


def _entity_relations(*, entity: str) -> Mapping[str, object]:
    return {"relations": sorted(sensorthings.entity_type(entity).relations)}


def _creator(entity: str) -> Adapter:
    def create(*, body: object) -> Mapping[str, object]:
        return {"status": 400 if sensorthings.check_create(sensorthings.entity_type(entity), body) else 201}

    return create


ADAPTERS: Mapping[str, Adapter] = MappingProxyType(
    {
        "sta.entity_properties": _entity_properties,
        "sta.entity_relations": _entity_relations,
        "sta.create_thing": _creator("Thing"),
        "sta.create_observation": _creator("Observation"),
    }
)
