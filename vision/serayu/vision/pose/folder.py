"""Imagery from a folder of drone photos."""

import functools
import math
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import tzinfo
from pathlib import Path

import numpy as np
from typing_extensions import override

from serayu.models.errors import BadInputError
from serayu.models.plane import LocalPlane
from serayu.models.survey.finding import DefectClass
from serayu.models.texts import text
from serayu.models.times import WIB
from serayu.vision.detection import Points
from serayu.vision.imagery import Opened, Unit
from serayu.vision.pose.attitude import Pose, motion_m, pose_of
from serayu.vision.pose.gate import PREFIX, judge
from serayu.vision.pose.jpeg import Tags, read_picture, read_tags
from serayu.vision.pose.lens import camera_of
from serayu.vision.pose.limits import ALL_CLASSES
from serayu.vision.pose.moment import taken_us
from serayu.vision.pose.photo_ground import PhotoGround
from serayu.vision.pose.photos import photo_units
from serayu.vision.pose.terrain import Terrain

__all__ = ["ABSOLUTE_SIGMA_M", "DEM_SIGMA_M", "PhotoFolder"]

ABSOLUTE_SIGMA_M = 10.0
"""Standard error of the take-off level from AbsoluteAltitude without RTK, m [project proposal]. With RTK it is a height
over the ellipsoid, some twenty metres from that of elevation models in Java, and is not used."""
DEM_SIGMA_M = 1.0
"""Standard error of an elevation model that says none, m [project proposal]."""
_TAKEOFF_NOTED_M = 1.0

_MARGIN_M = 500.0
_MARGIN_HEIGHTS = 5.0
_DEGREE_M = 110_000.0  # of latitude, about; margins need no more


@dataclass(frozen=True, slots=True)
class _Flight:
    """What all photos together say: degrees, and what tells the take-off level."""

    degrees: Points
    heights_m: Points
    takeoffs_m: Points


@dataclass(frozen=True, slots=True)
class _Level:
    """Height of the reference ground in the elevation model's datum, its standard error, and a note on it."""

    level_m: float
    sigma_m: float
    notes: tuple[str, ...] = ()


