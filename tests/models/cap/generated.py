"""Bulletins by the thousand, drawn with a seed: faster than Hypothesis, with names as people have them."""

import math
import random

from serayu.models.siaga_levels import Reason, Siaga
from serayu.models.times import US_PER_HOUR, US_PER_MINUTE, US_PER_S, parse_rfc3339
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

FROM_US = parse_rfc3339("2026-01-01T00:00:00Z")
NAMES = ("Patikraja", "Kedungwuluh Lor", "Sokaraja & Kali", "Karang <Baru>", "Desa “Uji”", "Pos\u00a0A")


def bulletin(seed: int, *, status: BulletinStatus | None = None) -> Bulletin:
    """Return the bulletin of a seed; anything that may be missing is missing in some."""
    draw = random.Random(seed)  # noqa: S311 -- not for secrets
    sent_us = FROM_US + draw.randrange(365 * 24 * 3600) * US_PER_S
    hazard, level = draw.choice(list(Hazard)), draw.choice(list(Siaga))
    msg_type = draw.choice(list(MessageType))
    flood = hazard is Hazard.FLOOD
    wanted = status or draw.choice((BulletinStatus.TEST, BulletinStatus.EXERCISE))
    return Bulletin(
        id=uuid7(sent_us),
        alert_id=uuid7(sent_us - US_PER_HOUR),
        change_id=draw.choice((None, draw.randrange(10**6))),
        region="33.02",
        station=draw.choice(("bgs-hulu", "pelus-kalibagor")),
        hazard=hazard,
        msg_type=msg_type,
        status=wanted,
        references=_references(draw, sent_us) if msg_type is not MessageType.ALERT else (),
        sent_us=sent_us,
        expires_us=sent_us + draw.randrange(1, 48 * 60) * US_PER_MINUTE,
        level=level,
        before=draw.choice(list(Siaga)),
        reason=draw.choice(list(Reason)),
        verified=draw.random() < 0.8,
        observed_flooding=draw.random() < 0.2,
        post=draw.choice(NAMES),
        river=draw.choice((None, "Kali Pelus")) if flood else None,
        level_m=draw.choice((None, math.nan, draw.uniform(-2, 40))) if flood else None,
        limit_m=draw.uniform(1, 20) if flood and level is not Siaga.NORMAL else None,
        at_us=sent_us - draw.randrange(3600) * US_PER_S,
        slope_m_per_h=draw.choice((None, draw.uniform(-3, 3))) if flood else None,
        foreseen=_foreseen(draw, sent_us) if flood and draw.random() < 0.5 else None,
        slope=_slope(draw) if not flood else None,
        impact=_impact(draw, sent_us),
        authority="BPBD Uji" if wanted is BulletinStatus.ACTUAL else None,
        invented=draw.random() < 0.5,
        note=draw.choice((None, "tanggul <rembes> & retak")),
    )


def _references(draw: random.Random, sent_us: int) -> tuple[tuple[str, int], ...]:
    times = [sent_us - hours * US_PER_HOUR for hours in range(1, draw.randrange(2, 5))]
    return tuple((uuid7(t_us), t_us) for t_us in times)


def _foreseen(draw: random.Random, sent_us: int) -> Foreseen:
    low, level, high = sorted(draw.uniform(0, 20) for _ in range(3))
    crossing_us = draw.choice((None, sent_us + draw.randrange(-60, 600) * US_PER_MINUTE))
    return Foreseen(
        issued_us=sent_us - US_PER_MINUTE,
        horizon_h=draw.choice((1.0, 3.0, 6.0)),
        level_m=level,
        low_m=low,
        high_m=high,
        probability=draw.random(),
        crossing_us=crossing_us,
        method="ridge+boosting",
        skill=draw.choice((None, 0.4)),
        without=draw.choice(((), ("hujan-a",))),
    )


def _slope(draw: random.Random) -> SlopeRisk:
    return SlopeRisk(
        draw.choice(NAMES),
        draw.uniform(0, 400),
        24.0,
        "pejawaran",
        draw.uniform(50, 150),
        draw.choice((None, 1.1)),
    )


def _impact(draw: random.Random, sent_us: int) -> Impact:
    return Impact(
        areas=tuple(_area(draw, sent_us) for _ in range(draw.randrange(4))),
        people=draw.choice((None, draw.randrange(10**6))),
        buildings=draw.choice((None, draw.randrange(10**5))),
        ruas=tuple(AffectedRuas(str(n), draw.choice(NAMES), 1.5) for n in range(draw.randrange(3))),
        road_km=draw.choice((None, draw.uniform(0, 50))),
    )


def _area(draw: random.Random, sent_us: int) -> AffectedArea:
    return AffectedArea(
        code=f"33.02.{draw.randrange(1, 28):02}.{draw.randrange(2001, 2020)}",
        name=draw.choice(NAMES),
        kecamatan=draw.choice((None, "Kebasen")),
        people=draw.choice((None, draw.randrange(10**5))),
        arrival_us=draw.choice((None, sent_us + US_PER_HOUR)),
        polygons=tuple(_ring(draw) for _ in range(draw.randrange(3))),
    )


def _ring(draw: random.Random) -> tuple[tuple[float, float], ...]:
    """Return a star-shaped ring of up to 99 corners: it cannot cross itself."""
    lat, lon = draw.uniform(-7.6, -7.3), draw.uniform(108.9, 109.3)
    corners = draw.randrange(3, 100)
    angles = (2 * math.pi * corner / corners for corner in range(corners))
    ring = []
    for angle in angles:
        radius = draw.uniform(0.01, 0.02)
        ring.append((round(lat + radius * math.sin(angle), 6), round(lon + radius * math.cos(angle), 6)))
    return (*ring, ring[0])
