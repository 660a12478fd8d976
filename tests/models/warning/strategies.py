"""Arbitrary bulletins for property tests: any hazard, type, status and level; anything that may be missing, missing."""

from typing import TypeVar

from hypothesis import strategies as st

from serayu.models.siaga_levels import Reason, Siaga
from serayu.models.times import US_PER_HOUR, US_PER_S, parse_rfc3339
from serayu.models.uuid7 import uuid7
from serayu.models.warning.bulletin import (
    AffectedArea,
    AffectedRuas,
    Bulletin,
    BulletinStatus,
    Foreseen,
    Hazard,
    Impact,
    MessageType,
    SlopeRisk,
)

T = TypeVar("T")
FROM_S = parse_rfc3339("2026-01-01T00:00:00Z") // US_PER_S
TO_S = parse_rfc3339("2027-01-01T00:00:00Z") // US_PER_S
SPAN_S = 30 * 3600

PARTS = (
    "Kedungwuluh", "Lor", "Patikraja", "Sokaraja", "Karangduren", "Pliken", "Gerak", "Bendung", "Bantar", "Kémit",
    "Tjindé", "“Baru”", "Purwokerto", "Kalibagor", "—", "Muara", "{nama}", "&", "<b>", "Ōsaka", "雨量", "RT 03",
    "Karangkemojing-Panggungharja-Kertasemaya", "[€]",
)  # fmt: skip

seconds = st.integers(FROM_S, TO_S).map(lambda s: s * US_PER_S)
words = st.lists(st.sampled_from(PARTS), min_size=1, max_size=5).map(" ".join)
letters = st.text(st.characters(categories=["L", "M", "P", "S", "Z"]), min_size=1, max_size=60).filter(
    str.strip
)
names = words | letters.map(lambda text: f"Dusun {text}")
levels_m = st.floats(-2, 120).map(lambda value: round(value, 3))
counts = st.integers(0, 2_000_000)
lengths = st.floats(0, 500)


def maybe(strategy: st.SearchStrategy[T]) -> st.SearchStrategy[T | None]:
    """Return a strategy whose values may also be None."""
    return st.none() | strategy


@st.composite
def rings(draw: st.DrawFn) -> tuple[tuple[float, float], ...]:
    """Return a closed rectangle in Banyumas, (latitude, longitude), in either direction."""
    south, west = draw(st.integers(-760_000, -730_000)) / 1e5, draw(st.integers(10_885_000, 10_935_000)) / 1e5
    north, east = south + draw(st.integers(1, 900)) / 1e5, west + draw(st.integers(1, 900)) / 1e5
    ring = ((south, west), (south, east), (north, east), (north, west), (south, west))
    return draw(st.sampled_from((ring, ring[::-1])))


@st.composite
def areas(draw: st.DrawFn, sent_us: int) -> AffectedArea:
    """Return an affected village."""
    kecamatan, village = draw(st.integers(1, 27)), draw(st.integers(1, 20))
    return AffectedArea(
        code=f"33.02.{kecamatan:02}.{2000 + village}",
        name=draw(names),
        kecamatan=draw(maybe(st.sampled_from(("Patikraja", "Rawalo", "Kebasen")))),
        people=draw(maybe(counts)),
        arrival_us=draw(maybe(st.integers(-3600, SPAN_S).map(lambda s: sent_us + s * US_PER_S))),
        polygons=tuple(draw(st.lists(rings(), max_size=2))),
    )


@st.composite
def ruas(draw: st.DrawFn) -> AffectedRuas:
    """Return a road that is cut, with or without the part."""
    ends = draw(maybe(st.tuples(lengths, lengths)))
    km_from, km_to = (None, None) if ends is None else ends
    return AffectedRuas(draw(st.integers(1, 300).map(str)), draw(names), draw(lengths), km_from, km_to)


@st.composite
def impacts(draw: st.DrawFn, sent_us: int) -> Impact:
    """Return an impact of which anything may be unknown."""
    return Impact(
        areas=tuple(draw(st.lists(areas(sent_us), max_size=15))),
        people=draw(maybe(counts)),
        buildings=draw(maybe(counts)),
        ruas=tuple(draw(st.lists(ruas(), max_size=8))),
        road_km=draw(maybe(lengths)),
        rice_ha=draw(maybe(lengths)),
        schools=tuple(draw(st.lists(names, max_size=3))),
        bridges=tuple(draw(st.lists(names, max_size=3))),
        health=tuple(draw(st.lists(names, max_size=3))),
        basis=draw(st.just("") | names),
        missing=tuple(
            draw(st.lists(st.sampled_from(("schools", "bridges", "rice")), max_size=3, unique=True))
        ),
    )


