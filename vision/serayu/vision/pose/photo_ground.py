"""Where the pixels of a photo lie: on flat ground, or on the terrain of an elevation model."""

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from serayu.models.plane import LocalPlane
from serayu.vision.detection import Points
from serayu.vision.ground import Values
from serayu.vision.pose.attitude import Pose
from serayu.vision.pose.camera import Camera
from serayu.vision.pose.terrain import Terrain

__all__ = ["PIXEL_SIGMA", "PhotoGround"]

PIXEL_SIGMA = 0.5
"""Standard error of a pixel that was pointed at, px [project proposal]."""

_STEPS_MAX = 4000  # of a ray over the terrain; the rest of a flatter ray is not looked at
_ROUNDS_MAX = 60  # of closing in on the ground; a handful does on ground without a break
_NEAR_M = 1e-5  # to the ground, closer than any height is known
_MARGIN_M = 1.0  # over the highest and under the lowest ground, so that rounding loses no ray
_TURN_STEP = 1e-4  # radians
_SHARE_STEP = 1e-4

Rays = npt.NDArray[np.float64]


@dataclass(frozen=True)
class PhotoGround:
    """The ground of one photo: a `GroundMap`.

    Parameters
    ----------
    camera, pose
        Of the photo.
    plane
        Of the survey.
    terrain
        The elevation model; None for flat ground at `level_m`.
    level_m
        Height of the reference ground of `pose.height_m`, in the datum of the elevation model; any number without one.

    Notes
    -----
    Rays run straight over a flat earth: 8 cm of its curve are left out at 1 km. The plane's parallels are true; the
    small angle between its north and true north away from its middle meridian is taken into account.
    """

    camera: Camera
    pose: Pose
    plane: LocalPlane
    terrain: Terrain | None = None
    level_m: float = 0.0

    def ground_m(self, px: Points) -> Points:
        """Return metres in the plane of pixels, shape (n, 2).

        NaN above the horizon, where the lens has no ray, and where the elevation model is void or ends before the ray
        meets the ground.
        """
        return self._points(px)[:, :2]

    def pixels(self, ground_m: Points) -> Points:
        """Return pixels of metres in the plane, also outside the picture; NaN behind the camera and over voids.

        Whether something stands between is not looked at.
        """
        ground = np.asarray(ground_m, dtype=np.float64)
        up = self._level(ground) - self._camera[2]
        away = np.column_stack((self._unturned(ground - self._camera[:2]), up))
        right, down, depth = (away @ self.pose.axes.T).T
        with np.errstate(invalid="ignore"):
            ahead = np.where(depth > 0, depth, np.nan)
        return self.camera.pixels(np.column_stack((right / ahead, down / ahead)))

    def gsd_mm(self, px: Points) -> Values:
        """Return the ground sampling distance, mm per px: the root of the ground area of a pixel."""
        across, down = (self._step(px, np.array(way)) for way in ((0.5, 0.0), (0.0, 0.5)))
        area = np.abs(across[:, 0] * down[:, 1] - across[:, 1] * down[:, 0])
        return 1000 * np.sqrt(area)

    def sigma_m(self, px: Points) -> Values:
        """Return the standard error of the horizontal position, m: the root mean square distance.

        By the derivatives for position, height, heading, level, focal length and pixel, taken as independent,
        on the ground's tangent plane at each point.
        """
        meet = self._points(px)
        slope = self._slope(meet)
        sigmas = self.pose.sigmas
        here = self._on_slope(px, meet, slope)
        height = math.hypot(sigmas.height_m, self.terrain.sigma_m if self.terrain else 0.0)
        steps: tuple[tuple[dict[str, Any], float], ...] = (
            ({"rise": 0.01}, height / 0.01),
            ({"turn": (0.0, 0.0, _TURN_STEP)}, math.radians(sigmas.yaw_deg) / _TURN_STEP),
            ({"turn": (_TURN_STEP, 0.0, 0.0)}, math.radians(sigmas.tilt_deg) / _TURN_STEP),
            ({"turn": (0.0, _TURN_STEP, 0.0)}, math.radians(sigmas.tilt_deg) / _TURN_STEP),
            ({"stretch": 1 + _SHARE_STEP}, self.camera.focal_sigma / _SHARE_STEP),
        )
        # moving over a slope does not move the point as far as the camera: the tangent plane stays where it is
        total = self._moved_square(px, meet, slope, sigmas.horizontal_m)
        for change, times in steps:
            moved = (self._on_slope(px, meet, slope, **change) - here) * times
            total += (moved**2).sum(axis=1)
        pixel = math.hypot(PIXEL_SIGMA, self.camera.doubt_px)
        for way in (np.array([0.5, 0.0]), np.array([0.0, 0.5])):
            moved = self._on_slope(px + way, meet, slope) - self._on_slope(px - way, meet, slope)
            total += ((moved * pixel) ** 2).sum(axis=1)
        return np.sqrt(total)

    def scale_sigma(self, px: Points) -> Values:
        """Return the standard error of lengths at pixels as a share of them: that of height over ground and focal."""
        drop = self._camera[2] - self._points(px)[:, 2]
        height = math.hypot(self.pose.sigmas.height_m, self.terrain.sigma_m if self.terrain else 0.0)
        share: Values = np.hypot(height / drop, self.camera.focal_sigma)
        return share

    @functools.cached_property
    def _camera(self) -> npt.NDArray[np.float64]:
        """Return where the camera is: x and y in the plane, and its height."""
        place = self.plane.forward(np.array([[self.pose.lon_deg, self.pose.lat_deg]]))[0]
        return np.array([*place, self.level_m + self.pose.height_m])

    @property
    def _shear(self) -> float:
        """Return how far the plane's x grows per metre to true north at the camera.

        ``x = dlon N cos(lat)`` and ``d(N cos(lat)) = -M sin(lat) dlat``, where M dlat is the way north
        [Snyder 1987, eq. 4-18 and 4-20].
        """
        return -math.radians(self.pose.lon_deg - self.plane.lon0) * math.sin(math.radians(self.pose.lat_deg))

    def _turned(self, rays: Rays) -> Rays:
        """Return rays (east, north, up) in the plane's axes."""
        return np.column_stack((rays[:, 0] + self._shear * rays[:, 1], rays[:, 1], rays[:, 2]))

    def _unturned(self, away: Points) -> Points:
        return np.column_stack((away[:, 0] - self._shear * away[:, 1], away[:, 1]))

    def _rays(
        self, px: Points, *, turn: tuple[float, float, float] = (0.0, 0.0, 0.0), stretch: float = 1.0
    ) -> Rays:
        """Return rays in the plane's axes that fall by 1 m, shape (n, 3); NaN where they do not fall.

        `turn` is a small rotation about east, north and up, radians: an error of level and heading. Roll and yaw
        would be one and the same at the nadir.
        """
        tangents = self.camera.tangents(np.asarray(px, dtype=np.float64)) / stretch
        rays = np.column_stack((tangents, np.ones(len(tangents)))) @ self.pose.axes
        if any(turn):
            rays = rays + np.cross(np.array(turn), rays)
        with np.errstate(invalid="ignore"):
            falls = np.where(rays[:, 2] < 0, -rays[:, 2], np.nan)
        return self._turned(rays / falls[:, None])

    def _points(self, px: Points) -> Rays:
        """Return where rays meet the ground: x, y, height; shape (n, 3)."""
        rays = self._rays(px)
        camera = self._camera
        drop = (
            np.full(len(rays), self.pose.height_m)
            if self.terrain is None
            else self._drops(rays, self.terrain)
        )
        return camera + rays * drop[:, None]

    def _drops(self, rays: Rays, terrain: Terrain) -> Values:
        """Return how far each ray falls until it meets the terrain, m; NaN where it meets a void or the end first.

        Steps of a cell find the first stretch that ends below the ground; `_crossing` finds the place in it.
        """
        found = np.full(len(rays), np.nan)
        # twice: the second time between the lowest and the highest ground that these rays can meet
        start, last = self._span(terrain.range_m)
        start, last = self._span(terrain.range_near(self._reached(rays, (start, last))))
        if not last > 0:
            return found
        reach = np.hypot(rays[:, 0], rays[:, 1])
        first = np.full(len(rays), start)
        steps = np.clip(np.nan_to_num(np.ceil((last - first) * reach / terrain.cell_m)), 1, _STEPS_MAX)
        stride = np.minimum((last - first) / steps, terrain.cell_m / np.maximum(reach, 1e-9))
        active = np.flatnonzero(np.isfinite(reach))
        above = first.copy()
        # a ray that starts in a void says nothing, one that starts below the ground no more
        active = active[self._over(rays, active, above[active], terrain) >= 0]
        below = above.copy()
        hit = np.zeros(len(rays), dtype=bool)
        for _ in range(int(steps.max(initial=0)) + 1):
            if not active.size:
                break
            below[active] = np.minimum(above[active] + stride[active], last)
            over = self._over(rays, active, below[active], terrain)
            hit[active[over <= 0]] = True
            goes_on = (over > 0) & (below[active] < last)
            active = active[goes_on]
            above[active] = below[active]
        reached = np.flatnonzero(hit)
        found[reached] = self._crossing(rays, reached, (above[reached], below[reached]), terrain)
        return found

    def _span(self, heights_m: tuple[float, float]) -> tuple[float, float]:
        """Return the falls from which and to which rays are looked at, m; NaN where no height is known."""
        low, high = heights_m
        top = self._camera[2]
        return max(top - high - _MARGIN_M, 0.0), top - low + _MARGIN_M

    def _reached(self, rays: Rays, span: tuple[float, float]) -> Points:
        """Return where rays are at both ends of a span of falls, shape (2 n, 2); some may be NaN."""
        return np.concatenate([self._camera[:2] + rays[:, :2] * drop for drop in span])

    def _crossing(
        self, rays: Rays, which: npt.NDArray[np.intp], span: tuple[Values, Values], terrain: Terrain
    ) -> Values:
        """Return where rays go under the ground, between a fall above it and one below it.

        False position with the Illinois change: the end that stays counts half [Dowell and Jarratt 1971, BIT 11].
        """
        above, below = span
        high, low = self._over(rays, which, above, terrain), self._over(rays, which, below, terrain)
        place = below.copy()
        active = np.flatnonzero(low < 0)
        for _ in range(_ROUNDS_MAX):
            if not active.size:
                break
            share = high[active] / (high[active] - low[active])
            place[active] = above[active] + share * (below[active] - above[active])
            over = self._over(rays, which[active], place[active], terrain)
            higher = over > 0
            up, down = active[higher], active[~higher]
            above[up], high[up], low[up] = place[up], over[higher], low[up] / 2
            below[down], low[down], high[down] = place[down], over[~higher], high[down] / 2
            place[active[np.isnan(over)]] = np.nan  # a void lies in the stretch
            active = active[np.abs(over) > _NEAR_M]
        return place

    def _over(self, rays: Rays, which: npt.NDArray[np.intp], drops: Values, terrain: Terrain) -> Values:
        """Return how far some rays are over the ground, each after so much of a fall; shapes (m,)."""
        at = self._camera + rays[which] * drops[:, None]
        over: Values = at[:, 2] - terrain.height_m(at[:, :2])
        return over

    def _level(self, ground_m: Points) -> Values:
        if self.terrain is None:
            return np.full(len(ground_m), self.level_m)
        return self.terrain.height_m(ground_m)

    def _slope(self, meet: Rays) -> Points:
        if self.terrain is None:
            return np.zeros((len(meet), 2))
        return np.nan_to_num(self.terrain.slope(meet[:, :2]))  # at the rim: level

    def _on_slope(
        self,
        px: Points,
        meet: Rays,
        slope: Points,
        *,
        rise: float = 0.0,
        **change: Any,  # noqa: ANN401 -- passed on
    ) -> Points:
        """Return where rays meet the tangent planes at points, shape (n, 2)."""
        rays = self._rays(px, **change)
        camera = self._camera + np.array([0.0, 0.0, rise])
        level = meet[:, 2] + ((camera[:2] - meet[:, :2]) * slope).sum(
            axis=1
        )  # of each plane under the camera
        drop = (camera[2] - level) / (1 + (rays[:, :2] * slope).sum(axis=1))
        met: Points = camera[:2] + rays[:, :2] * drop[:, None]
        return met

    def _moved_square(self, px: Points, meet: Rays, slope: Points, sigma_m: float) -> Values:
        """Return the mean square move of points when the camera moves by `sigma_m`, half of it each way."""
        rays = self._rays(px)[:, :2]
        share = 1 / (1 + (rays * slope).sum(axis=1))
        total = np.zeros(len(meet))
        for axis, way in enumerate(np.eye(2)):
            moved = way - rays * (slope[:, axis] * share)[:, None]
            total += (moved**2).sum(axis=1) * sigma_m**2 / 2
        return total

    def _step(self, px: Points, way: npt.NDArray[np.float64]) -> Points:
        """Return the ground's way over one pixel, on the tangent plane."""
        meet = self._points(px)
        slope = self._slope(meet)
        return self._on_slope(px + way, meet, slope) - self._on_slope(px - way, meet, slope)
