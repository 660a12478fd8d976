"""The live rules over arrivals: the parts of ingest as they are, over stores of their own, on the replay's clock."""

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from serayu.ingest.bulletins import BulletinWriter
from serayu.ingest.clock import Settled
from serayu.ingest.decode import FAR_FUTURE_US, Decoder
from serayu.ingest.evaluator import AlertEvaluator
from serayu.ingest.evidence import StoredEvidence
from serayu.ingest.forecasting import Forecasting
from serayu.ingest.metrics import IngestMetrics
from serayu.ingest.pipeline import Pipeline
from serayu.ingest.sensor_watch import SensorWatch
from serayu.models.alert import AlertChange
from serayu.models.delivery.desk import DeliveryDesk
from serayu.models.delivery.settings import load_delivery_settings
from serayu.models.region import Region
from serayu.models.stores.hot import HotStore
from serayu.models.stores.register import Register, upgrade
from serayu.models.stores.register.bulletins import NumberedBulletin
from serayu.models.stores.register.database import sqlite_url
from serayu.models.times import US_PER_DAY, US_PER_MINUTE
from serayu.models.warning.authority import load_authority
from serayu.models.warning.bulletin import Bulletin, BulletinStatus
from serayu.models.warning.fallback import stand_in
from serayu.models.warning.outlook import ForecastSource, TunedRules
from serayu.standalone.replay.arrivals import Batch
from serayu.standalone.replay.clock import DrivenClock, Mode

LOOK_EVERY_US = 10 * US_PER_MINUTE
"""How often active alerts are looked after between two arrivals; live every half second [project proposal]."""
_PAGE = 1000
_REPLAY_FAR_FUTURE_US = 30 * US_PER_DAY


class Counts(msgspec.Struct):
    """What became of the values."""

    stored: int = 0
    duplicates: int = 0
    rejected: int = 0
    late: int = 0


class Replay:
    """Runs arrivals through quality control, Siaga machines, stand-ins, lapse and bulletins.

    Nothing is delivered: its register is new and knows no recipients. Bulletins are exercises.

    Parameters
    ----------
    region
        Whose stations, limits and settings; also of its delivery and of who signs.
    scratch
        Empty folder for its stores.
    mode
        Which clock the rules run on.
    forecasts
        Makes what forecasts the posts, from the replay's hot store; None where the live system has none either.
    """

    def __init__(
        self,
        region: Region,
        scratch: Path,
        *,
        mode: Mode = "system",
        forecasts: Callable[[HotStore], ForecastSource | None] = lambda _: None,
    ) -> None:
        self._region = region
        self._resources = ExitStack()
        self.store = self._resources.enter_context(HotStore(scratch / "hot.sqlite"))
        url = sqlite_url(scratch / "register.sqlite")
        upgrade(url)
        self.register = self._resources.enter_context(Register(url))
        self.counts = Counts()
        self._mode = mode
        self._clock = DrivenClock(mode)
        self._posts = StoredEvidence(self.store)
        far_us = _REPLAY_FAR_FUTURE_US if mode == "replay" else FAR_FUTURE_US
        decoder = Decoder(region, far_future_us=far_us)
        self._pipeline = Pipeline(self.store, region, self._clock, decoder=decoder)
        self._evaluator = AlertEvaluator(self.store, self.register, region, clock=self._clock)
        self._sensors = SensorWatch(self.store, region, IngestMetrics())
        source = forecasts(self.store)
        self._rules = source if isinstance(source, TunedRules) else None
        self._forecasting = Forecasting(source, self.store, region, IngestMetrics())
        self._writer = BulletinWriter(
            self.register,
            self.store,
            region,
            DeliveryDesk(self.register, load_delivery_settings(region.folder)),
            posts=self._posts,
            rules=Settled(self._clock),
            computer=self._clock,
            rehearsal=BulletinStatus.EXERCISE,
            authority=load_authority(region.folder),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._resources.close()

    def run(self, batches: Iterable[Batch], *, until_us: int | None = None) -> None:
        """Let batches arrive in their order; then let time go on to *until_us*.

        On the system's clock time goes on between arrivals too, and so lapses what nothing renews; that of a replay
        stands still without values, in life as here.
        """
        for batch in batches:
            self._wait(batch.received_us)
            self._clock.arrive(batch.received_us)
            self._look_at_sensors()
            outcome = self._pipeline.process(batch.messages)
            self.counts.stored += outcome.stored
            self.counts.duplicates += outcome.duplicates
            self.counts.rejected += outcome.rejected + outcome.undecodable
            self.counts.late += outcome.late
            self._look()
        if until_us is not None:
            self._wait(until_us)
            self._clock.arrive(until_us)
            self._look()

    def bulletins(self) -> list[Bulletin]:
        """Return what was said, in order."""
        found: list[NumberedBulletin] = []
        while page := self.register.bulletins_after(found[-1].number if found else 0, limit=_PAGE):
            found += page
        return [one.bulletin for one in found]

    def changes(self) -> list[AlertChange]:
        """Return what changed, in order."""
        found: list[AlertChange] = []
        while page := self.register.changes_after(found[-1].id if found else 0, limit=_PAGE):
            found += page
        return found

    def _wait(self, until_us: int) -> None:
        """Look after active alerts until the next arrival."""
        if self._mode == "replay":
            return
        while self._evaluator.levels() and self._clock.now_us() + LOOK_EVERY_US < until_us:
            self._clock.arrive(self._clock.now_us() + LOOK_EVERY_US)
            self._look_at_sensors()
            self._look()

    def _look_at_sensors(self) -> None:
        self._evaluator.heed(self._sensors.step(self._clock.settled_us()))

    def _look(self) -> None:
        """Do once what ingest's alert loop does again and again, in its order."""
        while self._evaluator.position < self.store.last_change_id():
            if self._evaluator.step():
                self._writer.step()
        outlooks = self._forecasting.step()
        if outlooks:
            self.register.record_forecasts(outlooks)
            self._evaluator.foresee(outlooks, self._rules)
        now_us = self._clock.settled_us()
        words = {
            name: stand_in(self._region, self._region.stations[name], self._posts, now_us=now_us)
            for name in self._evaluator.levels()
        }
        sustained = {name for name, word in words.items() if word is not None and word.supports}
        changes = self._evaluator.lapse(now_us, sustained=sustained)
        if words or changes or outlooks:
            self._writer.step()
