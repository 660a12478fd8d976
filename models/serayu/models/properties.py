"""The properties that Serayu observes: unit, physical range, accepted units (architecture: wire format).

Unit names are those of the SenML units registry (RFC 8428 section 12.1, secondary units RFC 8798).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from serayu.models.errors import RefusedError


@dataclass(frozen=True, slots=True)
class ObservedProperty:
    """One observed property.

    Parameters
    ----------
    slug
        Name in topics and interfaces.
    unit
        Canonical SenML unit; stores hold values in it.
    name_id, name_en
        Names for people.
    physical_range
        Lowest and highest value that can exist at all, in the canonical unit.
    accepted
        SenML unit → (factor, offset) to the canonical unit.
    accumulates
        True where a value belongs to the interval that ends at its time (rain depth, vehicle counts) and sums
        over time; False where it is a state.
    decimals
        Decimals worth showing.
    """

    slug: str
    unit: str
    name_id: str
    name_en: str
    physical_range: tuple[float, float]
    accepted: Mapping[str, tuple[float, float]]
    accumulates: bool = False
    decimals: int = 1

    def to_canonical(self, value: float, unit: str) -> float:
        """Return *value* in the canonical unit.

        Raises
        ------
        RefusedError
            The unit is unknown for this property (``unknown_unit``).
        """
        if unit == self.unit:
            return value
        conversion = self.accepted.get(unit)
        if conversion is None:
            known = ", ".join([self.unit, *self.accepted])
            raise RefusedError("unknown_unit", f"{self.slug} in {unit!r}; accepted: {known}")
        factor, offset = conversion
        return value * factor + offset


def _table() -> dict[str, ObservedProperty]:
    percent = {"/": (100.0, 0.0), "%": (1.0, 0.0)}
    celsius = {"K": (1.0, -273.15)}
    rows = [
        # Stage above the post's datum; Bendung Gerak Serayu reads up to 19.85 m (3 Dec 2020), others may use m asl.
        ObservedProperty(
            "stage",
            "m",
            "Tinggi muka air",
            "Water level",
            (-50.0, 9000.0),
            {"cm": (0.01, 0.0), "mm": (0.001, 0.0)},
            decimals=2,
        ),
        ObservedProperty(
            "discharge", "m3/s", "Debit", "Discharge", (-1e4, 4e5), {"l/s": (0.001, 0.0)}, decimals=1
        ),
        # The highest depth measured in an hour anywhere is 305 mm (Holt 1947, WMO climate extremes archive).
        ObservedProperty(
            "rain", "mm", "Hujan", "Rainfall", (0.0, 2000.0), {"m": (1000.0, 0.0)}, accumulates=True
        ),
        ObservedProperty(
            "count-mc", "count", "Sepeda motor", "Motorcycles", (0.0, 1e5), {}, accumulates=True, decimals=0
        ),
        ObservedProperty(
            "count-lv",
            "count",
            "Kendaraan ringan",
            "Light vehicles",
            (0.0, 1e5),
            {},
            accumulates=True,
            decimals=0,
        ),
        ObservedProperty(
            "count-hv",
            "count",
            "Kendaraan berat",
            "Heavy vehicles",
            (0.0, 1e5),
            {},
            accumulates=True,
            decimals=0,
        ),
        ObservedProperty(
            "speed",
            "km/h",
            "Kecepatan rata-rata",
            "Mean speed",
            (0.0, 300.0),
            {"m/s": (3.6, 0.0)},
            decimals=0,
        ),
        ObservedProperty("occupancy", "/100", "Okupansi", "Occupancy", (0.0, 100.0), percent),
        ObservedProperty("soil-moisture", "/100", "Lengas tanah", "Soil moisture", (0.0, 100.0), percent),
        ObservedProperty("soil-temperature", "Cel", "Suhu tanah", "Soil temperature", (-60.0, 90.0), celsius),
        ObservedProperty(
            "ec",
            "S/m",
            "Daya hantar listrik",
            "Electrical conductivity",
            (0.0, 20.0),
            {"mS/cm": (0.1, 0.0)},
            decimals=3,
        ),
        ObservedProperty("ph", "pH", "Keasaman (pH)", "Acidity (pH)", (0.0, 14.0), {}),
        ObservedProperty("air-temperature", "Cel", "Suhu udara", "Air temperature", (-90.0, 65.0), celsius),
        ObservedProperty(
            "humidity", "%RH", "Kelembapan udara", "Relative humidity", (0.0, 105.0), {}, decimals=0
        ),
        ObservedProperty(
            "battery", "V", "Baterai", "Battery", (0.0, 100.0), {"mV": (0.001, 0.0)}, decimals=2
        ),
        ObservedProperty(
            "signal", "dBm", "Sinyal", "Signal", (-200.0, 30.0), {"dBW": (1.0, 30.0)}, decimals=0
        ),
    ]
    return {row.slug: row for row in rows}


OBSERVED_PROPERTIES: Mapping[str, ObservedProperty] = MappingProxyType(_table())


def observed_property(slug: str) -> ObservedProperty:
    """Return the property of that slug.

    Raises
    ------
    RefusedError
        No such property (``unknown_property``).
    """
    try:
        return OBSERVED_PROPERTIES[slug]
    except KeyError:
        raise RefusedError("unknown_property", f"{slug!r} is not an observed property") from None
