"""Made-up flights for fusion: things at known places, seen by pictures that are off by a shift and a turn."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from serayu.models.survey.finding import DefectClass, Errors, Severity
from serayu.vision.sighting import Measured, Sighting
from serayu.vision.survey.frames import Frame

SIZE_PX = (4000, 3000)
WIDTH_M, HEIGHT_M = 24.0, 18.0


@dataclass(frozen=True, slots=True)
class Real:
    """A real thing."""

    label: DefectClass
    figure: BaseGeometry


def hole(x: float, y: float, radius: float = 0.3) -> Real:
    return Real(DefectClass.POTHOLE, shapely.Point(x, y).buffer(radius))


def crack(*points: tuple[float, float]) -> Real:
    return Real(DefectClass.LONGITUDINAL_CRACK, shapely.LineString(points))


def scene(seed: int, *, length_m: float = 120.0, n: int = 60) -> list[Real]:
    """Things along a road of 6 m width, no two holes closer than 1.2 m."""
    random = np.random.default_rng(seed)
    things: list[Real] = []
    while len(things) < n:
        x, y = random.uniform(0, length_m), random.uniform(-3, 3)
        if random.random() < 0.7:
            one = hole(x, y, float(random.uniform(0.1, 0.5)))
        else:
            run = float(random.uniform(1, 8))
            one = crack((x, y), (x + run / 2, y + random.normal(0, 0.05)), (x + run, y))
        if all(shapely.distance(one.figure, other.figure) > 0.4 for other in things):
            things.append(one)
    return things


def _move(
    spin: np.ndarray[tuple[int, ...], np.dtype[np.float64]], middle: float, off: tuple[float, float]
) -> Callable[[BaseGeometry], BaseGeometry]:
    """Return what a picture that is off by a turn and a shift makes of a figure."""

    def moved(
        xy: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        turned: np.ndarray[tuple[int, ...], np.dtype[np.float64]] = (
            (xy - (middle, 0)) @ spin.T + (middle, 0) + off
        )
        return turned

    return lambda figure: shapely.transform(figure, moved)


def fly(
    things: Sequence[Real],
    *,
    seed: int = 0,
    shift_m: float = 0.0,
    turn_deg: float = 0.0,
    sigma_m: float | None = None,
    length_m: float = 120.0,
    step_m: float = 5.4,
    missed: float = 0.0,
) -> tuple[list[Sighting], Mapping[str, Frame], list[int]]:
    """Return sightings, frames, and the number of the real thing of each sighting."""
    random = np.random.default_rng(seed)
    sightings: list[Sighting] = []
    truth: list[int] = []
    frames: dict[str, Frame] = {}
    sigma = shift_m if sigma_m is None else sigma_m
    for number, middle in enumerate(np.arange(0.0, length_m + step_m, step_m)):
        unit = f"P{number:04d}.jpg"
        real = shapely.box(middle - WIDTH_M / 2, -HEIGHT_M / 2, middle + WIDTH_M / 2, HEIGHT_M / 2)
        east, north = random.normal(0, shift_m, 2)
        turn = np.radians(random.normal(0, turn_deg))
        spin = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])

        move = _move(spin, float(middle), (east, north))
        frames[unit] = Frame(unit, move(real), SIZE_PX, sigma, np.radians(turn_deg))
        index = 0
        for place, thing in enumerate(things):
            if not thing.figure.intersects(real) or random.random() < missed:
                continue
            for part in shapely.get_parts(shapely.intersection(thing.figure, real)):
                if part.geom_type not in {"LineString", "Polygon"}:
                    continue
                west, south, right, top = part.bounds
                scale = SIZE_PX[0] / WIDTH_M
                box = (
                    (west - middle + WIDTH_M / 2) * scale,
                    (HEIGHT_M / 2 - top) * scale,
                    (right - middle + WIDTH_M / 2) * scale,
                    (HEIGHT_M / 2 - south) * scale,
                )
                area = part.area > 0
                measured = Measured(
                    figure=move(part),
                    length_m=None if area else part.length,
                    width_mm=None,
                    area_m2=part.area if area else None,
                    errors=Errors(
                        position_m=max(sigma, 0.05),
                        length_m=None if area else 0.02,
                        area_m2=0.05 * part.area if area else None,
                    ),
                    severity=Severity.UNMEASURED,
                )
                sightings.append(
                    Sighting(
                        unit=unit,
                        index=index,
                        label=thing.label,
                        score=None,
                        measured=measured,
                        xyxy_px=box,
                        gsd_mm=1000 / scale,
                        cut=not shapely.contains_properly(real, part)
                        or part.length < thing.figure.length - 1e-6,
                        time_us=number * 2_000_000,
                    )
                )
                truth.append(place)
                index += 1
    return sightings, frames, truth
