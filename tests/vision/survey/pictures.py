"""Small pictures of a made-up plane, looked at straight down: imagery for tests of the pipeline itself."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import shapely

from serayu.models.errors import BadInputError
from serayu.models.plane import LocalPlane
from serayu.models.survey.finding import DefectClass, Errors, Severity
from serayu.vision.detection import Detection, Image, Points
from serayu.vision.ground import GroundMap
from serayu.vision.imagery import Opened, Unit
from serayu.vision.quality import Measure, Quality, Verdict
from serayu.vision.sighting import Measured

GSD_M = 0.02
SIZE_PX = (400, 300)
PLANE = LocalPlane(109.25)
ORIGIN = PLANE.forward(np.array([[109.25, -7.43]]))[0]
CLASSES = ("pothole", "longitudinal_crack", "kucing")
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FlatGround:
    """Straight down on flat ground, north up."""

    middle_m: tuple[float, float]

    @property
    def plane(self) -> LocalPlane:
        return PLANE

    def ground_m(self, px: Points) -> Points:
        placed: Points = ORIGIN + self.middle_m + (px - np.array(SIZE_PX) / 2) * (GSD_M, -GSD_M)
        return placed

    def pixels(self, ground_m: Points) -> Points:
        px: Points = (ground_m - ORIGIN - self.middle_m) / (GSD_M, -GSD_M) + np.array(SIZE_PX) / 2
        return px

    def gsd_mm(self, px: Points) -> Floats:
        return np.full(len(px), GSD_M * 1000)

    def sigma_m(self, px: Points) -> Floats:
        return np.full(len(px), 0.1)


@dataclass(frozen=True, slots=True)
class FlatFolder:
    """Pictures named by the place of their middle: ``P<east cm>_<north cm>.jpg``."""

    folder: Path

    @property
    def plane(self) -> LocalPlane:
        return PLANE

    def units(self) -> Sequence[Unit]:
        return tuple(Unit(file.name, file) for file in sorted(self.folder.glob("*.jpg")))

    def open(self, unit: Unit) -> Opened:
        image = cv2.imdecode(np.frombuffer(unit.file.read_bytes() or b"x", np.uint8), cv2.IMREAD_COLOR)
        if image is None:
            raise BadInputError("not a picture", file=unit.file)
        place = re.fullmatch(r"P(-?\d+)_(-?\d+)\.jpg", unit.name)
        assert place is not None
        east, north = float(place[1]) / 100, float(place[2]) / 100
        dark = image.mean() < 5
        return Opened(
            np.asarray(image, dtype=np.uint8),
            FlatGround((east, north)),
            1_760_000_000_000_000 + int(east * 1e6),
            GSD_M * 1000,
            Quality(Verdict.REFUSED, frozenset(), ("photo.quality.dark",))
            if dark
            else Quality(Verdict.GOOD, frozenset(Measure)),
        )


def gauge(image: Image, detection: Detection, ground: GroundMap, measures: frozenset[Measure]) -> Measured:
    """Take a box for the thing: a crack runs through its middle."""
    assert image.size
    assert measures
    left, top, right, bottom = detection.xyxy_px
    if detection.label is DefectClass.POTHOLE:
        box = ground.ground_m(np.array([(left, top), (right, top), (right, bottom), (left, bottom)]))
        figure = shapely.Polygon(box)
        return Measured(
            figure, None, None, figure.area, Errors(position_m=0.1, area_m2=0.05 * figure.area), Severity.LOW
        )
    middle = (top + bottom) / 2
    line = shapely.LineString(ground.ground_m(np.array([(left, middle), (right, middle)])))
    errors = Errors(position_m=0.1, length_m=0.05)
    return Measured(
        line, line.length, None, None, errors, Severity.UNMEASURED, ("finding.unmeasured.width_gsd",)
    )


def write_flight(
    folder: Path, things: Sequence[tuple[str, float, float, float, float]], *, n: int = 6, step_m: float = 2.4
) -> None:
    """Write pictures along a line and the boxes of things (class, west, south, east, north in metres)."""
    (folder / "boxes").mkdir(parents=True, exist_ok=True)
    (folder / "boxes" / "classes.txt").write_text("\n".join(CLASSES) + "\n")
    random = np.random.default_rng(7)
    for number in range(n):
        east = number * step_m
        ground = FlatGround((east, 0.0))
        image = random.integers(90, 130, (SIZE_PX[1], SIZE_PX[0], 3), dtype=np.uint8)
        lines = []
        for label, west, south, right, north in things:
            corners = ground.pixels(ORIGIN + np.array([(west, north), (right, south)]))
            (x0, y0), (x1, y1) = np.clip(corners, 0, SIZE_PX)
            if x1 - x0 < 1 or y1 - y0 < 1:
                continue
            cv2.rectangle(image, (int(x0), int(y0)), (int(x1), int(y1)), (40, 40, 40), -1)
            box = np.array([(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0]) / np.tile(SIZE_PX, 2)
            lines.append(f"{CLASSES.index(label)} " + " ".join(f"{value:.6f}" for value in box))
        name = f"P{round(east * 100):05d}_0"
        cv2.imwrite(str(folder / f"{name}.jpg"), image)
        (folder / "boxes" / f"{name}.txt").write_text("\n".join(lines) + "\n")


ROAD = (
    ("pothole", 0.5, 0.2, 1.1, 0.8),
    ("pothole", 3.0, -1.2, 3.6, -0.6),
    ("pothole", 4.2, -1.2, 4.8, -0.6),
    ("longitudinal_crack", 5.0, 0.5, 16.0, 0.6),
    ("kucing", 2.0, 1.0, 2.5, 1.5),
)
"""Three potholes, a crack longer than any picture, and a class that is no defect."""
