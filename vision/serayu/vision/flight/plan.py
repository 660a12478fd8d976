"""Where the drone is at each photo, and what it writes down about it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from serayu.models.errors import BadInputError
from serayu.vision.flight.camera import Camera, Pose
from serayu.vision.flight.noise import generator
from serayu.vision.flight.scene import Scene
from serayu.vision.flight.site import FloatArray

__all__ = ["FlightNoise", "Mission", "Shot", "fly"]

SENSOR_WIDTH_MM = 13.2  # a one-inch sensor
_OVERVIEW_GSD_MM = 40.0  # of the photos that show a whole scar [project proposal]
_GNSS_MEMORY_S = 20.0  # correlation time of the position's error [project proposal]
_WOBBLE_M = 0.25  # how far the drone really strays from its line
_WOBBLE_DEG = 0.8  # and from the road's bearing


@dataclass(frozen=True, slots=True)
class FlightNoise:
    """What the recorded pose is wrong by: standard deviations.

    Parameters
    ----------
    gnss_m
        Of the horizontal position, each axis; the error wanders slowly (correlation time 20 s), as real ones do.
    heading_deg, tilt_deg
        Of yaw; of pitch and of roll.
    height_m
        Of the height over the take-off point.
    """

    gnss_m: float = 1.5
    heading_deg: float = 2.0
    tilt_deg: float = 0.5
    height_m: float = 0.5

    def __post_init__(self) -> None:
        for name in ("gnss_m", "heading_deg", "tilt_deg", "height_m"):
            if not 0 <= getattr(self, name) <= 30:  # noqa: PLR2004 - beyond it nothing is left of a pose
                raise BadInputError(f"expected 0 to 30, not {getattr(self, name):g}", field=name)

    @classmethod
    def none(cls) -> "FlightNoise":
        """Return no noise at all."""
        return cls(0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Mission:
    """How the flight is flown.

    Parameters
    ----------
    gsd_mm
        Ground sampling distance over the road, mm per px.
    overlap
        Share of a photo that the next one shows again, 0-0.95.
    height_m
        Over the road.
    width, height
        Of the pictures, px; the width lies across the road.
    speed_m_per_s
        Over ground; it spaces the photos in time.
    start
        When the first photo is taken, with its zone.
    distortion
        Of the lens: k1, k2, p1, p2, k3.
    """

    gsd_mm: float
    overlap: float
    height_m: float
    width: int
    height: int
    speed_m_per_s: float
    start: datetime
    distortion: tuple[float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        limits = {
            "gsd_mm": (1.0, 50.0),
            "overlap": (0.0, 0.95),
            "height_m": (2.0, 500.0),
            "width": (64, 8000),
            "height": (64, 8000),
            "speed_m_per_s": (0.1, 20.0),
        }
        for name, (low, high) in limits.items():
            if not low <= getattr(self, name) <= high:
                raise BadInputError(f"expected {low:g} to {high:g}, not {getattr(self, name):g}", field=name)

    @property
    def step_m(self) -> float:
        """Return the way between two photos."""
        return self.height * self.gsd_mm / 1000 * (1 - self.overlap)

    def camera(self) -> Camera:
        """Return the camera whose focal length gives the sampling distance at the height."""
        focal_px = self.height_m * 1000 / self.gsd_mm
        return Camera(self.width, self.height, focal_px, (self.width / 2, self.height / 2), self.distortion)

    def focal_mm(self) -> float:
        """Return the focal length on the sensor."""
        return self.height_m * 1000 / self.gsd_mm * SENSOR_WIDTH_MM / self.width


@dataclass(frozen=True, slots=True)
class Shot:
    """One photo to take.

    Parameters
    ----------
    name
        File name.
    true, recorded
        The pose that the picture is made with, and the one written into the file.
    take_off_m
        Height of the take-off point, which `RelativeAltitude` counts from.
    time
        With zone.
    gsd_mm
        Over the road, mm per px.
    """

    name: str
    true: Pose
    recorded: Pose
    take_off_m: float
    time: datetime
    gsd_mm: float


def fly(scene: Scene, mission: Mission, *, overviews: int, noise: FlightNoise, seed: int) -> tuple[Shot, ...]:
    """Plan the photos along the road, then some of the scar from higher up.

    Parameters
    ----------
    scene
        What is flown over.
    mission
        How.
    overviews
        Photos at 40 mm per px of the scar; none without one.
    noise
        Of the recorded poses.
    seed
        Of the flight.
    """
    road = scene.road
    count = int(np.ceil((road.end_m - road.start_m) / mission.step_m - 1e-6)) + 1
    stations = [(road.start_m + i * mission.step_m, mission.gsd_mm) for i in range(count)]
    scars = [thing for thing in scene.things if thing.slope_deg is not None]
    stations += [
        (scar.station_m + (i - (overviews - 1) / 2) * 6.0, _OVERVIEW_GSD_MM)
        for scar in scars
        for i in range(overviews)
    ]
    stations = [(float(np.clip(station, 0.06, road.line.length - 0.06)), gsd) for station, gsd in stations]
    seconds = np.cumsum([0.0] + [_leg_s(one, other, mission) for one, other in zip(stations, stations[1:])])  # noqa: B905, RUF007
    rng = generator(seed, "poses")
    errors = _wander(rng, seconds) * noise.gnss_m
    shots = []
    for i, (station, gsd_mm) in enumerate(stations):
        aside = 6.0 * scene.terrain.side if gsd_mm != mission.gsd_mm else 0.0
        true, recorded = _poses(rng, scene, mission, (station, aside, gsd_mm), noise)
        moved = Pose(
            recorded.east_m + float(errors[i, 0]),
            recorded.north_m + float(errors[i, 1]),
            recorded.up_m,
            recorded.yaw_deg,
            recorded.pitch_deg,
            recorded.roll_deg,
        )
        time = mission.start + timedelta(seconds=round(float(seconds[i]), 3))
        shots.append(Shot(f"SRY_{i + 1:04d}.jpg", true, moved, scene.terrain.base_m, time, gsd_mm))
    return tuple(shots)


def _leg_s(one: tuple[float, float], other: tuple[float, float], mission: Mission) -> float:
    climb = abs(other[1] - one[1]) / mission.gsd_mm * mission.height_m
    return max((abs(other[0] - one[0]) + climb) / mission.speed_m_per_s, 1.0)


def _wander(rng: np.random.Generator, seconds: FloatArray) -> FloatArray:
    """Return a first-order Gauss-Markov error of standard deviation 1, shape (n, 2)."""
    white = rng.standard_normal((len(seconds), 2))
    errors = np.empty_like(white)
    for i in range(len(seconds)):
        kept = np.exp(-(seconds[i] - seconds[i - 1]) / _GNSS_MEMORY_S) if i else 0.0
        errors[i] = (errors[i - 1] * kept if i else 0.0) + white[i] * np.sqrt(1 - kept**2)
    return errors


def _poses(
    rng: np.random.Generator,
    scene: Scene,
    mission: Mission,
    place: tuple[float, float, float],
    noise: FlightNoise,
) -> tuple[Pose, Pose]:
    """Return the true pose and the recorded one without its error of position."""
    station, aside, gsd_mm = place
    here, along = scene.road.at(station, aside)
    stray, turn, attitude, lift = (
        rng.normal(0, _WOBBLE_M, 2),
        rng.normal(0, _WOBBLE_DEG),
        rng.standard_normal(3),
        rng.standard_normal(),
    )
    east, north = scene.road.site.to_plane((here + stray)[None])[0]
    bearing = scene.road.site.unturned(along)
    yaw = float(np.degrees(np.arctan2(bearing[0], bearing[1])) + turn)
    up = scene.terrain.base_m + gsd_mm / mission.gsd_mm * mission.height_m
    recorded = Pose(float(east), float(north), up + float(lift) * noise.height_m, _half_turn(yaw), -90.0, 0.0)
    true = Pose(
        float(east),
        float(north),
        up,
        _half_turn(yaw + float(attitude[0]) * noise.heading_deg),
        -90.0 + float(attitude[1]) * noise.tilt_deg,
        float(attitude[2]) * noise.tilt_deg,
    )
    return true, recorded


def _half_turn(degrees: float) -> float:
    """Return an angle in -180 to 180, as DJI writes it."""
    return (degrees + 180) % 360 - 180
