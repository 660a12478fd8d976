"""The height of the ground: a level road, and a hillside rising from a foot line on one side of it."""

from dataclasses import dataclass

import numpy as np

from serayu.vision.flight.camera import Camera, Pose
from serayu.vision.flight.road import Road
from serayu.vision.flight.site import FloatArray, Site

__all__ = ["Terrain", "seen_ground"]

_STEPS = 8  # of the fixed-point iteration of a ray; each gains a digit near nadir on slopes below 35 degrees


@dataclass(frozen=True, slots=True)
class Terrain:
    """A smooth hill beside a level road.

    Parameters
    ----------
    road
        The road.
    base_m
        Height of the road in the elevation model's datum.
    side
        +1: the hill is on the left, -1: on the right.
    foot_m
        Offset of its foot from the line.
    slope_deg
        Of its side.
    centre_m, reach_m
        Station of its middle, and how far it reaches along the road each way.
    top_m
        Height over the road above which it is level again.
    """

    road: Road
    base_m: float
    side: int
    foot_m: float
    slope_deg: float
    centre_m: float
    reach_m: float
    top_m: float

    def height_m(self, site_m: FloatArray) -> FloatArray:
        """Return the height of the ground, m, at points in site metres, shape (n, 2)."""
        if self.slope_deg == 0:
            return np.full(len(site_m), self.base_m)
        station, offset = self.road.station_offset(
            site_m[:, 0].astype(np.float32), site_m[:, 1].astype(np.float32)
        )
        # Cosine ends along the road keep the hill's own sides smooth.
        share = np.clip(np.abs(station.astype(float) - self.centre_m) / self.reach_m, 0, 1)
        along = 0.5 * (1 + np.cos(np.pi * np.clip((share - 0.6) / 0.4, 0, 1)))
        up = np.clip(offset.astype(float) * self.side - self.foot_m, 0, None) * np.tan(
            np.radians(self.slope_deg)
        )
        height: FloatArray = self.base_m + np.minimum(up, self.top_m) * along
        return height


def seen_ground(px: FloatArray, *, camera: Camera, pose: Pose, terrain: Terrain, site: Site) -> FloatArray:
    """Return where the rays of pixels first meet the ground, site metres, shape (n, 2); NaN above the horizon."""
    rays = camera.rays(px, pose)
    with np.errstate(divide="ignore", invalid="ignore"):
        run = np.where(rays[:, 2:] < 0, rays[:, :2] / -rays[:, 2:], np.nan)
    directions = site.turned(run)
    eye = site.from_plane(np.array([[pose.east_m, pose.north_m]]))
    ground: FloatArray = eye + (pose.up_m - terrain.base_m) * directions
    if terrain.slope_deg == 0:
        return ground
    for _ in range(_STEPS):
        height = np.full(len(ground), terrain.base_m)
        known = np.isfinite(ground[:, 0])
        height[known] = terrain.height_m(ground[known])
        ground = eye + (pose.up_m - height)[:, None] * directions
    return ground
