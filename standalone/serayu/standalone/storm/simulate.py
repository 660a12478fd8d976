"""A storm over a region: every value that its stations would measure, the same for the same seed."""

from collections.abc import Iterable, Mapping
from functools import cached_property

import numpy as np
import numpy.typing as npt

from serayu.models.errors import BadInputError, NotFoundError
from serayu.models.region import Region
from serayu.models.station import Station, StationKind
from serayu.models.times import US_PER_HOUR, US_PER_MINUTE, US_PER_S
from serayu.standalone.storm import device, soil
from serayu.standalone.storm.basins import BASINS_FILE, Basin, load_basins
from serayu.standalone.storm.flows import BasinFlow, simulate_flows
from serayu.standalone.storm.noise import noise_key, uniform_noise
from serayu.standalone.storm.rain_cell import load_rain
from serayu.standalone.storm.traffic import simulate_traffic

__all__ = ["STEP_US", "Storm"]

FloatArray = npt.NDArray[np.float64]

STEP_US = US_PER_MINUTE
_STEP_H = STEP_US / US_PER_HOUR
_WIB_H = 7  # hours east of UTC
_SOIL = frozenset({"soil-moisture", "soil-temperature", "ec"})
_TRAFFIC = frozenset({"count-mc", "count-lv", "count-hv", "speed", "occupancy"})
# Half width of the noise and resolution of the instruments, in the canonical unit (invented, of usual size).
# The noise of stage is what waves do.
_INSTRUMENTS: Mapping[str, tuple[float, float]] = {
    "stage": (0.005, 0.001),
    "discharge": (0.0, 0.1),
    "rain": (0.0, 0.2),
    "count-mc": (0.0, 1.0),
    "count-lv": (0.0, 1.0),
    "count-hv": (0.0, 1.0),
    "speed": (1.5, 0.1),
    "occupancy": (0.4, 0.1),
    "soil-moisture": (0.1, 0.01),
    "soil-temperature": (0.05, 0.01),
    "ec": (0.0004, 0.0001),
    "battery": (0.01, 0.001),
    "signal": (2.0, 1.0),
}


