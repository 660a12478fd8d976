"""The frame that a flight is drawn in: metres from the start of the flown road, x along its chord and y to the left."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from serayu.models.plane import LocalPlane

__all__ = ["FloatArray", "Site"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Site:
    """Metres near the road; turned so that the road runs along x, which keeps rasters of it slim.

    Parameters
    ----------
    plane
        The plane that the metres are true in.
    origin_m
        The site's origin in the plane: east, north.
    east_of_x, north_of_x
        Unit vector of the x axis in the plane.
    """

    plane: LocalPlane
    origin_m: tuple[float, float]
    east_of_x: float
    north_of_x: float

    def from_plane(self, plane_m: FloatArray) -> FloatArray:
        """Return site metres, shape (n, 2), of plane metres."""
        return self.turned(plane_m - np.asarray(self.origin_m))

    def to_plane(self, site_m: FloatArray) -> FloatArray:
        """Return plane metres, shape (n, 2), of site metres."""
        plane_m: FloatArray = self.unturned(site_m) + np.asarray(self.origin_m)
        return plane_m

    def turned(self, east_north: FloatArray) -> FloatArray:
        """Return vectors in the site's axes, shape (n, 2), of vectors east and north."""
        east, north = east_north[..., 0], east_north[..., 1]
        return np.stack(
            (
                east * self.east_of_x + north * self.north_of_x,
                north * self.east_of_x - east * self.north_of_x,
            ),
            axis=-1,
        )

    def unturned(self, xy: FloatArray) -> FloatArray:
        """Return vectors east and north, shape (n, 2), of vectors in the site's axes."""
        x, y = xy[..., 0], xy[..., 1]
        return np.stack(
            (
                x * self.east_of_x - y * self.north_of_x,
                x * self.north_of_x + y * self.east_of_x,
            ),
            axis=-1,
        )

    def from_degrees(self, lon_lat: FloatArray) -> FloatArray:
        """Return site metres, shape (n, 2), of degrees (longitude, latitude)."""
        return self.from_plane(self.plane.forward(lon_lat))

    def to_degrees(self, site_m: FloatArray) -> FloatArray:
        """Return degrees (longitude, latitude), shape (n, 2), of site metres."""
        return self.plane.inverse(self.to_plane(site_m))

    def figure_to_degrees(self, figure: BaseGeometry) -> BaseGeometry:
        """Return a figure in degrees of a figure in site metres."""
        turned: BaseGeometry = shapely.transform(figure, self.to_degrees)
        return turned
