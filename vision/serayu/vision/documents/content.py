"""What the report says, ready to be laid out: the same for HTML and PDF."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from serayu.models.survey.finding import CERTAIN_SIGMAS, DefectClass, Finding, Severity
from serayu.models.times import parse_rfc3339, wib
from serayu.vision.documents.crops import chosen_crops
from serayu.vision.documents.drawing import Drawing
from serayu.vision.documents.facts import Facts
from serayu.vision.documents.method import Fact, LeftOut, left_out, limits, method
from serayu.vision.documents.road_map import road_map, strip_of
from serayu.vision.documents.signs import SIGNS, Sign, Strip
from serayu.vision.documents.weights import Model
from serayu.vision.documents.words import DASH, Letters, Said, interval, meant, number, say, with_error

__all__ = [
    "MOST_ROWS", "ClassCount", "Content", "FindingRow", "SegmentRow", "SlideRow", "Tile", "content_of", "edge_of",
    "sizes_of", "where_of",
]  # fmt: skip

MOST_ROWS = 500
"""Findings in the report's table at most; all are in the other files [project proposal]."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure of the summary."""

    figure: str
    words: Said


@dataclass(frozen=True, slots=True)
class ClassCount:
    """How many findings a class has; a dash where it was not looked for."""

    sign: Sign
    words: Said
    n: str


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """A line of the table of segments."""

    ruas: str
    sta: str
    surveyed: str
    findings: str
    cracks: str
    potholes: str
    pci: str
    sdi: str
    best: Strip
    worst: Strip
    condition: Said
    missing: str


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A line of the table of findings; *picture* is JPEG."""

    place: int
    id: str
    sign: Sign
    words: Said
    ruas: str | None
    where: Said
    sizes: tuple[tuple[Said, str], ...]
    severity: Said
    reasons: str
    score: str
    position: str
    photo: str
    photos: int
    picture: bytes | None


@dataclass(frozen=True, slots=True)
class SlideRow:
    """A line of the table of landslides."""

    place: int
    where: Said
    area: str
    edge: Said
    slope: str
    position: str
    picture: bytes | None


@dataclass(frozen=True, slots=True)
class Content:
    """The report."""

    survey: str
    roads: tuple[str, ...]
    no_roads: Said
    no_segments: Said
    date: Said
    tiles: tuple[Tile, ...]
    classes: tuple[ClassCount, ...]
    map: Drawing | None
    segments: tuple[SegmentRow, ...]
    segment_legend: tuple[tuple[str, Said], ...]
    findings: tuple[FindingRow, ...]
    finding_legend: tuple[tuple[str, Said], ...]
    rows_left_out: int
    pictures_left_out: int
    slides: tuple[SlideRow, ...]
    slides_none: Said
    method: tuple[Fact, ...]
    given_boxes: bool
    models: tuple[Model, ...]
    left_out: LeftOut
    limits: tuple[Said, ...]


def content_of(facts: Facts, *, crops: Path) -> Content:
    """Return what the report of a survey says.

    Parameters
    ----------
    facts
        The survey.
    crops
        Folder with the picture of each finding.
    """
    shown = facts.findings[:MOST_ROWS]
    pictures = chosen_crops(shown, crops, facts.frames)
    missing, reasons = Letters(), Letters()
    segments = tuple(_segment(one["properties"], missing) for one in facts.segments)
    findings = tuple(
        _finding(place, one, facts, reasons, pictures.get(one.id)) for place, one in enumerate(shown, start=1)
    )
    return Content(
        survey=facts.summary.survey,
        roads=tuple(_road(facts, one) for one in facts.ruas),
        no_roads=say("no_ruas" if facts.summary.inputs.get("ruas") is None else "roads_not_shown"),
        no_segments=say(
            "segments_none" if facts.summary.inputs.get("ruas") is None else "segments_not_shown"
        ),
        date=_date(facts),
        tiles=_tiles(facts),
        classes=_classes(facts),
        map=road_map(facts),
        segments=segments,
        segment_legend=missing.legend(),
        findings=findings,
        finding_legend=reasons.legend(),
        rows_left_out=len(facts.findings) - len(shown),
        pictures_left_out=len(shown) - len(pictures),
        slides=_slides(facts, pictures),
        slides_none=say("slides_none" if _sought(facts, DefectClass.LANDSLIDE) else "slides_not_sought"),
        method=method(facts),
        given_boxes=not facts.summary.weights,
        models=facts.models,
        left_out=left_out(facts.summary),
        limits=limits(facts),
    )


def sizes_of(one: Finding) -> tuple[tuple[Said, str], ...]:
    """Return a finding's sizes with their names, those that are known."""
    written = (
        ("length", with_error(one.length_m, one.errors.length_m, decimals=2, unit="m")),
        ("width", with_error(one.width_mm, one.errors.width_mm, decimals=1, unit="mm")),
        ("area", with_error(one.area_m2, one.errors.area_m2, decimals=3, unit="m²")),
    )
    return tuple((say(f"size.{name}"), words) for name, words in written if words is not None)


def where_of(one: Finding, facts: Facts) -> Said:
    """Return road, kilometre and side of a finding; of one without, whether roads were given to the survey."""
    if one.ruas is None:
        return say("off_road" if facts.summary.inputs.get("ruas") is not None else "no_ruas")
    km = f"{one.ruas}, km {number(one.km, 3)}"
    side = say(f"side.{'none' if one.side is None else one.side.value}")
    return Said(f"{km}, {side.id}", side.en)


