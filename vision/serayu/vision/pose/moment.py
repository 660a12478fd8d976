"""When a photo was taken."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any

from serayu.models.times import WIB, to_us
from serayu.vision.pose.jpeg import Tags

__all__ = ["taken_us"]

_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})")
_EXIF_TIME = "%Y:%m:%d %H:%M:%S"


def taken_us(tags: Tags, *, zone: tzinfo = WIB) -> tuple[int | None, str | None]:
    """Return when a photo was taken, microseconds UTC, and a reason (a key without its prefix) if that is unsure.

    DateTimeOriginal with OffsetTimeOriginal, else the time of GPS, which is UTC, else DateTimeOriginal as the clock
    of the region, with a reason.

    Parameters
    ----------
    tags
        Of the photo.
    zone
        The region's.
    """
    local = _local(tags.exif)
    offset = _zone(tags.exif.get("OffsetTimeOriginal"))
    if local is not None and offset is not None:
        return to_us(local.replace(tzinfo=offset)), None
    by_gps = _gps(tags.gps)
    if by_gps is not None:
        return to_us(by_gps), None
    if local is not None:
        return to_us(local.replace(tzinfo=zone)), "zone_assumed"
    return None, "time_missing"


def _local(exif: Any) -> datetime | None:  # noqa: ANN401 -- values as Pillow has them
    try:
        moment = datetime.strptime(_text(exif.get("DateTimeOriginal")), _EXIF_TIME)  # noqa: DTZ007 -- EXIF has none
    except ValueError:
        return None
    part = _text(exif.get("SubsecTimeOriginal"))
    micro = int(part[:6].ljust(6, "0")) if part.isascii() and part.isdigit() else 0
    return moment.replace(microsecond=micro)


def _zone(value: object) -> timezone | None:
    match = _OFFSET.fullmatch(_text(value))
    if match is None:
        return None
    span = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return timezone(-span if match[1] == "-" else span) if span < timedelta(days=1) else None


def _gps(gps: Any) -> datetime | None:  # noqa: ANN401 -- values as Pillow has them
    try:
        day = datetime.strptime(_text(gps.get("GPSDateStamp")), "%Y:%m:%d").replace(tzinfo=UTC)
        hours, minutes, seconds = (float(part) for part in gps["GPSTimeStamp"])
        return day + timedelta(hours=hours, minutes=minutes, seconds=round(seconds, 6))
    except (KeyError, TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None


def _text(value: object) -> str:
    return str(value).strip("\x00 ") if value is not None else ""
