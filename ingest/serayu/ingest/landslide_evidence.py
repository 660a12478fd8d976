"""What the hot store, published surveys and a file of findings say about slopes."""

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from serayu.models.errors import BadInputError
from serayu.models.landslide.assess import SOIL_FRESH_H, Evidence
from serayu.models.landslide.findings import PlacedFinding, read_findings
from serayu.models.landslide.rain import RainSeries, judge_storm
from serayu.models.landslide.series import MOST_MM, SoilSeries
from serayu.models.landslide.surveyed import SurveyBook, surveyed_scars
from serayu.models.landslide.units import PlacedUnit
from serayu.models.quality.flags import QualityFlag
from serayu.models.region import Region
from serayu.models.stores.hot import HotStore
from serayu.models.stores.trend import UNUSABLE, usable
from serayu.models.times import US_PER_DAY, US_PER_HOUR

RAIN_DAYS = 31
"""So far back rain is read: the antecedent index looks at 30 days before the newest value."""
_RAIN, _MOISTURE = "rain", "soil-moisture"
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LiveEvidence:
    """What is known at a moment.

    Parameters
    ----------
    evidence
        For the assessment.
    suspect_us
        Times of the suspect rain values of each gauge that has some, microseconds UTC: they count, but what rests on
        them is not verified.
    """

    evidence: Evidence
    suspect_us: Mapping[str, Sequence[int]]

    def storm(self, gauges: Iterable[str], *, at_us: int) -> bool:
        """Say whether the rain at one of some gauges is not over; so it counts where no gauge says anything."""
        series = [self.evidence.rain[name] for name in gauges if name in self.evidence.rain]
        ends = [one.until_us(at_us) for one in series]
        known = [(one, until_us) for one, until_us in zip(series, ends, strict=True) if until_us is not None]
        return not known or any(judge_storm(one, until_us=until_us) is not None for one, until_us in known)

    def rain_mm(self, gauge: str, begin_us: int, end_us: int) -> float:
        """Return the rain that is known of a stretch, mm; 0 of a gauge without values."""
        series = self.evidence.rain.get(gauge)
        return 0.0 if series is None else series.window(begin_us, end_us).mm

    def verified(self, gauge: str, begin_us: int, end_us: int) -> bool:
        """Say whether no suspect value is part of a gauge's rain of a stretch."""
        return not any(begin_us < t_us <= end_us for t_us in self.suspect_us.get(gauge, ()))


class EvidenceReader:
    """Reads what is known of the slopes of one region.

    Parameters
    ----------
    store, region
        Observations and stations.
    units
        Slope units; only their gauges and probes are read.
    surveys
        The register, whose published surveys may show slides.
    findings
        File of what people saw besides; it need not be there.
    """

    def __init__(
        self,
        store: HotStore,
        region: Region,
        units: Sequence[PlacedUnit],
        *,
        surveys: SurveyBook,
        findings: Path,
    ) -> None:
        self._store = store
        self._surveys = surveys
        self._region = region
        self._gauges = sorted({name for placed in units for name in placed.unit.rain})
        self._probes = sorted({placed.unit.soil_moisture for placed in units if placed.unit.soil_moisture})
        self._findings_file = findings
        self._findings: tuple[int, Sequence[PlacedFinding] | None] = (-1, None)

    def read(self, *, at_us: int) -> LiveEvidence:
        """Return what is known by a moment.

        Raises
        ------
        StoreUnavailableError
            A store could not be read.
        """
        rain: dict[str, RainSeries] = {}
        suspect: dict[str, Sequence[int]] = {}
        for gauge in self._gauges:
            read = self._rain(gauge, at_us)
            if read is not None:
                rain[gauge], doubtful = read
                if doubtful:
                    suspect[gauge] = doubtful
        soil = {probe: series for probe in self._probes if (series := self._soil(probe, at_us)) is not None}
        return LiveEvidence(Evidence(rain=rain, soil=soil, findings=self._seen(at_us)), suspect)

    def _rain(self, gauge: str, at_us: int) -> tuple[RainSeries, Sequence[int]] | None:
        """Return a gauge's rain, and when it was suspect; None without a value.

        A value stands for the time since the one before, as long as the station would not count as silent; one that
        failed is "not known" for as long.
        """
        station = self._region.stations.get(gauge)
        stream = None if station is None else station.datastream(_RAIN)
        if station is None or stream is None:
            return None
        rows = self._store.values(station.key(_RAIN), at_us - RAIN_DAYS * US_PER_DAY, at_us + 1)
        if not rows:
            return None
        table = np.array(
            rows, dtype=np.float64
        )  # exact: times are below 2**53 microseconds until the year 2255
        times, depths, flags = table[:, 0].astype(np.int64), table[:, 1], table[:, 2]
        unusable = np.isin(flags, [int(flag) for flag in UNUSABLE]) | (depths < 0) | (depths > MOST_MM)
        doubtful = (flags == int(QualityFlag.SUSPECT)) & (depths > 0)
        depths[unusable] = math.nan
        series = RainSeries(times, depths, limit_h=stream.stale_after_us / US_PER_HOUR)
        return series, times[doubtful].tolist()

    def _soil(self, probe: str, at_us: int) -> SoilSeries | None:
        station = self._region.stations.get(probe)
        if station is None or station.datastream(_MOISTURE) is None:
            return None
        since_us = at_us - SOIL_FRESH_H * US_PER_HOUR
        values = [
            one for one in self._store.window(station.key(_MOISTURE), since_us, at_us + 1) if usable(one)
        ]
        return SoilSeries(tuple(one.t_us for one in values), tuple(one.value for one in values))

    def _seen(self, at_us: int) -> Sequence[PlacedFinding] | None:
        """Return what was seen on slopes; None where nothing was and no file is there.

        A road that was surveyed without a slide is no word on the slopes beside it.
        """
        scars = surveyed_scars(self._surveys, self._region.code, at_us=at_us)
        told = self._read_findings()
        return None if told is None and not scars else (*scars, *(told or ()))

    def _read_findings(self) -> Sequence[PlacedFinding] | None:
        """Return the findings; None where there is no such file, or a wrong one, which is said once."""
        try:
            changed_ns = self._findings_file.stat().st_mtime_ns
        except OSError:
            return None
        if changed_ns != self._findings[0]:
            try:
                self._findings = (changed_ns, read_findings(self._findings_file))
            except BadInputError as error:
                _logger.error("drone findings are not used: %s", error)  # noqa: TRY400 -- the error says it all
                self._findings = (changed_ns, None)
        return self._findings[1]
