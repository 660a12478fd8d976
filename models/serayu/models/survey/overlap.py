"""Published surveys of the same stretch of road: findings of all of them are on the map, so the operator is told."""

from collections.abc import Iterable, Mapping

import msgspec

__all__ = ["Overlap", "Stretch", "overlapping", "short_id"]

_SHORT, _TAIL = 8, 4
_LEAST_KM = 1e-6  # stretches that only touch do not overlap


class Stretch(msgspec.Struct, frozen=True):
    """Part of a road that a survey judged: road, from and to kilometre."""

    ruas: str
    km_from: float
    km_to: float


class Overlap(msgspec.Struct, frozen=True, kw_only=True):
    """Another published survey of the same stretch.

    Parameters
    ----------
    survey
        Its id.
    first, published
        When its first photo was taken, null where it does not say, and when it was published; RFC 3339.
    ruas
        Roads of which both judged the same stretch.
    km
        Length of what both judged.
    """

    survey: str
    first: str | None
    published: str
    ruas: tuple[str, ...]
    km: float


def overlapping(
    own: Iterable[Stretch], others: Mapping[str, Iterable[Stretch]]
) -> dict[str, dict[str, float]]:
    """Return how many kilometres of each road other surveys judged too: survey, road, km; nothing where none.

    Parameters
    ----------
    own
        Segments of a survey; they do not overlap one another.
    others
        Those of other surveys.
    """
    by_road: dict[str, list[Stretch]] = {}
    for one in own:
        by_road.setdefault(one.ruas, []).append(one)
    found: dict[str, dict[str, float]] = {}
    for survey, stretches in others.items():
        for other in stretches:
            for one in by_road.get(other.ruas, ()):
                both = min(one.km_to, other.km_to) - max(one.km_from, other.km_from)
                if both > _LEAST_KM:
                    roads = found.setdefault(survey, {})
                    roads[other.ruas] = round(roads.get(other.ruas, 0.0) + both, 6)
    return found


def short_id(id_: str) -> str:
    """Return a survey's id for a list: the ends of a long one, since surveys of one hour begin alike.

    Examples
    --------
    >>> short_id("019f1b67-9100-7000-b2ad-ea27d3be6201"), short_id("banyumas-juli")
    ('019f1b67…6201', 'banyumas-juli')
    """
    return id_ if len(id_) <= _SHORT + _TAIL + 1 else f"{id_[:_SHORT]}…{id_[-_TAIL:]}"
