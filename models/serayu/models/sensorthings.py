"""The entities of the OGC SensorThings API 1.1 (OGC 18-088) and what a create request must bring.

The table of entities is that of the standard's sensing part; required properties and relations agree with
what the conformance suite of version 1.0 tests (github.com/opengeospatial/ets-sta10, EntityType.java). 1.1
adds `properties` to all entities but Observation, which has `parameters`.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

__all__ = ["ENTITY_TYPES", "EntityType", "Problem", "check_create", "entity_type"]

_DURATION = re.compile(r"P(?=.)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a request.

    Parameters
    ----------
    path
        Where, e.g. ``Datastreams/0/unitOfMeasurement``; empty for the body itself.
    reason
        What is wrong, for the client's developer.
    """

    path: str
    reason: str


Check = Callable[[object], str | None]
"""Says what is wrong with a value, or None."""


def _text(value: object) -> str | None:
    return None if isinstance(value, str) and value.strip() else "expected a text that is not empty"


def _object(value: object) -> str | None:
    return None if isinstance(value, Mapping) else "expected an object"


def _present(value: object) -> str | None:
    return "must not be null" if value is None else None


def _is_instant(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).utcoffset() is not None
    except ValueError:
        return False


def _is_duration(text: str) -> bool:
    return _DURATION.fullmatch(text) is not None


def _instant(value: object) -> str | None:
    good = isinstance(value, str) and _is_instant(value)
    return None if good else "expected an ISO 8601 time with zone"


def _instant_or_null(value: object) -> str | None:
    return None if value is None else _instant(value)


def _interval(value: object) -> str | None:
    start, slash, end = value.partition("/") if isinstance(value, str) else ("", "", "")
    good = slash and (
        (_is_instant(start) and (_is_instant(end) or _is_duration(end)))
        or (_is_duration(start) and _is_instant(end))
    )
    return None if good else "expected an ISO 8601 interval with zones"


def _time(value: object) -> str | None:
    if _instant(value) is None or _interval(value) is None:
        return None
    return "expected an ISO 8601 time or interval with zone"


def _unit(value: object) -> str | None:
    if not isinstance(value, Mapping):
        return "expected an object with name, symbol and definition"
    missing = [key for key in ("name", "symbol", "definition") if key not in value]
    return f"lacks {', '.join(missing)}" if missing else None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityType:
    """One kind of entity.

    Parameters
    ----------
    singular, plural
        Names of a link to one and to many of them; the plural is the collection in the service root.
    properties
        Required properties of a stored entity and what a value must be.
    relations
        Links, by the names under which they stand in the entity.
    defaulted
        Required properties that the server supplies when a request has none.
    linked
        Relations that a request must bring: a link or a whole entity.
    optional
        Further properties that are checked when they are there.
    """

    singular: str
    plural: str
    properties: Mapping[str, Check]
    relations: tuple[str, ...]
    defaulted: frozenset[str] = frozenset()
    linked: tuple[str, ...] = ()
    optional: Mapping[str, Check] = field(default_factory=lambda: MappingProxyType({"properties": _object}))


_NAMED: Mapping[str, Check] = {"name": _text, "description": _text}
_ENCODED: Mapping[str, Check] = {**_NAMED, "encodingType": _text}

ENTITY_TYPES: tuple[EntityType, ...] = (
    EntityType(
        singular="Thing",
        plural="Things",
        properties=_NAMED,
        relations=("Datastreams", "Locations", "HistoricalLocations"),
    ),
    EntityType(
        singular="Location",
        plural="Locations",
        properties={**_ENCODED, "location": _present},
        relations=("Things", "HistoricalLocations"),
    ),
    EntityType(
        singular="HistoricalLocation",
        plural="HistoricalLocations",
        properties={"time": _instant},
        relations=("Thing", "Locations"),
        linked=("Thing", "Locations"),
    ),
    EntityType(
        singular="Datastream",
        plural="Datastreams",
        properties={**_NAMED, "unitOfMeasurement": _unit, "observationType": _text},
        relations=("Thing", "Sensor", "ObservedProperty", "Observations"),
        linked=("Thing", "Sensor", "ObservedProperty"),
        optional={
            "properties": _object,
            "observedArea": _object,
            "phenomenonTime": _interval,
            "resultTime": _interval,
        },
    ),
    EntityType(
        singular="Sensor",
        plural="Sensors",
        properties={**_ENCODED, "metadata": _present},
        relations=("Datastreams",),
    ),
    EntityType(
        singular="ObservedProperty",
        plural="ObservedProperties",
        properties={**_NAMED, "definition": _text},
        relations=("Datastreams",),
    ),
    EntityType(
        singular="Observation",
        plural="Observations",
        properties={"phenomenonTime": _time, "result": _present, "resultTime": _instant_or_null},
        relations=("Datastream", "FeatureOfInterest"),
        defaulted=frozenset({"phenomenonTime", "resultTime"}),
        linked=("Datastream",),
        optional={"validTime": _interval, "parameters": _object},
    ),
    EntityType(
        singular="FeatureOfInterest",
        plural="FeaturesOfInterest",
        properties={**_ENCODED, "feature": _present},
        relations=("Observations",),
    ),
)
"""All entity types of the sensing part."""

