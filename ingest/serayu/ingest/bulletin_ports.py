"""What the writer of bulletins asks of the parts around it."""

from typing import Protocol

from serayu.models.siaga_levels import Siaga
from serayu.models.station import Station
from serayu.models.warning.bulletin import Bulletin, Impact
from serayu.models.warning.fallback import Evidence


class RulesClock(Protocol):
    """The clock of the rules; `serayu.ingest.clock.Settled` is one."""

    def now_us(self) -> int:
        """Return the present, microseconds UTC."""
        ...

    def not_before(self, at_us: int) -> int:
        """Return the present, or a later time that a reading has and that this clock has reached."""
        ...


class Posts(Evidence, Protocol):
    """What the writer asks of the stations' values."""

    def newest_us(self, station: Station, slug: str, start_us: int, end_us: int) -> int | None:
        """Return the time of the newest usable value in ``start_us < t <= end_us``; None without one."""
        ...


class Desk(Protocol):
    """Records bulletins with their deliveries; `serayu.models.delivery.desk.DeliveryDesk` does."""

    def issue(self, bulletin: Bulletin, *, rules_us: int, now_us: int) -> bool:
        """Record a bulletin once; False where its change was told already."""
        ...


class ImpactSource(Protocol):
    """Says what a level at a post reaches; `serayu.models.impact.ImpactIndex` does."""

    def assess(
        self,
        station_id: str,
        level: Siaga,
        *,
        at_us: int,
        crossing_us: int | None = None,
        level_m: float | None = None,
    ) -> Impact:
        """Return what a level at a post reaches."""
        ...
