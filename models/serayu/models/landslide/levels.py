"""Levels of landslide risk, their order, and the Siaga level that each is told as."""

import enum
from collections.abc import Iterable

from serayu.models.siaga_levels import Siaga

__all__ = ["SlopeLevel", "highest", "one_less", "one_more"]


class SlopeLevel(enum.StrEnum):
    """How likely a slope is to move; `UNKNOWN` is no level but the lack of one.

    The order pantau, waspada, siaga follows the three lines of the domain reference, section 3 [project proposal].
    """

    UNKNOWN = "unknown"
    NORMAL = "normal"
    PANTAU = "pantau"
    WASPADA = "waspada"
    SIAGA = "siaga"
    AWAS = "awas"

    @property
    def rank(self) -> int:
        """-1 for unknown, 0 for normal to 4 for the worst."""
        return _ORDER.index(self) - 1

    @property
    def siaga(self) -> Siaga | None:
        """The Siaga level that people are told; None for unknown.

        Pantau is Siaga 4: operators watch, nobody is warned, as the line behind it is crossed by ordinary rain.
        """
        return _SIAGA[self]


_ORDER = tuple(SlopeLevel)
_SIAGA: dict[SlopeLevel, Siaga | None] = {
    SlopeLevel.UNKNOWN: None,
    SlopeLevel.NORMAL: Siaga.NORMAL,
    SlopeLevel.PANTAU: Siaga.NORMAL,
    SlopeLevel.WASPADA: Siaga.WASPADA,
    SlopeLevel.SIAGA: Siaga.SIAGA,
    SlopeLevel.AWAS: Siaga.AWAS,
}


def highest(levels: Iterable[SlopeLevel]) -> SlopeLevel:
    """Return the highest of some levels; unknown for none at all.

    Examples
    --------
    >>> highest([SlopeLevel.NORMAL, SlopeLevel.SIAGA, SlopeLevel.UNKNOWN]).value, highest([]).value
    ('siaga', 'unknown')
    """
    return max(levels, key=lambda level: level.rank, default=SlopeLevel.UNKNOWN)


def one_more(level: SlopeLevel) -> SlopeLevel:
    """Return the next level up; awas and unknown stay."""
    return level if level in (SlopeLevel.UNKNOWN, SlopeLevel.AWAS) else _ORDER[_ORDER.index(level) + 1]


def one_less(level: SlopeLevel) -> SlopeLevel:
    """Return the next level down; normal and unknown stay."""
    return level if level in (SlopeLevel.UNKNOWN, SlopeLevel.NORMAL) else _ORDER[_ORDER.index(level) - 1]