@st.composite
def forecasts(draw: st.DrawFn, sent_us: int) -> Foreseen:
    """Return a forecast with its band in order."""
    low, level, high = sorted(draw(st.tuples(levels_m, levels_m, levels_m)))
    return Foreseen(
        issued_us=sent_us - draw(st.integers(0, 3600)) * US_PER_S,
        horizon_h=draw(st.sampled_from((0.5, 1.0, 3.0, 6.0, 12.0))),
        level_m=level,
        low_m=low,
        high_m=high,
        probability=draw(st.floats(0, 1)),
        crossing_us=draw(maybe(st.integers(-600, SPAN_S).map(lambda s: sent_us + s * US_PER_S))),
        method=draw(st.sampled_from(("ridge", "ridge+boosting", "reservoir"))),
        skill=draw(maybe(st.floats(-3, 1))),
        without=tuple(
            draw(st.lists(st.sampled_from(("banjaran-hulu", "hujan-baturraden")), max_size=2, unique=True))
        ),
    )


@st.composite
def slopes(draw: st.DrawFn) -> SlopeRisk:
    """Return the evidence of a landslide bulletin."""
    return SlopeRisk(
        place=draw(names),
        rain_mm=draw(st.floats(0, 900)),
        rain_h=draw(st.sampled_from((1.0, 1.5, 24.0, 72.0))),
        rule=draw(st.sampled_from(("muntohar_umy", "pejawaran", "caine1980", "unnamed"))),
        threshold_mm=draw(st.floats(0, 900)),
        factor_of_safety=draw(maybe(st.floats(0, 5))),
        missing=tuple(draw(st.lists(st.sampled_from(("slope", "piezometer")), max_size=2, unique=True))),
    )


@st.composite
def bulletins(
    draw: st.DrawFn,
    *,
    statuses: st.SearchStrategy[BulletinStatus] = st.sampled_from(BulletinStatus),  # noqa: B008 -- immutable
) -> Bulletin:
    """Return any bulletin that the contract allows.

    Parameters
    ----------
    draw
        Hypothesis'.
    statuses
        Which statuses; all by default.
    """
    sent_us = draw(seconds)
    hazard, status = draw(st.sampled_from(Hazard)), draw(statuses)
    msg_type = draw(st.sampled_from(MessageType))
    earlier = st.tuples(
        st.integers(1, 9).map(lambda n: uuid7(sent_us - n * US_PER_HOUR)), st.just(sent_us - US_PER_HOUR)
    )
    level = draw(st.sampled_from(Siaga))
    flood = hazard is Hazard.FLOOD
    needed = 0 if msg_type is MessageType.ALERT else 1
    return Bulletin(
        id=uuid7(sent_us),
        alert_id=uuid7(sent_us - US_PER_HOUR),
        change_id=draw(maybe(st.integers(1, 10**6))),
        region="33.02",
        station=draw(st.sampled_from(("bgs-hulu", "pelus-kalibagor", "hujan-baturraden"))),
        hazard=hazard,
        msg_type=msg_type,
        status=status,
        references=tuple(draw(st.lists(earlier, min_size=needed, max_size=3))),
        sent_us=sent_us,
        expires_us=sent_us + draw(st.integers(1, 48 * 3600)) * US_PER_S,
        level=level,
        before=draw(st.sampled_from(Siaga)),
        reason=draw(st.sampled_from(Reason)),
        verified=draw(st.booleans()),
        observed_flooding=draw(st.booleans()),
        post=draw(names),
        river=draw(maybe(names)) if flood else None,
        level_m=draw(maybe(levels_m)) if flood else None,
        limit_m=None if level is Siaga.NORMAL or not flood else draw(maybe(levels_m)),
        at_us=sent_us - draw(st.integers(0, SPAN_S)) * US_PER_S,
        slope_m_per_h=draw(maybe(st.floats(-9, 9))) if flood else None,
        foreseen=draw(maybe(forecasts(sent_us))) if flood else None,
        slope=None if flood else draw(maybe(slopes())),
        impact=draw(impacts(sent_us)),
        fallback=tuple(draw(st.lists(st.sampled_from(("hulu-a", "hujan-b")), max_size=2, unique=True))),
        authority=draw(names) if status is BulletinStatus.ACTUAL else draw(maybe(names)),
        invented=draw(st.booleans()),
        note=draw(maybe(names)),
    )