def edge_of(slide: Finding) -> Said:
    """Return a slide's distance to the road's edge with its error, and whether it reaches or may reach the road."""
    metres, error = slide.road_edge_m, slide.errors.road_edge_m
    if metres is None:
        return say("unknown")
    figure = f"{number(metres, 1 if metres > 0 else 0)} m"
    if error is not None:
        figure = with_error(metres, error, decimals=2, unit="m") or figure
    if metres > 0 and (error is None or metres > CERTAIN_SIGMAS * error):
        return Said(figure)
    reaches = say("slide_reaches" if metres <= 0 else "slide_may_reach")
    return Said(f"{figure}: {reaches.id}", reaches.en)


def _road(facts: Facts, ruas: str) -> str:
    road = facts.road(ruas)
    return ruas if road is None else f"{ruas} {road.name}".strip()


def _date(facts: Facts) -> Said:
    first, last = (
        None if moment is None else parse_rfc3339(moment)
        for moment in (facts.summary.first, facts.summary.last)
    )
    if first is None or last is None:
        return say("date_unknown")
    one, two = wib(first), wib(last)
    if one == two:
        return Said(one)
    same = one[:10] == two[:10]
    return Said(f"{one.removesuffix(' WIB') if same else one} {DASH} {two[11:] if same else two}")


def _tiles(facts: Facts) -> tuple[Tile, ...]:
    counts = facts.summary.counts
    km = sum(
        one["properties"]["length_m"] * min(one["properties"]["surveyed"], 1.0) for one in facts.segments
    )
    judged = sum(one["properties"]["sdi"] is not None for one in facts.segments)
    unmeasured = sum(
        one.severity is Severity.UNMEASURED and one.label is not DefectClass.LANDSLIDE
        for one in facts.findings
    )
    return (
        Tile(f"{counts.read} / {counts.units}", say("photos")),
        Tile(f"{number(km / 1000, 2)} km" if facts.segments else DASH, say("summary_length")),
        Tile(str(len(facts.findings)), say("summary_findings")),
        _slide_tile(facts),
        Tile(f"{judged} / {len(facts.segments)}", say("summary_judged")),
        Tile(f"{unmeasured} / {len(facts.findings) - len(facts.slides)}", say("summary_unmeasured")),
    )


def _slide_tile(facts: Facts) -> Tile:
    if _sought(facts, DefectClass.LANDSLIDE):
        return Tile(str(len(facts.slides)), say("summary_slides"))
    return Tile(DASH, say("summary_slides_not_sought"))


def _sought(facts: Facts, label: DefectClass) -> bool:
    """Return whether a class was looked for, as far as that is known."""
    return facts.looked_for is None or label in facts.looked_for


def _classes(facts: Facts) -> tuple[ClassCount, ...]:
    counts = Counter(one.label for one in facts.findings)
    return tuple(
        ClassCount(SIGNS[one], say(f"class.{one.value}"), str(counts[one]) if _sought(facts, one) else DASH)
        for one in DefectClass
    )


def _segment(said: Mapping[str, object], letters: Letters) -> SegmentRow:
    best, worst = _text(said["condition_best"]), _text(said["condition_worst"])
    return SegmentRow(
        ruas=str(said["ruas"]),
        sta=str(said["sta"]),
        surveyed=f"{number(min(_float(said['surveyed']), 1.0) * 100, 0)} %",
        findings=str(said["findings"]),
        cracks=interval(_bounds(said["crack_area_pct"]), 1),
        potholes=interval(_bounds(said["potholes_per_km"]), 0),
        pci=interval(_bounds(said["pci"]), 0),
        sdi=interval(_bounds(said["sdi"]), 0),
        best=strip_of(best),
        worst=strip_of(worst),
        condition=_condition(best, worst),
        missing=letters.of(_keys(said["missing"])),
    )


def _condition(best: str | None, worst: str | None) -> Said:
    if best is None or worst is None:
        return say("unknown")
    ends = [meant(f"pavement.condition.{one}") for one in dict.fromkeys((best, worst))]
    return Said(f" {DASH} ".join(one.id for one in ends), f" {DASH} ".join(one.en for one in ends))


def _finding(place: int, one: Finding, facts: Facts, letters: Letters, picture: bytes | None) -> FindingRow:
    return FindingRow(
        place=place,
        id=one.id,
        sign=SIGNS[one.label],
        words=say(f"class.{one.label.value}"),
        ruas=one.ruas,
        where=where_of(one, facts),
        sizes=sizes_of(one),
        severity=Said(DASH) if one.label is DefectClass.LANDSLIDE else say(f"severity.{one.severity.value}"),
        reasons=letters.of(one.unmeasured),
        score=number(one.score, 2),
        position=_metres(one.errors.position_m),
        photo=one.photo,
        photos=len(one.photos),
        picture=picture,
    )


def _slides(facts: Facts, pictures: Mapping[str, bytes]) -> tuple[SlideRow, ...]:
    return tuple(
        SlideRow(
            place=place,
            where=where_of(one, facts),
            area=with_error(one.area_m2, one.errors.area_m2, decimals=1, unit="m²") or say("size.none").id,
            edge=edge_of(one),
            slope=DASH if one.slope_deg is None else f"{number(one.slope_deg, 0)}°",
            position=_metres(one.errors.position_m),
            picture=pictures.get(one.id),
        )
        for place, one in enumerate(facts.findings, start=1)
        if one.label is DefectClass.LANDSLIDE
    )


def _metres(value: float | None) -> str:
    return DASH if value is None else f"± {number(value, 1 if value >= 0.1 else 2)} m"  # noqa: PLR2004


def _bounds(value: object) -> Sequence[float] | None:
    return value if isinstance(value, list | tuple) else None


def _keys(value: object) -> Sequence[str]:
    return [str(one) for one in value] if isinstance(value, list | tuple) else []


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _float(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