class PhotoFolder:
    """Photos of one flight: an `Imagery`. Nothing is opened before it is asked; it can be sent to other processes.

    Parameters
    ----------
    folder
        With the photos (``.jpg``, ``.jpeg``), in it or in folders under it; see `photo_units`.
    dem
        Elevation model; None for flat ground.
    height_above_ground_m
        Taken for every photo instead of RelativeAltitude: over flat ground, or over the terrain below each photo.
    takeoff_elevation_m
        Height of the take-off in the datum of the elevation model. Without it, the photos are taken to have started
        from the middle height of the ground below them, with the spread of those heights as its error; where that
        spread is above `ABSOLUTE_SIGMA_M` and there is no RTK, AbsoluteAltitude less RelativeAltitude is taken.
    dem_sigma_m
        Standard error of the elevation model.
    plane
        Of the survey; None for one about the middle of the photos.
    labels
        What is looked for, see `gate.judge`.
    zone
        Of clocks that do not say theirs.
    """

    def __init__(
        self,
        folder: Path,
        *,
        dem: Path | None = None,
        height_above_ground_m: float | None = None,
        takeoff_elevation_m: float | None = None,
        dem_sigma_m: float = DEM_SIGMA_M,
        plane: LocalPlane | None = None,
        labels: Collection[DefectClass] = ALL_CLASSES,
        zone: tzinfo = WIB,
    ) -> None:
        if height_above_ground_m is not None and not height_above_ground_m > 0:
            raise BadInputError(
                f"must be above 0, not {height_above_ground_m}", field="height_above_ground_m"
            )
        self._folder = folder
        self._dem = dem
        self._height_m = height_above_ground_m
        self._takeoff_m = takeoff_elevation_m
        self._dem_sigma_m = dem_sigma_m
        self._given_plane = plane
        self._labels = frozenset(labels)
        self._zone = zone

    @functools.cached_property
    def plane(self) -> LocalPlane:
        """Return the plane of the survey; about the Greenwich meridian when no photo says where it is.

        Raises
        ------
        BadInputError
            The folder cannot be read or holds no photo.
        """
        if self._given_plane is not None:
            return self._given_plane
        lon = self._flight.degrees[:, 0]
        return LocalPlane(round(float(lon.min() + lon.max()) / 2, 6) if lon.size else 0.0)

    def units(self) -> tuple[Unit, ...]:
        """Return the photos by name.

        Raises
        ------
        BadInputError
            The folder cannot be read or holds no photo.
        """
        return self._units

    def check(self) -> None:
        """Look at the tags of all photos, before any is read.

        Raises
        ------
        BadInputError
            No photo can be put on a map although some can be read, or the elevation model cannot be used.
        """
        if len(self._flight.degrees):
            _ = self._terrain  # reads it
            return
        for unit in self._units:
            try:
                _, reasons = pose_of(read_tags(unit.file), height_above_ground_m=self._height_m)
            except BadInputError:
                continue
            why = "; ".join(" · ".join(text(PREFIX + key, lang) for lang in ("id", "en")) for key in reasons)
            raise BadInputError(
                f"tidak satu pun foto dapat diletakkan di peta · none of its {len(self._units)} photos can be put on "
                f"a map; {unit.name}: {why}",
                file=self._folder,
            )

    def open(self, unit: Unit) -> Opened:
        """Read a photo.

        Raises
        ------
        BadInputError
            It is no JPEG, truncated or damaged, or the elevation model cannot be used; names the file.
        """
        image, tags = read_picture(unit.file)
        time_us, doubt = taken_us(tags, zone=self._zone)
        ground, notes = self._ground(tags)
        gsd = None if ground is None else float(ground.gsd_mm(ground.camera.middle_px)[0])
        if gsd is not None and not math.isfinite(gsd):
            gsd, ground, notes = None, None, (*notes, "no_ground")
        quality = judge(
            image,
            gsd_mm=gsd,
            tilt_deg=None if ground is None else ground.pose.tilt_deg,
            motion_m=motion_m(tags),
            labels=self._labels,
            notes=(*notes, *tags.faults, *((doubt,) if doubt else ())),
        )
        return Opened(image, ground, time_us, gsd, quality)

    def _ground(self, tags: Tags) -> tuple[PhotoGround | None, tuple[str, ...]]:
        camera, of_camera = camera_of(tags)
        pose, of_pose = pose_of(tags, height_above_ground_m=self._height_m)
        notes = (*of_pose, *of_camera)
        if camera is None or pose is None:
            return None, notes
        if self._terrain is None:
            return PhotoGround(camera, pose, self.plane), notes
        level = self._level_below(pose) if self._height_m is not None else self._level
        if not math.isfinite(level.level_m):
            return None, (*notes, "terrain_void")
        sigma = math.hypot(pose.sigmas.height_m, level.sigma_m)
        pose = replace(pose, sigmas=replace(pose.sigmas, height_m=sigma))
        return PhotoGround(camera, pose, self.plane, self._terrain, level.level_m), (*notes, *level.notes)

    def _level_below(self, pose: Pose) -> _Level:
        assert self._terrain is not None  # noqa: S101 -- the caller looked
        foot = self.plane.forward(np.array([[pose.lon_deg, pose.lat_deg]]))
        return _Level(float(self._terrain.height_m(foot)[0]), 0.0)

    @functools.cached_property
    def _units(self) -> tuple[Unit, ...]:
        return photo_units(self._folder)

    @functools.cached_property
    def _flight(self) -> _Flight:
        """Read the tags of all photos; one that cannot be read says nothing here, and is named when it is opened."""
        rows: list[tuple[float, float, float, float]] = []
        for unit in self._units:
            try:
                pose, _ = pose_of(read_tags(unit.file), height_above_ground_m=self._height_m)
            except BadInputError:
                continue
            if pose is not None:
                known = pose.absolute_m is not None and not pose.rtk
                takeoff = (pose.absolute_m or 0.0) - pose.height_m if known else math.nan
                rows.append((pose.lon_deg, pose.lat_deg, pose.height_m, takeoff))
        table = np.array(rows, dtype=np.float64).reshape(-1, 4)
        return _Flight(table[:, :2], table[:, 2], table[:, 3])

    @functools.cached_property
    def _terrain(self) -> Terrain | None:
        if self._dem is None or not len(self._flight.degrees):
            return None
        degrees = self._flight.degrees
        margin_m = max(_MARGIN_M, _MARGIN_HEIGHTS * float(self._flight.heights_m.max()))
        north = margin_m / _DEGREE_M
        east = north / max(math.cos(math.radians(float(np.abs(degrees[:, 1]).max()))), 0.01)
        low, high = degrees.min(axis=0), degrees.max(axis=0)
        bounds = (low[0] - east, low[1] - north, high[0] + east, high[1] + north)
        return Terrain.read(self._dem, plane=self.plane, bounds_deg=bounds, sigma_m=self._dem_sigma_m)

    @functools.cached_property
    def _level(self) -> _Level:
        """Return the take-off level, see `takeoff_elevation_m`."""
        assert self._terrain is not None  # noqa: S101 -- the caller looked
        if self._takeoff_m is not None:
            return _Level(self._takeoff_m, 0.0)
        below = self._terrain.height_m(self.plane.forward(self._flight.degrees))
        below = below[np.isfinite(below)]
        spread = float(below.std()) if below.size else math.inf
        absolute = self._flight.takeoffs_m[np.isfinite(self._flight.takeoffs_m)]
        if spread > ABSOLUTE_SIGMA_M and absolute.size:
            return _Level(float(np.median(absolute)), ABSOLUTE_SIGMA_M, ("takeoff_absolute",))
        if not below.size:
            return _Level(math.nan, math.nan)
        return _Level(
            float(np.median(below)), spread, ("takeoff_assumed",) if spread > _TAKEOFF_NOTED_M else ()
        )

    @override
    def __getstate__(self) -> dict[str, object]:
        """Send what all photos say along, but not the heights of the ground."""
        return {key: value for key, value in self.__dict__.items() if key != "_terrain"}
