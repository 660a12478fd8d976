"""A survey as KML 2.2 [OGC 07-147r2]: a folder of each class and one of segments; no icon is fetched."""

from collections.abc import Mapping
from html import escape
from typing import Any

import shapely
import simplekml
from shapely.geometry.base import BaseGeometry

from serayu.models.survey.finding import DefectClass, Finding
from serayu.vision.documents.content import edge_of, sizes_of, where_of
from serayu.vision.documents.facts import Facts
from serayu.vision.documents.road_map import middle, strip_of
from serayu.vision.documents.signs import SIGNS
from serayu.vision.documents.words import Said, interval, meant, number, say

__all__ = ["kml"]

_LINE_PX, _SEGMENT_PX = 3, 6
_FILL = "80"  # opacity of areas, hexadecimal


def kml(facts: Facts) -> str:
    """Return a KML document; the same facts give the same text."""
    simplekml.Kml.resetidcounter()
    document = simplekml.Kml(name=f"Serayu {facts.summary.survey}", open=1)
    findings = document.newfolder(name=_plain(say("folder.findings")))
    places = {one.id: place for place, one in enumerate(facts.findings, start=1)}
    for label in DefectClass:
        own = [one for one in facts.findings if one.label is label]
        if own:
            folder = findings.newfolder(
                name=f"{SIGNS[label].letter} {_plain(say(f'class.{label.value}'))} ({len(own)})"
            )
            style = _style(SIGNS[label].colour, _LINE_PX)
            for one in own:
                _finding(folder, one, facts, places[one.id], style)
    segments = document.newfolder(name=_plain(say("folder.segments")))
    for feature in facts.segments:
        _segment(segments, feature)
    told: str = document.kml()
    return told


def _finding(
    folder: simplekml.Folder, one: Finding, facts: Facts, place: int, style: simplekml.Style
) -> None:
    shape = shapely.geometry.shape(one.geometry)
    mark = folder.newmultigeometry(
        name=f"{SIGNS[one.label].letter}{place}", description=_finding_words(one, facts)
    )
    if one.time is not None:
        mark.timestamp.when = one.time
    _add(mark, middle(shape))
    _add(mark, shape)
    mark.style = style


def _finding_words(one: Finding, facts: Facts) -> str:
    severity = say(f"severity.{one.severity.value}")
    rows = [
        (say("column.what"), _plain(say(f"class.{one.label.value}"))),
        (say("column.where"), _plain(where_of(one, facts))),
        *sizes_of(one),
        (say("column.severity"), _plain(severity)),
        (say("column.score"), number(one.score, 2)),
        (say("column.position"), f"± {number(one.errors.position_m, 2)} m"),
        *(((say("column.edge"), _plain(edge_of(one))),) if one.road_edge_m is not None else ()),
        *(((say("column.slope"), f"{number(one.slope_deg, 0)}°"),) if one.slope_deg is not None else ()),
        *((Said("–"), _plain(meant(key))) for key in one.unmeasured),
        (Said("Foto", "Photo"), f"{one.photo} ({len(one.photos)})"),
    ]
    return _rows(rows)


def _segment(folder: simplekml.Folder, feature: Mapping[str, Any]) -> None:
    said = feature["properties"]
    best, worst = strip_of(said["condition_best"]), strip_of(said["condition_worst"])
    letters = best.letters if best == worst else f"{best.letters}–{worst.letters}"
    rows = [
        (Said("SDI"), interval(said["sdi"], 0)),
        (Said("PCI"), interval(said["pci"], 0)),
        (say("column.cracks"), interval(said["crack_area_pct"], 1)),
        (say("column.potholes"), interval(said["potholes_per_km"], 0)),
        (say("column.surveyed"), f"{number(said['surveyed'] * 100, 0)} %"),
        *((Said("–"), _plain(meant(key))) for key in said["missing"]),
    ]
    mark = folder.newlinestring(name=f"{said['ruas']} {said['sta']} {letters}", description=_rows(rows))
    mark.coords = _coordinates(shapely.geometry.shape(feature["geometry"]))
    mark.style = _style(worst.colour, _SEGMENT_PX)


def _add(mark: simplekml.MultiGeometry, shape: BaseGeometry) -> None:
    for part in shapely.get_parts(shape):
        if part.geom_type == "Polygon":
            rings = [_coordinates(ring) for ring in part.interiors]
            mark.newpolygon(outerboundaryis=_coordinates(part.exterior), innerboundaryis=rings)
        elif part.geom_type == "LineString":
            mark.newlinestring(coords=_coordinates(part))
        else:
            mark.newpoint(coords=_coordinates(part))


def _coordinates(shape: BaseGeometry) -> list[tuple[float, float]]:
    return [(float(lon), float(lat)) for lon, lat in shapely.get_coordinates(shape)]


def _style(colour: str, width: int) -> simplekml.Style:
    red, green, blue = colour[1:3], colour[3:5], colour[5:7]
    style = simplekml.Style()
    style.linestyle.color = f"ff{blue}{green}{red}"
    style.linestyle.width = width
    style.polystyle.color = f"{_FILL}{blue}{green}{red}"
    style.labelstyle.color = f"ff{blue}{green}{red}"
    style.iconstyle.icon.href = ""  # the letter is the sign: no icon is fetched
    return style


def _plain(said: Said) -> str:
    return f"{said.id} · {said.en}" if said.en else said.id


def _rows(rows: list[tuple[Said, str]]) -> str:
    inside = "".join(
        f"<tr><td>{escape(_plain(name))}</td><td>{escape(value)}</td></tr>" for name, value in rows
    )
    return f"<table>{inside}</table>"
