"""A made-up survey of a road for tests of its documents: findings, segments, photos; all numbers invented."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import shapely

from serayu.models.pavement.damage import Damage
from serayu.models.plane import LocalPlane
from serayu.models.roads.line import Ruas, Surface, segments_of
from serayu.models.survey.finding import CRACKS, DefectClass, Errors, Finding, Severity, Side
from serayu.vision.documents.facts import Equipment, Facts, PhotoFact
from serayu.vision.survey.conditions import segment_features
from serayu.vision.survey.segments import SegmentFound
from serayu.vision.survey.summary import Counts, GsdRange, LeftOut, Summary

PLANE = LocalPlane(109.25)
ROAD = Ruas(
    number="33.02.017",
    name="Baturraden – Kemutug <Lor>",
    geometry=shapely.LineString(
        [(109.24, -7.43), (109.242, -7.4296), (109.2438, -7.4284), (109.2465, -7.4281)]
    ),
    width_m=5.5,
    surface=Surface.ASPAL,
    invented=True,
)
SURVEY = "019f1b67-9100-7000-8293-fcfb7623edd9"
_REASON = "finding.unmeasured.severity_pothole_depth"


def made_facts(n: int, *, seed: int = 3) -> Facts:
    """Return a survey with *n* findings on the first 700 m of the road, the first of them a landslide."""
    random = np.random.default_rng(seed)
    line = ROAD.line_m(PLANE)
    found = sorted(
        (_finding(place, random, line) for place in range(n)), key=lambda one: (one.km or 0, one.id)
    )
    photos = [_photo(place, line) for place in range(36)]
    photos.append(PhotoFact("DJI_0036.JPG", "corrupt", None, (), None, None, None, 0, None))
    return Facts(
        findings=tuple(found),
        segments=tuple(_segments(found)),
        summary=_summary(found),
        photos=tuple(photos),
        plane=PLANE,
        roads=(ROAD,),
        equipment=(Equipment("DJI FC3582", (4032, 3024), 6.72, 36),),
    )


def write_crops(facts: Facts, folder: Path, *, size_px: int = 300) -> None:
    """Write a picture of each finding, noise and a dark spot."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(5)
    for one in facts.findings:
        image = random.integers(90, 130, (size_px * 2 // 3, size_px, 3), dtype=np.uint8)
        cv2.circle(image, (size_px // 2, size_px // 3), size_px // 6, (40, 40, 40), -1)
        cv2.imwrite(str(folder / f"{one.id}.jpg"), image)


def without_findings(facts: Facts) -> Facts:
    """Return the same survey with nothing found and no road given."""
    counts = msgspec.structs.replace(facts.summary.counts, findings=0, classes={})
    summary = msgspec.structs.replace(
        facts.summary,
        counts=counts,
        first=None,
        last=None,
        gsd_mm=None,
        residual_m=None,
        quality={},
        problems=[],
    )
    return replace(facts, findings=(), segments=(), photos=(), roads=(), equipment=(), summary=summary)


def _finding(place: int, random: np.random.Generator, line: shapely.LineString) -> Finding:
    label = DefectClass.LANDSLIDE if place == 0 else list(DefectClass)[int(random.integers(0, 5))]
    at = float(random.uniform(5, 695))
    off = 14.0 if place == 0 else float(random.uniform(-2.6, 2.6))
    here, ahead = line.interpolate(at), line.interpolate(at + 1)
    way = np.array([ahead.x - here.x, ahead.y - here.y])
    middle = np.array([here.x, here.y]) + off * np.array([-way[1], way[0]])
    size = 9.0 if place == 0 else float(random.uniform(0.2, 1.5))
    crack = label in CRACKS and label is not DefectClass.ALLIGATOR_CRACK
    figure = (
        shapely.LineString([middle - size * way, middle + size * way])
        if crack
        else shapely.Point(middle).buffer(size, 4)
    )
    measured = label is not DefectClass.POTHOLE
    shape: dict[str, Any] = json.loads(
        shapely.to_geojson(PLANE.to_degrees(np.array([figure], dtype=object))[0])
    )
    return Finding(
        id=f"019f1b67-94e8-7000-8f34-{place:012d}",
        survey=SURVEY,
        label=label,
        score=round(float(random.uniform(0.3, 0.97)), 4),
        ruas=ROAD.number,
        km=round(at / 1000, 4),
        side=Side.LEFT if off > 0 else Side.RIGHT,
        length_m=round(2 * size, 3) if crack else None,
        width_mm=round(float(random.uniform(3, 14)), 1) if crack else None,
        area_m2=None if crack else round(figure.area, 4),
        severity=list(Severity)[int(random.integers(0, 3))] if measured and place else Severity.UNMEASURED,
        errors=Errors(
            position_m=round(float(random.uniform(0.2, 1.4)), 3),
            length_m=round(0.03 * size, 3) if crack else None,
            width_mm=1.1 if crack else None,
            area_m2=None if crack else round(0.07 * figure.area, 4),
            road_edge_m=1.9 if place == 0 else None,
        ),
        photo=f"DJI_{int(at // 20):04d}.JPG",
        photos=(f"DJI_{int(at // 20):04d}.JPG", f"DJI_{int(at // 20) + 1:04d}.JPG"),
        time="2026-07-01T02:00:01Z",
        geometry=shape,
        unmeasured=() if measured and place else (_REASON,),
        road_edge_m=2.25 if place == 0 else None,
        slope_deg=31.4 if place == 0 else None,
    )


def _segments(found: list[Finding]) -> list[dict[str, Any]]:
    shown = []
    for segment in segments_of(ROAD, PLANE):
        if segment.index > 7:
            continue
        own = [one for one in found if one.km is not None and segment.km_from <= one.km < segment.km_to]
        damages = [Damage.of(one) for one in own if one.label is not DefectClass.LANDSLIDE]
        seen = 0.4 if segment.index == 7 else 1.0
        shown.append(SegmentFound(segment, ROAD, seen, damages, [one.id for one in own]))
    return segment_features(shown, survey=SURVEY)


def _photo(place: int, line: shapely.LineString) -> PhotoFact:
    middle = line.interpolate(20.0 * place)
    shown = shapely.box(middle.x - 14, middle.y - 18, middle.x + 14, middle.y + 18)
    return PhotoFact(
        unit=f"DJI_{place:04d}.JPG",
        status="read",
        verdict="limited",
        reasons=("photo.quality.soft",),
        gsd_mm=6.2,
        position_error_m=1.5,
        time_us=1_782_871_200_000_000 + place * 2_000_000,
        findings=1,
        footprint=PLANE.to_degrees(np.array([shown], dtype=object))[0],
    )


def _summary(found: list[Finding]) -> Summary:
    counts = Counts(
        units=38, read=36, refused=1, corrupt=1, without_position=0, limited=12, detections=900, sightings=880,
        findings=len(found), annotated=36, withheld=0, classes={},
    )  # fmt: skip
    return msgspec.convert(
        {
            "survey": SURVEY,
            "source": "penerbangan <i>satu</i>",
            "kind": "photos",
            "detector": "road (OpenVINO, int8)",
            "weights": [],
            "settings": {"runtime": None, "precision": None, "boxes": None},
            "inputs": {"ruas": "26" * 32, "dem": None},
            "counts": counts,
            "problems": [
                LeftOut(
                    unit="DJI_0036.JPG", status="corrupt", code="corrupt", detail="DJI_0036.JPG: truncated"
                ),
                LeftOut(
                    unit="DJI_0037.JPG",
                    status="refused",
                    code="refused",
                    detail="photo.quality.dark, photo.quality.blur",
                ),
            ],
            "quality": {"photo.quality.soft": 12, "photo.quality.dark": 1, "photo.quality.blur": 1},
            "gsd_mm": GsdRange(least=5.9, median=6.2, most=7.4),
            "first": "2026-07-01T02:00:00Z",
            "last": "2026-07-01T02:06:12Z",
            "residual_m": 0.084,
            "aligned": 36,
            "privacy": {
                "finest_gsd_mm": 5.0,
                "faces": None,
                "people": None,
                "as_it_is": 36,
                "blurred": 0,
                "withheld": 0,
                "faces_hidden": 0,
                "people_hidden": 0,
                "tested": [],
                "texts": {"id": ["36 foto disimpan apa adanya."], "en": ["36 photos are kept as they are."]},
            },
        },
        Summary,
        strict=False,
    )
