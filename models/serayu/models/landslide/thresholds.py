"""Rain that has set slopes moving: intensity-duration lines, and a line of three days against the fifteen before."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from serayu.models.landslide.levels import SlopeLevel

__all__ = ["ANTECEDENT", "ID_THRESHOLDS", "AntecedentThreshold", "IdThreshold"]


@dataclass(frozen=True, slots=True, kw_only=True)
class IdThreshold:
    """A line ``I = alpha D^beta``, I in mm/h and D in h.

    Parameters
    ----------
    name
        Key, also of its name in the texts.
    alpha, beta
        Coefficient (mm/h at 1 h) and exponent (negative).
    min_h, max_h
        Durations that it was made for, hours.
    level
        What it gives when rain is above it [project proposal, domain reference section 3].
    source
        Where it comes from.
    """

    name: str
    alpha: float
    beta: float
    min_h: float
    max_h: float
    level: SlopeLevel
    source: str

    def intensity_mm_per_h(self, duration_h: float) -> float:
        """Return the mean intensity on the line, mm/h.

        Raises
        ------
        ValueError
            The duration is not a positive number of hours.
        """
        if not 0 < duration_h < math.inf:
            raise ValueError(f"duration must be a positive number of hours, got {duration_h}")
        return float(self.alpha * duration_h**self.beta)

    def depth_mm(self, duration_h: float) -> float:
        """Return the depth on the line, mm, for a duration in hours."""
        return self.intensity_mm_per_h(duration_h) * duration_h

    def ratio(self, depth_mm: float, *, duration_h: float) -> float:
        """Return a depth over that on the line; above 1 the line is exceeded.

        Raises
        ------
        ValueError
            The depth is negative or not a number.
        """
        if not 0 <= depth_mm < math.inf:
            raise ValueError(f"rain must be a depth of 0 mm or more, got {depth_mm}")
        return depth_mm / self.depth_mm(duration_h)

    def holds_for(self, duration_h: float) -> bool:
        """Say whether the line was made for a duration."""
        return self.min_h <= duration_h <= self.max_h


@dataclass(frozen=True, slots=True, kw_only=True)
class AntecedentThreshold:
    """A line ``P3 = intercept - slope P15``: rain of three days against that of the fifteen days before them, mm.

    Wet ground needs less rain. Beyond the point where the line reaches zero it says nothing that rain could be
    compared with; there any rain counts [project proposal].
    """

    name: str
    intercept_mm: float
    slope: float
    level: SlopeLevel
    source: str

    def depth_mm(self, p15_mm: float) -> float:
        """Return the depth of three days on the line, mm, 0 or more.

        Raises
        ------
        ValueError
            The earlier rain is negative or not a number.
        """
        if not 0 <= p15_mm < math.inf:
            raise ValueError(f"rain must be a depth of 0 mm or more, got {p15_mm}")
        return max(self.intercept_mm - self.slope * p15_mm, 0.0)


ID_THRESHOLDS: Mapping[str, IdThreshold] = MappingProxyType(
    {
        line.name: line
        for line in (
            # The global minimum line: most rain above it moves nothing, so it only asks for attention.
            IdThreshold(
                name="guzzetti2008_global",
                alpha=2.20,
                beta=-0.44,
                min_h=0.1,
                max_h=1000.0,
                level=SlopeLevel.PANTAU,
                source="Guzzetti et al. 2008, Landslides 5, global line (from memory)",
            ),
            # 220 landslides in Indonesia; the abstract gives no range, and speaks of 1 to 30 days. Hours below a day
            # are an extrapolation of ours [project proposal].
            IdThreshold(
                name="muntohar_umy",
                alpha=9.65,
                beta=-0.505,
                min_h=1.0,
                max_h=720.0,
                level=SlopeLevel.WASPADA,
                source="https://repository.umy.ac.id/handle/123456789/18776",
            ),
            IdThreshold(
                name="caine1980",
                alpha=14.82,
                beta=-0.39,
                min_h=0.167,
                max_h=240.0,
                level=SlopeLevel.SIAGA,
                source="Caine 1980, Geografiska Annaler 62A (from memory)",
            ),
        )
    }
)
"""Lines by name; the lowest first."""

ANTECEDENT = AntecedentThreshold(
    name="pejawaran",
    intercept_mm=138.28,
    slope=0.2874,
    # Of the upper Serayu, next to the regency, and crossed several times in an ordinary wet season: waspada, not
    # siaga [project proposal].
    level=SlopeLevel.WASPADA,
    source="Agustina, Syawreta, Irawan, https://jdpb.bnpb.go.id/index.php/jurnal/article/view/164",
)
"""Pejawaran, Banjarnegara."""