_BY_NAME: Mapping[str, EntityType] = {
    name: kind for kind in ENTITY_TYPES for name in (kind.singular, kind.plural)
}


def entity_type(name: str) -> EntityType:
    """Find an entity type by its singular or plural name.

    Parameters
    ----------
    name
        For instance ``Thing`` or ``Things``; upper and lower case matter, as in the standard.

    Raises
    ------
    ValueError
        When there is no such type.
    """
    kind = _BY_NAME.get(name)
    if kind is None:
        raise ValueError(f"unknown entity type {name!r}, expected one of {', '.join(_BY_NAME)}")
    return kind


def check_create(kind: EntityType, body: object) -> tuple[Problem, ...]:
    """Check the body of a request that creates an entity, entities within it (deep insert) included.

    Parameters
    ----------
    kind
        What is to be created.
    body
        The decoded JSON document. Properties that the standard does not know are left to the caller.

    Returns
    -------
    tuple of Problem
        All that is wrong; empty when the entity may be created. Whether linked entities exist is for the
        store.
    """
    return tuple(_problems(kind, body, path="", parent=None))


def _problems(kind: EntityType, body: object, *, path: str, parent: EntityType | None) -> Iterator[Problem]:
    if not isinstance(body, Mapping):
        yield Problem(path, f"expected an object for a {kind.singular}")
        return
    prefix = f"{path}/" if path else ""
    yield from _property_problems(kind, body, prefix=prefix)
    for name in kind.relations:
        if name in body:
            yield from _link_problems(kind, name, body[name], path=prefix + name)
        elif name in kind.linked and not _is_given_by(parent, name):
            yield Problem(prefix + name, "is required: a link {'@iot.id': …} or a whole entity")


def _property_problems(kind: EntityType, body: Mapping[object, object], *, prefix: str) -> Iterator[Problem]:
    for name, check in kind.properties.items():
        if name not in body:
            if name not in kind.defaulted:
                yield Problem(prefix + name, "is required")
        elif reason := check(body[name]):
            yield Problem(prefix + name, reason)
    for name, check in kind.optional.items():
        if body.get(name) is not None and (reason := check(body[name])):
            yield Problem(prefix + name, reason)


def _is_given_by(parent: EntityType | None, relation: str) -> bool:
    """Whether the entity around a deep insert is itself the other end of the relation."""
    return parent is not None and relation in (parent.singular, parent.plural)


def _link_problems(kind: EntityType, relation: str, value: object, *, path: str) -> Iterator[Problem]:
    other = entity_type(relation)
    if relation == other.singular:
        yield from _linked_problems(kind, other, value, path=path)
    elif isinstance(value, list):
        if not value and relation in kind.linked:
            yield Problem(path, "needs at least one entry")
        for index, item in enumerate(value):
            yield from _linked_problems(kind, other, item, path=f"{path}/{index}")
    else:
        yield Problem(path, "expected a list")


def _linked_problems(kind: EntityType, other: EntityType, value: object, *, path: str) -> Iterator[Problem]:
    if not isinstance(value, Mapping) or "@iot.id" not in value:
        yield from _problems(other, value, path=path, parent=kind)
        return
    identity = value["@iot.id"]
    # bool is an int to Python, never an identity to a client
    if isinstance(identity, bool) or not isinstance(identity, int | str) or identity == "":
        yield Problem(f"{path}/@iot.id", "expected a number or a text")