class Storm:
    """One storm.

    Parameters
    ----------
    region
        Region whose folder holds ``basins.toml`` and ``storm.toml``.
    start_us
        Start of the storm's time, microseconds UTC. The rain comes at fixed hours after it; the sun and the
        traffic follow the clock in WIB.
    hours
        Length, h. Before and after, a state keeps its first or last value and nothing is added to a sum.
    seed
        Moves the cells and draws the noise.

    Raises
    ------
    BadInputError
        A file is missing or wrong, or a river post has no basin with a rating.
    """

    def __init__(self, region: Region, *, start_us: int, hours: float = 24, seed: int = 1) -> None:
        if not hours > 0:
            raise ValueError(f"hours must be positive, got {hours}")
        self.region = region
        self.start_us = start_us
        self.seed = seed
        self.steps = round(hours * US_PER_HOUR / STEP_US)
        self.end_us = start_us + self.steps * STEP_US
        self.rain = load_rain(region.folder, seed=seed)
        self.basins: Mapping[str, Basin] = load_basins(region.folder)
        self._tables: dict[tuple[str, str], FloatArray] = {}
        self._check_posts()

    @cached_property
    def flows(self) -> Mapping[str, BasinFlow]:
        """Rain, runoff and flow of every basin, by id."""
        return simulate_flows(self.basins, self.rain, step_h=_STEP_H, steps=self.steps)

    @cached_property
    def hour_of_day(self) -> FloatArray:
        """Hour in WIB at the end of each step, shape (steps,)."""
        ends_us = self.start_us + STEP_US * (np.arange(self.steps, dtype=np.int64) + 1)
        return np.asarray((ends_us / US_PER_HOUR + _WIB_H) % 24.0)

    def value(self, station_id: str, slug: str, t_us: int) -> float:
        """Return what a datastream reads at a time; for a sum, the amount of its interval that ends then.

        Raises
        ------
        NotFoundError
            No such station, or it does not measure that.
        """
        return self.series(station_id, slug, [t_us])[0]

    def series(self, station_id: str, slug: str, times_us: Iterable[int]) -> list[float]:
        """Return what a datastream reads at times, as :meth:`value` does, many at once."""
        times = np.fromiter(times_us, dtype=np.int64)
        datastream = self._station(station_id, slug).datastream(slug)
        if datastream is not None and datastream.observed.accumulates:
            before = times - round(datastream.interval_s * US_PER_S)
            return _floats(self._rounded(slug, self._counted(station_id, slug, times, before)))
        half_width, _ = _INSTRUMENTS[slug]
        key = noise_key("reading", self.seed, station_id, slug)
        values = self._at(station_id, slug, times) + half_width * uniform_noise(key, times)
        low, high = (0.0, 100.0) if slug in ("occupancy", "soil-moisture") else (-np.inf, np.inf)
        return _floats(self._rounded(slug, np.clip(values, low, high)))

    def amount(self, station_id: str, slug: str, t0_us: int, t1_us: int) -> float:
        """Return the sum of an accumulating property over a span; sums of adjoining spans add up.

        Parameters
        ----------
        station_id, slug
            Datastream.
        t0_us, t1_us
            Span, microseconds UTC, in this order.

        Raises
        ------
        NotFoundError
            No such station, or it does not measure that.
        ValueError
            The property is a state, or the span ends before it starts.
        """
        datastream = self._station(station_id, slug).datastream(slug)
        if datastream is None or not datastream.observed.accumulates:
            raise ValueError(f"{slug} is a state: it has values, not amounts")
        if t1_us < t0_us:
            raise ValueError(f"span ends at {t1_us}, before its start {t0_us}")
        counted = self._counted(station_id, slug, np.array([t1_us]), np.array([t0_us]))
        return float(self._rounded(slug, counted)[0])

    def _counted(
        self, station_id: str, slug: str, ends_us: npt.NDArray[np.int64], starts_us: npt.NDArray[np.int64]
    ) -> FloatArray:
        """Return whole tips of the bucket, or whole vehicles, between two times."""
        _, unit = _INSTRUMENTS[slug]

        def tips(times: npt.NDArray[np.int64]) -> FloatArray:
            # A tip that is due but for the last bit of a sum has fallen.
            return np.floor(self._at(station_id, slug, times) / unit + 1e-9)

        return np.asarray((tips(ends_us) - tips(starts_us)) * unit)

    @staticmethod
    def _rounded(slug: str, values: FloatArray) -> FloatArray:
        _, resolution = _INSTRUMENTS[slug]
        decimals = max(0, round(-np.log10(resolution) + 0.4))
        return np.round(np.round(values / resolution) * resolution, decimals) + 0.0  # no minus zero

    def _at(self, station_id: str, slug: str, times_us: npt.NDArray[np.int64]) -> FloatArray:
        """Interpolate a table, whose first row is the start of the storm."""
        table = self._tables.get((station_id, slug))
        if table is None:
            table = self._tables[station_id, slug] = self._table(self._station(station_id, slug), slug)
        return np.interp((times_us - self.start_us) / STEP_US, np.arange(self.steps + 1), table)

    def _table(self, station: Station, slug: str) -> FloatArray:
        """Return values at step ends, shape (steps + 1,), sums counted from the start."""
        if slug in _SOIL:
            return self._soil(station, slug)
        if slug in _TRAFFIC:
            return self._traffic(station, slug)
        if slug in ("stage", "discharge"):
            return self._river(station, slug)
        rain_mm_per_h = self._rain_mm_per_h(station)
        if slug == "rain":
            return _summed(rain_mm_per_h * _STEP_H)
        if slug == "battery":
            return _state(device.battery(rain_mm_per_h, hour_of_day=self.hour_of_day))
        base_dbm = -78.0 + 10.0 * self._trait(station, "signal")
        return _state(device.signal(rain_mm_per_h, base_dbm=base_dbm))

    def _soil(self, station: Station, slug: str) -> FloatArray:
        rain_mm = self._rain_mm_per_h(station) * _STEP_H
        if slug == "soil-temperature":
            return _state(soil.temperature(rain_mm, hour_of_day=self.hour_of_day, step_h=_STEP_H))
        moisture = soil.moisture(rain_mm, hour_of_day=self.hour_of_day, step_h=_STEP_H)
        return _state(soil.conductivity(moisture) if slug == "ec" else moisture)

    def _river(self, station: Station, slug: str) -> FloatArray:
        basin, flow = self.basins.get(station.id), self.flows.get(station.id)
        if basin is None or flow is None or basin.rating is None:
            raise NotFoundError(f"station {station.id!r} has no basin with a rating")
        discharge = np.concatenate([[flow.baseflow_m3s], flow.discharge_m3s])
        return discharge if slug == "discharge" else basin.rating.curve().stage(discharge)

    def _traffic(self, station: Station, slug: str) -> FloatArray:
        size = 1.0 + 0.25 * self._trait(station, "traffic")
        rain_mm_per_h = self._rain_mm_per_h(station)
        traffic = simulate_traffic(rain_mm_per_h, hour_of_day=self.hour_of_day, size=size)
        if slug in traffic.per_h:
            ends_us = self.start_us + STEP_US * (np.arange(self.steps, dtype=np.int64) + 1)
            uneven = 1.0 + 0.4 * uniform_noise(noise_key("flow", self.seed, station.id, slug), ends_us)
            return _summed(traffic.per_h[slug] * uneven * _STEP_H)
        return _state(traffic.speed if slug == "speed" else traffic.occupancy)

    def _rain_mm_per_h(self, station: Station) -> FloatArray:
        middle_h = (np.arange(self.steps, dtype=np.float64) + 0.5) * _STEP_H
        return self.rain.intensity(station.lon, station.lat, middle_h)

    def _trait(self, station: Station, name: str) -> float:
        """Return a lasting difference between stations, -1 to 1."""
        return float(uniform_noise(noise_key("trait", self.seed, station.id, name), 0))

    def _station(self, station_id: str, slug: str) -> Station:
        station = self.region.station(station_id)
        if station.datastream(slug) is None:
            raise NotFoundError(f"station {station_id!r} does not measure {slug!r}")
        if slug not in _INSTRUMENTS:
            raise NotFoundError(f"the storm does not simulate {slug!r} (station {station_id!r})")
        return station

    def _check_posts(self) -> None:
        file = self.region.folder / BASINS_FILE
        for station in self.region.stations.values():
            if station.kind is not StationKind.RIVER:
                continue
            basin = self.basins.get(station.id)
            if basin is None or basin.rating is None:
                raise BadInputError("river post without a basin with a rating", file=file, field=station.id)


def _floats(values: FloatArray) -> list[float]:
    return [float(value) for value in values]


def _summed(per_step: FloatArray) -> FloatArray:
    return np.concatenate([[0.0], np.cumsum(per_step)])


def _state(ends: FloatArray) -> FloatArray:
    return np.concatenate([ends[:1], ends])
