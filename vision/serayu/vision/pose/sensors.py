"""Sensor sizes of DJI cameras, for photos that give their focal length only in millimetres."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["SENSORS", "Sensor"]


@dataclass(frozen=True, slots=True)
class Sensor:
    """A sensor and its whole picture.

    Parameters
    ----------
    width_mm
        Width of the part that takes the whole picture.
    width_px, height_px
        The whole picture; a picture that keeps one of the two is cut from it at the same scale.
    source
        Where the width is from.
    """

    width_mm: float
    width_px: int
    height_px: int
    source: str

    @property
    def pitch_mm(self) -> float:
        """Return the width of a pixel."""
        return self.width_mm / self.width_px

    def takes(self, width: int, height: int) -> bool:
        """Return whether a picture of that size has the sensor's own pixels."""
        whole = width <= self.width_px and height <= self.height_px
        return whole and (width == self.width_px or height == self.height_px)


_OPENSFM = "sensor widths of mapillary/OpenSfM, sensor_data.json"
_DOMAIN = "domain reference §9"
_MEMORY = "own knowledge: maker's figure for the sensor format, no document at hand"

SENSORS: Mapping[str, Sensor] = MappingProxyType(
    {
        "FC220": Sensor(6.17, 4000, 3000, _OPENSFM),  # Mavic Pro
        "FC300C": Sensor(6.31, 4000, 3000, _OPENSFM),  # Phantom 3 Standard
        "FC300S": Sensor(6.16, 4000, 3000, _OPENSFM),  # Phantom 3 Advanced
        "FC300X": Sensor(6.2, 4000, 3000, _OPENSFM),  # Phantom 3 Professional
        "FC330": Sensor(6.25, 4000, 3000, _OPENSFM),  # Phantom 4
        "FC350": Sensor(6.17, 4000, 3000, _OPENSFM),  # Zenmuse X3
        "FC2103": Sensor(6.07, 4056, 3040, _OPENSFM),  # Mavic Air
        "FC6310": Sensor(13.2, 5472, 3648, _OPENSFM),  # Phantom 4 Pro
        "FC6310R": Sensor(13.2, 5472, 3648, _DOMAIN),  # Phantom 4 RTK, the same sensor
        "FC6310S": Sensor(13.2, 5472, 3648, _DOMAIN),  # Phantom 4 Pro V2, the same sensor
        "FC6510": Sensor(13.2, 5472, 3648, _MEMORY),  # Zenmuse X4S
        "L1D-20C": Sensor(13.2, 5472, 3648, _MEMORY),  # Mavic 2 Pro
        "L2D-20C": Sensor(17.3, 5280, 3956, _DOMAIN),  # Mavic 3
        "M3E": Sensor(17.3, 5280, 3956, _DOMAIN),  # Mavic 3 Enterprise, wide camera
        "ZENMUSEP1": Sensor(35.9, 8192, 5460, _MEMORY),  # Zenmuse P1
    }
)
"""By EXIF model in capitals. Models on whose width public tables disagree (FC3411, FC3582) are left out: they fall
back on the focal length in 35 mm terms."""
