"""The truth of a flight: what lies where and how big it is, and which photos show it with which box."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely.geometry import LineString, Polygon, mapping

from serayu.models.survey.finding import DefectClass, Side
from serayu.vision.flight.camera import Camera
from serayu.vision.flight.plan import Shot
from serayu.vision.flight.road import Road
from serayu.vision.flight.scene import Scene
from serayu.vision.flight.site import FloatArray
from serayu.vision.flight.thing import Thing

__all__ = ["CLASSES", "RULE", "Box", "boxes", "label_lines", "truth_feature"]

CLASSES: tuple[DefectClass, ...] = tuple(DefectClass)

MIN_SHARE = 0.2
MIN_LONG_PX = 8.0
MIN_SHORT_PX = 2.0
MIN_CRACK_PX = 0.25
RULE = (
    f"a photo shows a thing when at least {MIN_SHARE:.0%} of its area (of its length for a single crack) lies in the "
    f"picture, its clipped box is at least {MIN_LONG_PX:g} px long and {MIN_SHORT_PX:g} px wide, and its cracks are "
    f"at least {MIN_CRACK_PX:g} px wide at the median"
)
_DECIMALS = 9  # of degrees: 0.1 mm


@dataclass(frozen=True, slots=True)
class Box:
    """One thing in one photo.

    Parameters
    ----------
    thing
        Its id.
    label
        Its class.
    xyxy_px
        Left, top, right, bottom, clipped to the picture.
    share
        How much of it the picture shows, 0-1.
    """

    thing: str
    label: DefectClass
    xyxy_px: tuple[float, float, float, float]
    share: float


def boxes(scene: Scene, shot: Shot, camera: Camera) -> list[Box]:
    """Return what a photo shows by `RULE`, from its true pose."""
    frame = shapely.box(0, 0, camera.width, camera.height)
    eye = scene.road.site.from_plane(np.array([[shot.true.east_m, shot.true.north_m]]))[0]
    reach_m = np.hypot(camera.width, camera.height) * shot.gsd_mm / 1000 * 1.3
    found = []
    for thing in scene.things:
        if thing.figure.distance(shapely.Point(eye)) > reach_m or _too_fine(thing, shot.gsd_mm):
            continue
        drawn = _seen(thing.drawn(), scene, shot, camera)
        figure = _seen(thing.figure, scene, shot, camera)
        clipped, part = drawn.intersection(frame), figure.intersection(frame)
        whole = figure.length if isinstance(figure, LineString) else figure.area
        share = (part.length if isinstance(figure, LineString) else part.area) / whole
        if clipped.is_empty or share < MIN_SHARE:
            continue
        left, top, right, bottom = clipped.bounds
        sides = sorted((right - left, bottom - top))
        if sides[1] >= MIN_LONG_PX and sides[0] >= MIN_SHORT_PX:
            found.append(Box(thing.id, thing.label, (left, top, right, bottom), float(share)))
    return found


def _too_fine(thing: Thing, gsd_mm: float) -> bool:
    if not thing.cracks:
        return False
    return _median_width_mm(thing) < MIN_CRACK_PX * gsd_mm


def _median_width_mm(thing: Thing) -> float:
    return float(np.median(np.concatenate([crack.widths_mm for crack in thing.cracks])))


def _seen(figure: LineString | Polygon, scene: Scene, shot: Shot, camera: Camera) -> LineString | Polygon:
    """Return a figure in pixels."""

    def pixels(site_m: FloatArray) -> FloatArray:
        up = scene.terrain.height_m(site_m)
        return camera.pixels(np.column_stack((scene.road.site.to_plane(site_m), up)), shot.true)

    seen = shapely.transform(figure, pixels)
    return seen if isinstance(seen, LineString) else seen.buffer(0)


def label_lines(found: list[Box], camera: Camera) -> str:
    """Return the YOLO label file of a photo: class, middle and size as shares of the picture."""
    lines = []
    for box in found:
        left, top, right, bottom = box.xyxy_px
        middle = ((left + right) / 2 / camera.width, (top + bottom) / 2 / camera.height)
        size = ((right - left) / camera.width, (bottom - top) / camera.height)
        lines.append(f"{CLASSES.index(box.label)} " + " ".join(f"{value:.6f}" for value in (*middle, *size)))
    return "".join(line + "\n" for line in lines)


def truth_feature(
    thing: Thing, road: Road, shown: dict[str, Box], *, seed: int, noise: dict[str, float]
) -> dict[str, Any]:
    """Return the GeoJSON feature of a thing.

    Parameters
    ----------
    thing, road
        What, on which road.
    shown
        Its box in each photo that shows it.
    seed, noise
        Of the flight, written with each thing.
    """
    degrees = road.site.figure_to_degrees(thing.figure)
    geometry = mapping(shapely.transform(degrees, lambda points: np.round(points, _DECIMALS)))
    return {
        "type": "Feature",
        "properties": {
            "id": thing.id,
            "class": thing.label.value,
            **_sizes(thing, road),
            "ruas": road.number,
            "km": round(thing.station_m / 1000, 6),
            "side": (Side.LEFT if thing.offset_m > 0 else Side.RIGHT).value,
            "offset_m": round(thing.offset_m, 3),
            "photos": sorted(shown),
            "boxes": {name: [round(edge, 2) for edge in box.xyxy_px] for name, box in sorted(shown.items())},
            "shares": {name: round(box.share, 3) for name, box in sorted(shown.items())},
            "seed": seed,
            "noise": noise,
        },
        "geometry": geometry,
    }


def _sizes(thing: Thing, road: Road) -> dict[str, float | None]:
    """Return lengths in m, crack widths in mm, horizontal areas in m2; null where a class has none."""
    sizes: dict[str, float | None] = dict.fromkeys(
        ("length_m", "width_mm", "width_p95_mm", "area_m2", "slope_deg", "road_edge_m")
    )
    if isinstance(thing.figure, LineString):
        sizes["length_m"] = round(thing.figure.length, 4)
    else:
        sizes["area_m2"] = round(thing.figure.area, 4)
    if thing.cracks:
        widths = np.concatenate([crack.widths_mm for crack in thing.cracks])
        sizes["width_mm"] = round(float(np.median(widths)), 3)
        sizes["width_p95_mm"] = round(float(np.percentile(widths, 95)), 3)
    if thing.slope_deg is not None:
        sizes["slope_deg"] = round(thing.slope_deg, 3)
        sizes["road_edge_m"] = round(max(thing.figure.distance(road.line) - road.width_m / 2, 0.0), 3)
    return sizes
