"""Renders a whole flight into a folder: photos, their truth and labels, the road and the elevation model."""

import shutil
import tempfile
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from serayu.models.command import json_text
from serayu.models.errors import BadInputError
from serayu.vision.detection import Image
from serayu.vision.flight.camera import Camera, Pose
from serayu.vision.flight.elevation import write_dem
from serayu.vision.flight.ground import Ground
from serayu.vision.flight.jpeg import jpeg_bytes
from serayu.vision.flight.photo import Lens, developed, seen
from serayu.vision.flight.plan import SENSOR_WIDTH_MM, FlightNoise, Mission, Shot, fly
from serayu.vision.flight.road import Road, read_road
from serayu.vision.flight.scene import Scene, lay_out
from serayu.vision.flight.truth import CLASSES, RULE, Box, boxes, label_lines, truth_feature

__all__ = ["Rendered", "render_flight"]

_START = datetime.fromisoformat("2026-07-01T09:00:00+07:00")
_BASE_M = 50.0  # height of the road [invented]
_POSE_DECIMALS = 6
_WAITING = 2  # pictures that wait to be written while the next ones are painted


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a flight made.

    Parameters
    ----------
    folder
        Where it lies.
    photos
        How many pictures.
    ruas, start_km, end_km
        The flown part.
    things
        How many of each class lie on the ground, and how many of them some photo shows.
    """

    folder: Path
    photos: int
    ruas: str
    start_km: float
    end_km: float
    things: dict[str, dict[str, int]] = field(default_factory=dict)


def render_flight(  # noqa: PLR0913 - a flight has that many sides, all named
    folder: Path,
    *,
    road: Path,
    ruas: str | None = None,
    seed: int = 1,
    photos: int | None = None,
    length_m: float | None = None,
    start_m: float = 20.0,
    gsd_mm: float = 8.0,
    overlap: float = 0.7,
    height_m: float = 30.0,
    size_px: tuple[int, int] = (1600, 1200),
    noise: FlightNoise | None = None,
    per_100_m: float = 28.0,
    landslide: bool = True,
    overviews: int = 2,
    speed_m_per_s: float = 3.0,
    start: datetime = _START,
    width_m: float | None = None,
    distortion: tuple[float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0),
    progress: Callable[[int, int], None] | None = None,
) -> Rendered:
    """Render a flight.

    The same arguments give the same bytes. The folder appears whole or not at all.

    Parameters
    ----------
    folder
        To make; must not exist, or be empty.
    road, ruas
        GeoJSON of roads and the number of one; the first when None.
    seed
        Of everything that is drawn by chance, 0 or more.
    photos, length_m
        One of them: pictures in all, or metres of road.
    start_m
        Where on the road the flight begins.
    gsd_mm, overlap, height_m, size_px, speed_m_per_s, start, distortion
        See :class:`Mission`.
    noise
        Of the recorded poses; the defaults of :class:`FlightNoise` when None.
    per_100_m
        Defects asked for per 100 m; 0 for a clean road.
    landslide, overviews
        Whether a scar lies beside the road, and how many pictures from higher up show it whole.
    width_m
        Of the pavement; the file's, else 6 m, when None.
    progress
        Is told photos done and photos in all.

    Raises
    ------
    BadInputError
        The folder is not empty or cannot be written; the road does not fit; a figure is out of its range.
    """
    _refuse_used(folder)
    mission = Mission(gsd_mm, overlap, height_m, *size_px, speed_m_per_s, start, distortion)
    overviews = overviews if landslide else 0
    length = _length_m(mission, photos=photos, length_m=length_m, overviews=overviews)
    if seed < 0 or per_100_m < 0 or overviews < 0:
        raise BadInputError("seed, defects per 100 m and overviews cannot be negative")
    line = read_road(road, ruas=ruas, start_m=start_m, length_m=length, width_m=width_m)
    noise = FlightNoise() if noise is None else noise
    scene = lay_out(line, seed=seed, per_100_m=per_100_m, landslide=landslide, base_m=_BASE_M)
    shots = fly(scene, mission, overviews=overviews, noise=noise, seed=seed)
    flight = _Flight(scene, mission, mission.camera(), shots, noise)
    return _written_whole(folder, flight, progress)


@dataclass(frozen=True, slots=True)
class _Flight:
    scene: Scene
    mission: Mission
    camera: Camera
    shots: tuple[Shot, ...]
    noise: FlightNoise


def _refuse_used(folder: Path) -> None:
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise BadInputError("not an empty folder: a flight is rendered into a new one", file=folder)
    if not folder.parent.is_dir():
        raise BadInputError("the folder around it does not exist", file=folder)


def _length_m(mission: Mission, *, photos: int | None, length_m: float | None, overviews: int) -> float:
    if (photos is None) == (length_m is None):
        raise BadInputError("give either the number of photos or the length of road")
    if length_m is not None:
        return length_m
    along = (photos or 0) - overviews
    if along < 2:  # noqa: PLR2004 - a flight has a first and a last photo
        raise BadInputError(f"at least {2 + overviews} photos are needed", field="photos")
    return (along - 1) * mission.step_m


def _written_whole(folder: Path, flight: _Flight, progress: Callable[[int, int], None] | None) -> Rendered:
    """Write beside the target and put it in place at the end."""
    try:
        part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            rendered = _write(part, flight, progress)
            part.chmod(0o755)
            part.replace(folder)  # onto nothing, or onto an empty folder
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
    except OSError as error:
        raise BadInputError(f"cannot write: {error.strerror or error}", file=folder) from None
    road = flight.scene.road
    return Rendered(folder, len(flight.shots), road.number, road.start_m / 1000, road.end_m / 1000, rendered)


def _write(
    folder: Path, flight: _Flight, progress: Callable[[int, int], None] | None
) -> dict[str, dict[str, int]]:
    (folder / "photos").mkdir()
    (folder / "boxes").mkdir()
    scene, camera = flight.scene, flight.camera
    _write_photos(folder / "photos", flight, progress)
    shown: dict[str, dict[str, Box]] = {thing.id: {} for thing in scene.things}
    for shot in flight.shots:
        found = boxes(scene, shot, camera)
        for box in found:
            shown[box.thing][shot.name] = box
        labels = folder / "boxes" / f"{Path(shot.name).stem}.txt"
        labels.write_text(label_lines(found, camera), encoding="utf-8")
    (folder / "boxes" / "classes.txt").write_text(
        "".join(f"{label.value}\n" for label in CLASSES), encoding="utf-8"
    )
    (folder / "truth.geojson").write_text(json_text(_truth(flight, shown)), encoding="utf-8")
    (folder / "ruas.geojson").write_text(json_text(_ruas(scene.road)), encoding="utf-8")
    write_dem(folder / "dem.tif", scene)
    return _counts(scene, shown)


def _write_photos(folder: Path, flight: _Flight, progress: Callable[[int, int], None] | None) -> None:
    """Write the photos: while one is developed and compressed, the ground of the next is painted."""
    scene, camera = flight.scene, flight.camera
    ground, lens = Ground(scene), Lens.of(camera, seed=scene.seed)

    def finish(light: Image, index: int) -> None:
        shot = flight.shots[index]
        data = jpeg_bytes(
            developed(light, lens=lens, seed=scene.seed, index=index),
            shot=shot,
            camera=camera,
            focal_mm=flight.mission.focal_mm(),
            lon_lat=_lon_lat(scene.road, shot.recorded),
            rtk=flight.noise.gnss_m == 0,
        )
        (folder / shot.name).write_bytes(data)

    waiting: deque[Future[None]] = deque()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="serayu-render") as writer:
        for index, shot in enumerate(flight.shots):
            waiting.append(
                writer.submit(finish, seen(shot, camera=camera, scene=scene, ground=ground), index)
            )
            while len(waiting) > _WAITING:
                waiting.popleft().result()
            if progress is not None:
                progress(index + 1, len(flight.shots))
        for future in waiting:
            future.result()


def _counts(scene: Scene, shown: dict[str, dict[str, Box]]) -> dict[str, dict[str, int]]:
    counts = {}
    for label in CLASSES:
        ids = [thing.id for thing in scene.things if thing.label is label]
        counts[label.value] = {"on_ground": len(ids), "in_photos": sum(bool(shown[name]) for name in ids)}
    return counts


def _lon_lat(road: Road, pose: Pose) -> tuple[float, float]:
    lon, lat = road.site.plane.inverse(np.array([[pose.east_m, pose.north_m]]))[0]
    return float(lon), float(lat)


def _truth(flight: _Flight, shown: dict[str, dict[str, Box]]) -> dict[str, Any]:
    scene, noise = flight.scene, asdict(flight.noise)
    return {
        "type": "FeatureCollection",
        "note": "Penerbangan buatan komputer · A computer-made flight: nothing in it is real",
        "seed": scene.seed,
        "noise": noise,
        "rule": RULE,
        "camera": {
            **asdict(flight.camera),
            "sensor_width_mm": SENSOR_WIDTH_MM,
            "gsd_mm": flight.mission.gsd_mm,
        },
        "true_poses": [_pose(scene.road, shot) for shot in flight.shots],
        "features": [
            truth_feature(thing, scene.road, shown[thing.id], seed=scene.seed, noise=noise)
            for thing in scene.things
        ],
    }


def _pose(road: Road, shot: Shot) -> dict[str, Any]:
    lon, lat = _lon_lat(road, shot.true)
    pose = {name: round(value, _POSE_DECIMALS) for name, value in asdict(shot.true).items()}
    return {
        "photo": shot.name,
        "time": shot.time.isoformat(timespec="milliseconds"),
        "lon": round(lon, 9),
        "lat": round(lat, 9),
        "up_m": pose["up_m"],
        "yaw_deg": pose["yaw_deg"],
        "pitch_deg": pose["pitch_deg"],
        "roll_deg": pose["roll_deg"],
        "gsd_mm": shot.gsd_mm,
    }


def _ruas(road: Road) -> dict[str, Any]:
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {"number": road.number, "name": road.name, "width_m": road.width_m},
                "geometry": {"type": "LineString", "coordinates": road.lon_lat.tolist()},
            }
        ],
    }
