"""Siaga levels, their limits and what is said when a level changes.

Siaga 4 is normal and Siaga 1 the worst, so a bare number is never shown: `Siaga` has names, and a rank that
grows with danger.
"""

import enum
import math

import msgspec

from serayu.models.times import US_PER_DAY, US_PER_HOUR, US_PER_MINUTE


class Siaga(enum.Enum):
    """Alert level of a river post, as used by the river authorities on Java."""

    NORMAL = "normal"
    WASPADA = "waspada"
    SIAGA = "siaga"
    AWAS = "awas"

    @property
    def rank(self) -> int:
        """0 for normal to 3 for the worst."""
        return _RANK[self]

    @property
    def number(self) -> int:
        """The official number: 4 normal, 3, 2, 1 the worst."""
        return 4 - self.rank

    @property
    def label(self) -> str:
        """Name with number for people, e.g. ``Siaga 2 (SIAGA)``."""
        return f"Siaga {self.number} ({self.value.upper()})"

    @classmethod
    def of_rank(cls, rank: int) -> "Siaga":
        """Return the level of a rank from 0 to 3."""
        return list(cls)[rank]


_RANK = {level: rank for rank, level in enumerate(Siaga)}


class Reason(enum.Enum):
    """Why a level changed."""

    THRESHOLD = "threshold"
    RATE_OF_RISE = "rate_of_rise"
    FORECAST = "forecast"


class ChangeKind(enum.Enum):
    """What a change does; confirm and verify keep the level and change what is known about it."""

    RAISE = "raise"
    LOWER = "lower"
    CONFIRM = "confirm"  # the limit foreseen by the rate of rise is now really exceeded
    VERIFY = "verify"  # a good value stands where a suspect one raised the alert
    RETRACT = (
        "retract"  # the value that brought it about failed its tests later: back to what stands without it
    )
    LAPSE = "lapse"  # nothing has renewed it: back to what is still known, and normal then means "not known"


class Thresholds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits of a post, metres above its datum; a level above the limit is in the class.

    Parameters
    ----------
    waspada_m, siaga_m, awas_m
        Limits of Siaga 3, 2 and 1, ascending.
    source, valid_from, approved_by
        Where the limits come from, since when, and which authority approved them ("nobody yet" is an answer).
    invented
        True where the project made them up for demonstration.
    inclusive
        True where the authority's table names the level *from* which a class begins ("10,40 m siaga"): then a level at
        the limit is in the class.
    """

    waspada_m: float
    siaga_m: float
    awas_m: float
    source: str
    valid_from: str
    approved_by: str
    invented: bool = False
    inclusive: bool = False

    def __post_init__(self) -> None:
        if not self.waspada_m < self.siaga_m < self.awas_m:
            raise ValueError(
                f"expected waspada_m < siaga_m < awas_m, not {self.waspada_m}, {self.siaga_m}, {self.awas_m}"
            )

    def limit_m(self, level: Siaga) -> float:
        """Return the limit above which *level* begins; minus infinity for normal."""
        return (float("-inf"), self.waspada_m, self.siaga_m, self.awas_m)[level.rank]

    @property
    def bounds_m(self) -> tuple[float, float, float]:
        """What a level must be above to be in each class: the limit, or the number just below an inclusive one."""
        limits = (self.waspada_m, self.siaga_m, self.awas_m)
        if not self.inclusive:
            return limits
        low, middle, high = (math.nextafter(limit, -math.inf) for limit in limits)
        return low, middle, high


class SiagaSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a post's machine behaves.

    Parameters
    ----------
    hysteresis_m
        Metres below a limit before it can be left [project proposal after domain reference section 4].
    fall_after_us
        How long the level must stay there.
    min_duration_us
        How long a limit must be exceeded before the level is raised; 0 raises at the first value.
    travel_time_us
        Time the flood needs to the places that this post warns; None switches the early step-up off.
    slope_window_us
        Window of the robust slope.
    rise_at_least_m
        How much the slope must make up over its window before it can step up early: less is the noise of a sensor and
        the waves of a river [project proposal].
    forecast_lapse_us
        How long a level that rests on a forecast stands without a new one [project proposal].
    lapse_after_us
        How long any level stands without a good value.
    """

    hysteresis_m: float = 0.10
    fall_after_us: int = 30 * US_PER_MINUTE
    min_duration_us: int = 0
    travel_time_us: int | None = None
    slope_window_us: int = 30 * US_PER_MINUTE
    rise_at_least_m: float = 0.05
    forecast_lapse_us: int = 3 * US_PER_HOUR
    lapse_after_us: int = US_PER_DAY

    def __post_init__(self) -> None:
        for name in (
            "hysteresis_m",
            "fall_after_us",
            "min_duration_us",
            "slope_window_us",
            "rise_at_least_m",
        ):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative, got {getattr(self, name)}")
        if self.travel_time_us is not None and self.travel_time_us <= 0:
            raise ValueError(f"travel_time_us must be positive, got {self.travel_time_us}")
        for name in ("forecast_lapse_us", "lapse_after_us"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")


class SiagaChange(msgspec.Struct, frozen=True):
    """One change at one post.

    Parameters
    ----------
    at_us
        Phenomenon time of the value that decided, which may lie before an earlier change's; of a retraction that of
        the newest value known by then; of a forecast when it was issued; of a lapse when it lapsed.
    before, after
        Levels; equal for confirm and verify, and for a retraction that takes back no more than one of these.
    kind, reason
        What happened and why; of a retraction what stands behind the level that is left; of a lapse what has not been
        renewed: forecasts, or (threshold) good values.
    level_m
        Water level, metres above the datum; of a retraction that of the newest value that stands; of a forecast and of
        a lapse the last one known, which may be old.
    slope_m_per_h
        Robust slope of the last half hour (``slope_window_us``), None with fewer than three values in it and for a
        value that came behind a newer one.
    verified
        False where the value was suspect: shown as "belum terverifikasi".
    """

    at_us: int
    before: Siaga
    after: Siaga
    kind: ChangeKind
    reason: Reason
    level_m: float
    slope_m_per_h: float | None
    verified: bool

    @property
    def unknown(self) -> bool:
        """Whether normal only means here that nothing is known any more."""
        return self.kind is ChangeKind.LAPSE and self.after is Siaga.NORMAL


def classify(level_m: float, thresholds: Thresholds) -> Siaga:
    """Return the level without memory: above a limit is in its class, exactly at it is not unless limits are inclusive.

    So the published table of Katulampa (2019): 80 cm is still Siaga 4.
    """
    return Siaga.of_rank(sum(level_m > bound for bound in thresholds.bounds_m))
