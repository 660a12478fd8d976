"""How long one round of the landslide watch takes: reading the rain, assessing every slope, keeping the report.

    python -m bench.landslide [--units 500] [--gauges 100] [--interval-s 300]

Rain is invented: wet a third of the time, so that the storm lasts all of the longest window and every window is judged.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from types import MappingProxyType

import numpy as np

from serayu.ingest.landslide_evidence import EvidenceReader
from serayu.ingest.landslide_round import LandslideRound
from serayu.ingest.landslide_watch import SLOPES_FILE
from serayu.models.delivery.desk import DeliveryDesk
from serayu.models.delivery.settings import DeliverySettings
from serayu.models.landslide.assess import assess
from serayu.models.landslide.units import read_units
from serayu.models.reading import Observation, SeriesKey
from serayu.models.region import Region, RegionInfo
from serayu.models.station import Datastream, Station, StationKind
from serayu.models.stores.hot import HotStore
from serayu.models.stores.register import Register, upgrade
from serayu.models.stores.register.database import sqlite_url
from serayu.models.times import US_PER_DAY, US_PER_S, SystemClock, parse_rfc3339
from serayu.models.warning.authority import nobody

AT_US = parse_rfc3339("2026-01-21T00:00:00Z")
DAYS = 31


def main() -> None:
    """Fill a store, run rounds, print seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=int, default=500)
    parser.add_argument("--gauges", type=int, default=100)
    parser.add_argument("--interval-s", type=int, default=300)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        region = _region(folder, gauges=asked.gauges, interval_s=asked.interval_s)
        _write_slopes(folder, units=asked.units, gauges=asked.gauges)
        url = sqlite_url(folder / "register.sqlite")
        upgrade(url)
        with HotStore(folder / "hot.sqlite") as store, Register(url) as register:
            _fill(store, region, interval_s=asked.interval_s)
            print(json.dumps({**vars(asked), **_measure(store, register, region)}, indent=2))


def _measure(store: HotStore, register: Register, region: Region) -> dict[str, float]:
    units = read_units(region.folder / SLOPES_FILE)
    begun_s = time.perf_counter()
    reader = EvidenceReader(store, region, units, surveys=register, findings=region.folder / "none")
    known = reader.read(at_us=AT_US)
    read_s = time.perf_counter()
    assess(units, known.evidence, at_us=AT_US)
    assessed_s = time.perf_counter()
    desk = DeliveryDesk(register, DeliverySettings())
    clock, authority = SystemClock(), nobody(region.code)
    rounds = LandslideRound(
        register, store, region, desk, computer=clock, authority=authority, data_dir=region.folder
    )
    _, said = rounds.step(at_us=AT_US)
    first_s = time.perf_counter()
    rounds.step(at_us=AT_US + 300 * US_PER_S)
    second_s = time.perf_counter()
    return {
        "read_s": round(read_s - begun_s, 3),
        "assess_s": round(assessed_s - read_s, 3),
        "first_round_s": round(first_s - assessed_s, 3),
        "bulletins": len(said),
        "next_round_s": round(second_s - first_s, 3),
    }


def _region(folder: Path, *, gauges: int, interval_s: int) -> Region:
    streams = (Datastream("rain", interval_s=interval_s),)
    stations = {
        f"g{n}": Station(f"g{n}", "33.02", f"Pos {n}", StationKind.RAIN, 109.0, -7.4, streams, "invented")
        for n in range(gauges)
    }
    return Region(RegionInfo("33.02", "Bench", "invented"), MappingProxyType(stations), folder)


def _write_slopes(folder: Path, *, units: int, gauges: int) -> None:
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [109.0 + n / 1000, -7.4]},
            "properties": {
                "id": f"u{n}",
                "name": f"Lereng {n}",
                "ruas": f"R{n // 4}",
                "slope_deg": 10 + n % 30,
                "yearly_rain_mm": 3000,
                "rain": [f"g{n % gauges}", f"g{(n + 1) % gauges}"],
                "invented": True,
            },
        }
        for n in range(units)
    ]
    (folder / SLOPES_FILE).write_text(json.dumps({"type": "FeatureCollection", "features": features}))


def _fill(store: HotStore, region: Region, *, interval_s: int) -> None:
    random = np.random.default_rng(1)
    step_us = interval_s * US_PER_S
    count = DAYS * US_PER_DAY // step_us
    for gauge in region.stations:
        wet = random.random(count) < 1 / 3
        depths = np.where(wet, random.exponential(3.0 * interval_s / 3600, count), 0.0)
        key = SeriesKey(region.code, gauge, "rain")
        store.write(
            [
                Observation(key, AT_US - (count - 1 - n) * step_us, float(mm))
                for n, mm in enumerate(depths.tolist())
            ]
        )


if __name__ == "__main__":
    main()
