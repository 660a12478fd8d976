"""Zones and trigger rain of Permen PU 22/PRT/M/2007, the regulation on land use in landslide-prone areas."""

import enum
import math

__all__ = [
    "DAILY_MM",
    "HOURLY_MM",
    "LONG_H",
    "RainTrigger",
    "Zone",
    "rain_trigger",
    "slope_percent",
    "zone_of",
]

_STEEP_PERCENT, _MODERATE_PERCENT = 40.0, 20.0
HOURLY_MM, DAILY_MM, LONG_H = 70.0, 100.0, 2.0
"""Rain of one hour and of one day from which slopes of zone A move, and the length of lighter rain, h, above which."""
WET_YEAR_MM = 2500.0
"""Yearly rain above which the daily clause holds."""


class Zone(enum.StrEnum):
    """Zone by slope: A above 40 %, B above 20 %, C to 20 %; height above the sea only describes them."""

    A = "A"
    B = "B"
    C = "C"


class RainTrigger(enum.StrEnum):
    """Clause of the regulation that rain meets, the strongest first."""

    HOURLY = "hourly"
    DAILY = "daily"
    LONG = "long"


def slope_percent(slope_deg: float) -> float:
    """Return a slope in per cent.

    Raises
    ------
    ValueError
        Not at least 0 and below 90 degrees.
    """
    if not 0 <= slope_deg < 90:  # noqa: PLR2004 -- a wall has no slope in per cent
        raise ValueError(f"slope must be at least 0 and below 90 degrees, got {slope_deg}")
    return 100.0 * math.tan(math.radians(slope_deg))


def zone_of(percent: float) -> Zone:
    """Return the zone of a slope in per cent; the bounds printed as 20-21 and 40 belong to B above and at them.

    Source: Permen PU 22/PRT/M/2007 (https://id.scribd.com/document/474778249/).

    Raises
    ------
    ValueError
        The slope is negative or not a number.
    """
    if not 0 <= percent < math.inf:
        raise ValueError(f"slope must be 0 per cent or more, got {percent}")
    if percent > _STEEP_PERCENT:
        return Zone.A
    return Zone.B if percent > _MODERATE_PERCENT else Zone.C


def rain_trigger(
    *, hourly_mm: float, daily_mm: float, hours_continuous: float, yearly_mm: float | None = None
) -> RainTrigger | None:
    """Return the strongest clause that rain meets in a zone of type A, or None.

    Parameters
    ----------
    hourly_mm, daily_mm
        Most rain of one hour and of one day, mm: from 70 and from 100 on. NaN meets nothing.
    hours_continuous
        Length of lighter rain without a break, h: more than 2.
    yearly_mm
        Yearly rain; the daily clause holds above 2500 mm, and where the year is not known.
    """
    if hourly_mm >= HOURLY_MM:
        return RainTrigger.HOURLY
    if daily_mm >= DAILY_MM and (yearly_mm is None or yearly_mm > WET_YEAR_MM):
        return RainTrigger.DAILY
    return RainTrigger.LONG if hours_continuous > LONG_H else None
