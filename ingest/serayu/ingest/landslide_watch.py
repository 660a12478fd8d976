"""The thread that watches slopes; whatever goes wrong in it, flood alerts go on."""

import logging
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from serayu.ingest.clock import IngestClock, Settled
from serayu.ingest.metrics import IngestMetrics
from serayu.models.delivery.desk import DeliveryDesk
from serayu.models.delivery.settings import load_delivery_settings
from serayu.models.errors import BadInputError, ConflictError, StoreError
from serayu.models.region import Region
from serayu.models.stores.hot import HotStore
from serayu.models.stores.register import Register, upgrade
from serayu.models.times import SystemClock
from serayu.models.warning.authority import load_authority
from serayu.models.warning.bulletin import BulletinStatus

if TYPE_CHECKING:
    from serayu.ingest.landslide_round import LandslideRound

SLOPES_FILE = "slopes.geojson"
"""Slope units of a region, in its folder; without it nothing is watched."""
FINDINGS_FILE = "findings.geojson"
"""What people saw on slopes, in the data folder, as `serayu landslide assess --findings` reads it."""
LOOK_EVERY_S = 1.0
RETRY_S = 5.0
_logger = logging.getLogger(__name__)


class LandslideWatch:
    """Assesses a region's slopes every few minutes of the ingest clock.

    Parameters
    ----------
    register_url
        Register; opened by the watch itself.
    data_dir
        Folder where a file of findings may lie.
    store, region, clock, metrics
        What it works with.
    queued
        Set when a bulletin has been recorded: the courier looks at once.
    every_us
        Time between two assessments by the ingest clock, microseconds.
    rehearsal
        Status of the bulletins where this is an exercise.
    """

    def __init__(  # noqa: PLR0913 -- the parts that it works with
        self,
        register_url: str,
        data_dir: Path,
        store: HotStore,
        region: Region,
        clock: IngestClock,
        metrics: IngestMetrics,
        *,
        queued: threading.Event,
        every_us: int,
        rehearsal: BulletinStatus | None = None,
    ) -> None:
        self._register_url = register_url
        self._data_dir = data_dir
        self._store = store
        self._region = region
        self._clock = Settled(clock)
        self._metrics = metrics
        self._queued = queued
        self._every_us = every_us
        self._rehearsal = rehearsal
        self._assessed_us: int | None = None

    def run(self, stopping: threading.Event) -> None:
        """Work until told to stop."""
        while not stopping.is_set():
            try:
                upgrade(self._register_url)
                with Register(self._register_url) as register:
                    self._follow(register, stopping)
            except StoreError as error:
                _logger.warning("the register is away, trying again: %s", error)
                stopping.wait(RETRY_S)
            except BadInputError as error:
                _logger.error("slopes are not watched: %s", error)  # noqa: TRY400 -- the error says it all
                self._metrics.landslides.labels("failed").inc()
                stopping.wait()

    def _follow(self, register: Register, stopping: threading.Event) -> None:
        round_ = self._make_round(register)
        while not stopping.is_set():
            at_us = self._clock.now_us()
            if self._due(at_us):
                self._assess(round_, at_us, stopping)
            stopping.wait(LOOK_EVERY_S)

    def _due(self, at_us: int) -> bool:
        """Say whether an assessment is due; the clock of a replay jumps back once, to its first reading."""
        return self._assessed_us is None or abs(at_us - self._assessed_us) >= self._every_us

    def _assess(self, round_: "LandslideRound", at_us: int, stopping: threading.Event) -> None:
        begun_s = time.perf_counter()
        try:
            report, said = round_.step(at_us=at_us)
        except (ConflictError, StoreError) as error:
            _logger.warning("slopes not assessed, trying again: %s", error)
            self._metrics.landslides.labels("retried").inc()
            stopping.wait(RETRY_S)
            return
        except Exception:  # a defect here must stop neither this watch nor alerts of floods
            _logger.exception("slopes not assessed")
            self._metrics.landslides.labels("failed").inc()
            self._assessed_us = at_us
            return
        self._assessed_us = at_us
        for bulletin in said:
            self._metrics.bulletins.labels(bulletin.msg_type.value).inc()
        if said:
            self._queued.set()
        self._metrics.landslides.labels("made").inc()
        self._metrics.landslide_seconds.observe(time.perf_counter() - begun_s)
        self._metrics.show_roads(road.level.value for road in report.ruas)

    def _make_round(self, register: Register) -> "LandslideRound":
        from serayu.ingest.landslide_round import LandslideRound  # noqa: PLC0415 -- numpy and shapely: not at start

        return LandslideRound(
            register,
            self._store,
            self._region,
            DeliveryDesk(register, load_delivery_settings(self._region.folder)),
            computer=SystemClock(),
            authority=load_authority(self._region.folder),
            data_dir=self._data_dir,
            rehearsal=self._rehearsal,
        )
