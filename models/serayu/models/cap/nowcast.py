"""BMKG's nowcast as a second voice: which of our stations lies in which of its alerts, and now.

It is shown beside ours, as BMKG's and unchanged: weather warnings are BMKG's by law (UU 31/2009), and naming the source
is the condition of using the data [data.bmkg.go.id].
"""

import math
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from shapely import Geometry, Point, Polygon, STRtree

from serayu.models.cap.check import check_cap
from serayu.models.cap.geometry import polygon_problem
from serayu.models.cap.read import read_alerts
from serayu.models.cap.safe import MAX_BYTES
from serayu.models.cap.structs import CapAlert, CapArea, CapInfo, Position
from serayu.models.cap.values import moment
from serayu.models.station import Station

BMKG = "BMKG"
EARTH_RADIUS_KM = 6371.0088  # mean radius, IUGG
CIRCLE_CORNERS = 64  # of the ring that stands for a circle; 0.1 % of its radius


class Nowcast(msgspec.Struct, frozen=True):
    """One alert of BMKG's that is in force, as shown to people.

    Parameters
    ----------
    identifier, sent
        As the alert says.
    event, headline, description, instruction, web
        In Indonesian where it speaks it.
    severity, urgency, certainty
        CAP's words.
    effective_us, expires_us
        From when until when it holds, microseconds UTC.
    attribution
        Whom to name.
    """

    identifier: str
    sent: str
    event: str
    headline: str | None
    description: str | None
    instruction: str | None
    web: str | None
    severity: str
    urgency: str
    certainty: str
    effective_us: int
    expires_us: int
    attribution: str = BMKG


def nowcasts_at(
    alerts: Iterable[CapAlert], stations: Iterable[Station], *, at_us: int, language: str = "id"
) -> Mapping[str, Sequence[Nowcast]]:
    """Return the alerts in force at each station.

    Parameters
    ----------
    alerts
        As read, in any order and with repetitions; only Actual ones count, and none that an Update or a Cancel among
        them replaces.
    stations
        Ours.
    at_us
        Present, microseconds UTC.
    language
        Preferred language of the words.

    Returns
    -------
    mapping of str to sequence of Nowcast
        By station id, the one that lapses last first; stations without any are not in it. A station on the edge
        of a polygon is inside.
    """
    active = [
        (nowcast, shape)
        for alert in in_force(alerts, at_us=at_us)
        for nowcast, info in _now(alert, at_us=at_us, language=language)
        for shape in _shapes(info.areas)
    ]
    if not active:
        return {}
    tree = STRtree([shape for _, shape in active])
    found: dict[str, Sequence[Nowcast]] = {}
    for station in stations:
        places = tree.query(Point(station.lon, station.lat), predicate="intersects")
        here = {active[place][0].identifier: active[place][0] for place in sorted(places)}
        if here:
            found[station.id] = sorted(here.values(), key=lambda one: (-one.expires_us, one.identifier))
    return found


def in_force(alerts: Iterable[CapAlert], *, at_us: int) -> Sequence[CapAlert]:
    """Return the Actual alerts and updates that no later message among them replaces, each once.

    Parameters
    ----------
    alerts
        As read.
    at_us
        Present, microseconds UTC; what was sent later (a clock that is wrong, a replay) does not count yet.
    """
    known = {
        (alert.sender, alert.identifier): alert
        for alert in alerts
        if alert.status == "Actual" and (moment(alert.sent) or 0) <= at_us
    }
    replaced = {
        (sender, identifier)
        for alert in known.values()
        if alert.msg_type in {"Update", "Cancel"}
        for sender, identifier, _ in alert.referenced
    }
    return [
        alert for key, alert in known.items() if alert.msg_type in {"Alert", "Update"} and key not in replaced
    ]


def _now(alert: CapAlert, *, at_us: int, language: str) -> Sequence[tuple[Nowcast, CapInfo]]:
    """Return what an alert says at a time; one without expiry is not taken, as nobody could say that it is over."""
    info = alert.info(language)
    expires_us = None if info is None or info.expires is None else moment(info.expires)
    if info is None or expires_us is None:
        return []
    effective_us = moment(info.effective or alert.sent)
    if effective_us is None or not effective_us <= at_us < expires_us:
        return []
    nowcast = Nowcast(
        identifier=alert.identifier,
        sent=alert.sent,
        event=info.event,
        headline=info.headline,
        description=info.description,
        instruction=info.instruction,
        web=info.web,
        severity=info.severity,
        urgency=info.urgency,
        certainty=info.certainty,
        effective_us=effective_us,
        expires_us=expires_us,
        attribution=BMKG
        if alert.sender.lower().endswith("@bmkg.go.id")
        else info.sender_name or alert.sender,
    )
    return [(nowcast, info)]


def _shapes(areas: Iterable[CapArea]) -> Sequence[Geometry]:
    """Return the areas as geometries, longitude first; a ring that is none is left out."""
    shapes: list[Geometry] = []
    for area in areas:
        shapes += [
            Polygon([(lon, lat) for lat, lon in ring])
            for ring in area.polygons
            if polygon_problem(ring) is None
        ]
        shapes += [circle_shape(centre, radius_km) for centre, radius_km in area.circles]
    return shapes


def circle_shape(centre: Position, radius_km: float) -> Geometry:
    """Return a circle as a geometry in degrees, longitude first; a point where the radius is 0.

    Parameters
    ----------
    centre
        (latitude, longitude), not at a pole.
    radius_km
        Radius, km; small against the Earth.
    """
    lat, lon = centre
    if not radius_km > 0:
        return Point(lon, lat)
    tall = math.degrees(radius_km / EARTH_RADIUS_KM)
    wide = tall / max(math.cos(math.radians(lat)), 1e-6)
    angles = (2 * math.pi * step / CIRCLE_CORNERS for step in range(CIRCLE_CORNERS))
    return Polygon([(lon + wide * math.cos(angle), lat + tall * math.sin(angle)) for angle in angles])


class NowcastFiles(msgspec.Struct, frozen=True):
    """Alerts read from files, and why others were not."""

    alerts: tuple[CapAlert, ...]
    refused: Mapping[str, str]


def read_nowcasts(documents: Mapping[str, bytes], *, max_bytes: int = MAX_BYTES) -> NowcastFiles:
    """Read CAP files; one that is bad does not silence the others.

    Parameters
    ----------
    documents
        Content by name.
    max_bytes
        Size of one from which on it is refused.

    Returns
    -------
    NowcastFiles
        Only alerts that are valid CAP 1.2; for each other file its first reason.
    """
    alerts: list[CapAlert] = []
    refused: dict[str, str] = {}
    for name, data in documents.items():
        report = check_cap(data, max_bytes=max_bytes)
        if not report.valid:
            refused[name] = f"{report.problems[0].code}: {report.problems[0].message}"
            continue
        alerts += read_alerts(data, max_bytes=max_bytes)
    return NowcastFiles(tuple(alerts), refused)
