"""Surface distress index, roughness classes, their matrix and treatment, as Bina Marga's condition survey has them.

Every number stands in ``data/pavement/bina_marga.toml`` with its source; doubtful ones have variants there.
"""

import enum
import functools
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import Any

from serayu.models.texts import text

__all__ = [
    "Condition", "Sdi", "SdiRules", "Soundness", "Step", "Treatment", "iri_class", "matrix", "sdi", "sdi_class",
    "sdi_rules", "soundness", "treatment", "treatments_of", "variants",
]  # fmt: skip


class Condition(enum.StrEnum):
    """Condition of a road segment, best first."""

    BAIK = "baik"
    SEDANG = "sedang"
    RUSAK_RINGAN = "rusak_ringan"
    RUSAK_BERAT = "rusak_berat"

    @property
    def mantap(self) -> bool:
        """Whether it counts as sound (mantap): baik and sedang."""
        return self in {Condition.BAIK, Condition.SEDANG}

    @property
    def rank(self) -> int:
        """0 for the best to 3."""
        return tuple(Condition).index(self)

    def name_in(self, lang: str = "id") -> str:
        """Return the name for people."""
        return text(f"pavement.condition.{self.value}", lang)


class Treatment(enum.StrEnum):
    """What is to be done."""

    RUTIN = "pemeliharaan_rutin"
    BERKALA = "pemeliharaan_berkala"
    REHABILITASI = "rehabilitasi"
    PENINGKATAN = "peningkatan_rekonstruksi"

    def name_in(self, lang: str = "id") -> str:
        """Return the name for people."""
        return text(f"pavement.treatment.{self.value}", lang)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the index: codes 1 (none), 2 (below the first limit), 3 (up to the second, both included), 4.

    Parameters
    ----------
    limits
        Two, ascending.
    values
        Points or factor of each code.
    """

    limits: tuple[float, float]
    values: tuple[float, float, float, float]

    def code(self, quantity: float) -> int:
        """Return the code of the form, 1-4.

        Raises
        ------
        ValueError
            The quantity is negative or no number.
        """
        if not quantity >= 0:
            raise ValueError(f"quantity must be a number not below 0, got {quantity}")
        if quantity == 0:
            return 1
        return 2 + (quantity >= self.limits[0]) + (quantity > self.limits[1])

    def __call__(self, quantity: float) -> float:
        """Return the points or the factor; ValueError as `code`."""
        return self.values[self.code(quantity) - 1]


@dataclass(frozen=True, slots=True)
class SdiRules:
    """Numbers of the four steps: crack area (%), mean crack width (mm), potholes per km, mean rut depth (cm)."""

    crack_area: Step
    crack_width: Step
    potholes: Step
    rut: Step


@dataclass(frozen=True, slots=True)
class Sdi:
    """The index after each step; `sdi` after the last."""

    sdi1: float
    sdi2: float
    sdi3: float
    sdi: float

    @property
    def condition(self) -> Condition:
        """Its class."""
        return sdi_class(self.sdi)


@dataclass(frozen=True, slots=True)
class Soundness:
    """Sound (mantap) and unsound length, km, and the sound share, %; the share is None of no length."""

    mantap_km: float
    tidak_mantap_km: float
    mantap_pct: float | None


def sdi(
    *,
    crack_area_pct: float,
    crack_width_mm: float,
    potholes_per_km: float,
    rut_depth_cm: float,
    rules: SdiRules | None = None,
) -> Sdi:
    """Return the surface distress index of a segment.

    Parameters
    ----------
    crack_area_pct
        Cracked area, % of the segment, 0-100.
    crack_width_mm
        Mean width of the cracks; infinite is allowed for "wide".
    potholes_per_km
        Count on the segment divided by its length.
    rut_depth_cm
        Mean depth of the ruts.
    rules
        Default: the manual's, see `sdi_rules`.

    Raises
    ------
    ValueError
        A quantity is negative, no number, or a share above 100 %.
    """
    if not 0 <= crack_area_pct <= 100:  # noqa: PLR2004 -- per cent
        raise ValueError(f"crack area must be 0 to 100 %, got {crack_area_pct}")
    rules = sdi_rules() if rules is None else rules
    first = rules.crack_area(crack_area_pct)
    second = first * rules.crack_width(crack_width_mm)
    third = second + rules.potholes(potholes_per_km)
    return Sdi(first, second, third, third + rules.rut(rut_depth_cm))


@functools.cache
def sdi_rules(variant: str | None = None) -> SdiRules:
    """Return the numbers of the index.

    Parameters
    ----------
    variant
        Name of a doubt, see `variants`; None for the manual's numbers.

    Raises
    ------
    ValueError
        No such variant.
    """
    data = _data()
    if variant is not None and variant not in data["variant"]:
        raise ValueError(f"no SDI variant {variant!r}: expected one of {', '.join(data['variant'])}")
    changes: dict[str, Any] = data["variant"][variant].get("sdi", {}) if variant is not None else {}
    steps = {}
    for name, row in data["sdi"].items():
        numbers = row | changes.get(name, {})
        limits, values = numbers["limits"], numbers.get("points") or numbers["factors"]
        steps[name] = Step((limits[0], limits[1]), (values[0], values[1], values[2], values[3]))
    return SdiRules(**steps)


def variants() -> Mapping[str, str]:
    """Return the doubts about the numbers of the SDI: name and who uses it."""
    return MappingProxyType({name: row["source"] for name, row in _data()["variant"].items()})


def sdi_class(value: float) -> Condition:
    """Return the class of an SDI: baik below 50, sedang to 100, rusak ringan to 150, else rusak berat.

    Raises
    ------
    ValueError
        Negative or no number.
    """
    return _class("sdi", value)


def iri_class(iri_m_per_km: float) -> Condition:
    """Return the class of an international roughness index: baik to 4, sedang to 8, rusak ringan to 12 m/km.

    Raises
    ------
    ValueError
        Negative or no number.
    """
    return _class("iri", iri_m_per_km)


def matrix(*, iri_m_per_km: float, sdi_value: float, variant: str = "A") -> Condition:
    """Return the condition by roughness and distress together.

    Parameters
    ----------
    iri_m_per_km, sdi_value
        Both not negative.
    variant
        ``A``, the manual's table, or ``B``: which is in force is the road office's to say.

    Raises
    ------
    ValueError
        No such variant, or a value is negative or no number.
    """
    tables: dict[str, Any] = _data()["matrix"]
    if variant not in tables:
        raise ValueError(f"no IRI and SDI matrix {variant!r}: expected one of {', '.join(tables)}")
    row, column = iri_class(iri_m_per_km).rank, sdi_class(sdi_value).rank
    return Condition(tables[variant]["condition"][row][column])


def treatment(*, iri_m_per_km: float, sdi_value: float) -> Treatment:
    """Return the treatment by roughness and distress together; ValueError as `matrix`."""
    cells: list[list[str]] = _data()["treatment"]["cells"]
    return Treatment(cells[iri_class(iri_m_per_km).rank][sdi_class(sdi_value).rank])


def treatments_of(condition: Condition) -> tuple[Treatment, ...]:
    """Return the treatments that a class alone allows, the lighter first [Permen PU 13/2011, as remembered]."""
    return tuple(Treatment(name) for name in _data()["treatment"]["by_class"][condition.value])


def soundness(length_km: Mapping[Condition, float]) -> Soundness:
    """Return how much of a network is sound.

    Parameters
    ----------
    length_km
        Length by condition; a condition that is absent has none. What was not surveyed is not in it.

    Raises
    ------
    ValueError
        A length is negative or no number.
    """
    for condition, km in length_km.items():
        if not 0 <= km < math.inf:
            raise ValueError(f"length of {condition} must be a number not below 0 km, got {km}")
    sound = math.fsum(km for condition, km in length_km.items() if condition.mantap)
    unsound = math.fsum(km for condition, km in length_km.items() if not condition.mantap)
    whole = sound + unsound
    return Soundness(sound, unsound, 100 * sound / whole if whole > 0 else None)


def _class(name: str, value: float) -> Condition:
    if not value >= 0:
        raise ValueError(f"{name.upper()} must be a number not below 0, got {value}")
    row: dict[str, Any] = _data()["class"][name]
    limits: list[float] = row["limits"]
    rank = sum(value > limit for limit in limits) + (value == limits[0] and not row["first_included"])
    return tuple(Condition)[rank]


@functools.cache
def _data() -> dict[str, Any]:
    file = resources.files("serayu.models").joinpath("data", "pavement", "bina_marga.toml")
    data: dict[str, Any] = tomllib.loads(file.read_text("utf-8"))
    return data
