"""One sentence under a farmer's readings.

It says what the readings say and no more: whether they can be trusted, whether it rained, whether the soil gets wetter
or drier. How much water a crop needs is not known here (that needs soil, crop and stage), so nothing is advised on it.
"""

from collections.abc import Sequence

from serayu.api.views import DatastreamView, StationView
from serayu.models.quality.flags import QualityFlag
from serayu.models.texts import decimal, text
from serayu.models.times import parse_rfc3339, wib

__all__ = ["advice", "rained"]

TREND_MATTERS_PER_H = 0.5
"""Percentage points an hour; less is within what a capacitive probe drifts with temperature. [project proposal]"""

RAINY_DAY_MM = 1.0
"""A day with at least 1 mm is a rain day (WMO-No. 1203 counts days with precipitation of 1.0 mm and more)."""


def advice(view: StationView, lang: str = "id") -> str:
    """Return the sentence for a field.

    Parameters
    ----------
    view
        The field's station.
    lang
        ``id`` or ``en``.
    """
    moisture, rain = view.datastream("soil-moisture"), view.datastream("rain")
    watched = [stream for stream in (moisture, rain) if stream is not None]
    if (doubt := _doubt(watched)) is not None:
        return text(f"farmer.advice.{doubt}", lang)
    if rain is not None and rained(rain):
        key = "farmer.advice.rained" if rain.whole_day else "farmer.advice.rained_since"
        since = "" if rain.total_24h_since is None else wib(parse_rfc3339(rain.total_24h_since))
        return text(key, lang, mm=decimal(rain.total_24h or 0.0, rain.decimals, lang), time=since)
    trend = None if moisture is None else moisture.trend_per_h
    if trend is None:
        return text("farmer.advice.part_missing", lang)
    if abs(trend) < TREND_MATTERS_PER_H:
        return text("farmer.advice.steady", lang)
    return text("farmer.advice.drying" if trend < 0 else "farmer.advice.wetting", lang)


def rained(rain: DatastreamView) -> bool:
    """Whether the last 24 hours had the rain of a rain day."""
    return rain.total_24h is not None and rain.total_24h >= RAINY_DAY_MM


def _doubt(watched: Sequence[DatastreamView]) -> str | None:
    """Return why nothing can be said, None where the readings can be trusted."""
    if all(stream.reason is not None for stream in watched):
        return "no_data"
    if any(stream.reason is not None for stream in watched):
        return "part_missing"
    return "suspect" if any(stream.flag == QualityFlag.SUSPECT for stream in watched) else None
