"""A road segment as a survey judged it: the properties of ``segments.geojson`` that others rely on."""

import msgspec

__all__ = ["SegmentRecord"]

Bounds = tuple[float, float]


class SegmentRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One segment; a document may say more.

    Parameters
    ----------
    survey, ruas, km_from, km_to, length_m
        Of which survey, road and part of it.
    surveyed
        Share of its carriageway that pictures show, 0-1.
    findings
        How many things have their middle on it.
    pci, sdi, crack_area_pct
        Intervals ``[low, high]``; null is unknown.
    """

    survey: str
    ruas: str
    km_from: float
    km_to: float
    length_m: float
    surveyed: float
    findings: int
    pci: Bounds | None = None
    sdi: Bounds | None = None
    crack_area_pct: Bounds | None = None
