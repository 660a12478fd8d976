"""Starting profiles by observed property, for a post that has no settings of its own yet.

[D] a document says so, [P] a proposal of this project, to be replaced by the post's own settings. Neither a
fast change nor a flat line makes a value FAIL below: floods rise fast, and dry-season rivers and dry soils
stand still for weeks.
"""

from collections.abc import Mapping
from types import MappingProxyType

from serayu.models.quality.profile import QcProfile

_MIN_S = 60.0
_HOUR_S = 3600.0
_DAY_S = 86400.0

_VEHICLE_COUNT = QcProfile(
    # Per stated interval. A lane carries at most about 1700 smp/h (PKJI 2023) [D], which is 6800 motorcycles
    # at 0.25; the fail span leaves room for four lanes counted for a whole hour [P].
    gross_fail=(0.0, 27_200.0),
    # A counter that repeats one number for half a day; at 0 it may be a closed road, so suspect only [P].
    flat_suspect_s=12 * _HOUR_S,
    flat_tolerance=0.5,
    gap_s=6 * _HOUR_S,
)


def _profiles() -> dict[str, QcProfile]:
    # Data reception: 6 h without a sample is the default of ioos_qc 3.0.0 [D].
    gap_s = 6 * _HOUR_S
    return {
        "stage": QcProfile(
            # m above the post's own datum, so sensor geometry must replace this [P]: the wide span only stops
            # what no post on the Serayu can read (Bendung Gerak Serayu read 19.85 m on 3 December 2020 [D]).
            gross_fail=(-5.0, 40.0),
            # 0.5 m in 10 min [P]. There is no fail rate: a rise that fast floods people, who must hear of it.
            rate_suspect_per_s=0.5 / (10 * _MIN_S),
            # 0.30 m off both neighbours [P]. FAIL only for a single sample 1.5 m off both of them, out and
            # back: above the largest crest in 27 hourly records of a cyclone's flood (1.35 m, Thawalama on
            # the Gin Ganga, 26 November 2025), below the smallest of their marked telemetry errors (1.78 m)
            # [P, from data under MIT (c) 2025 Nuwan I. Senaratna, Irrigation Department of Sri Lanka].
            spike_method="differential",
            spike_suspect=0.30,
            spike_fail=1.5,
            # 6 h within 2 mm [P]; no fail time, as a dry-season river may stand for weeks at 1 cm of
            # resolution.
            flat_suspect_s=6 * _HOUR_S,
            flat_tolerance=0.002,
            gap_s=gap_s,
        ),
        "discharge": QcProfile(
            # m3/s; computed from stage, whose tests say the rest. Slack below 0 is backwater at an ultrasonic
            # gauge [P].
            gross_fail=(-500.0, 20_000.0),
            gross_suspect=(0.0, 5_000.0),
            gap_s=gap_s,
        ),
        "rain": QcProfile(
            # mm since the previous reading. 0-200 mm/h is the gross span [P]; a reading after an outage holds
            # more than an hour, so above 200 is suspect, and only above 500 fails (world record of one hour:
            # 305 mm, Holt 1947, WMO archive [D]). Dry weather is flat: no flat line; jumps are rain: no
            # spike, no rate.
            gross_fail=(0.0, 500.0),
            gross_suspect=(0.0, 200.0),
            gap_s=gap_s,
        ),
        "count-mc": _VEHICLE_COUNT,
        "count-lv": _VEHICLE_COUNT.replace(gross_fail=(0.0, 6_800.0)),  # 4 x 1700 at equivalent 1
        "count-hv": _VEHICLE_COUNT.replace(gross_fail=(0.0, 6_800.0)),
        "speed": QcProfile(
            # km/h, mean of an interval; 100 km/h is the highest limit in Indonesia (motorway, PP 79/2013)
            # [D], a mean above 120 on a road of the regency is doubtful [P].
            gross_fail=(0.0, 200.0),
            gross_suspect=(0.0, 120.0),
            gap_s=gap_s,
        ),
        "occupancy": QcProfile(
            # Percent of time. 100 % for an hour is a parked vehicle or a stuck detector [P].
            gross_fail=(0.0, 100.0),
            gap_s=gap_s,
        ),
        "soil-moisture": QcProfile(
            # Percent of volume. No mineral soil holds more than its pores: above 70 % is doubtful [P].
            gross_fail=(0.0, 100.0),
            gross_suspect=(0.0, 70.0),
            # Rain wets a probe within minutes, so a rise has no rate limit; out-and-back is electrical [P].
            spike_method="differential",
            spike_suspect=5.0,
            spike_fail=25.0,
            # Dry soil stands still for days: suspect after a week [P].
            flat_suspect_s=7 * _DAY_S,
            flat_tolerance=0.05,
            gap_s=gap_s,
        ),
        "soil-temperature": QcProfile(
            # Cel. -55 and 125 bound the DS18B20 (data sheet) [D]; 5 to 60 holds every farmed soil of the
            # regency [P], and so marks 85.0, what the sensor returns at power-on before it has converted
            # (data sheet) [D].
            gross_fail=(-55.0, 84.9),
            gross_suspect=(5.0, 60.0),
            spike_method="differential",
            spike_suspect=2.0,
            spike_fail=10.0,
            flat_suspect_s=3 * _DAY_S,
            flat_tolerance=0.05,
            gap_s=gap_s,
        ),
        "ec": QcProfile(
            # S/m: sea water has about 5 (PSS-78: 4.29 at 35, 15 Cel) [D]; 2 is brine for a paddy field [P].
            gross_fail=(0.0, 10.0),
            gross_suspect=(0.0, 2.0),
            gap_s=gap_s,
        ),
        "ph": QcProfile(
            # The scale of the sensors; acid sulphate soils reach about 3, sodic soils about 10.5 [P].
            gross_fail=(0.0, 14.0),
            gross_suspect=(3.0, 10.5),
            gap_s=gap_s,
        ),
        "air-temperature": QcProfile(
            # Cel. -40 to 60 is what common sensors state [P]; 5 to 42 holds the settled regency [P].
            gross_fail=(-40.0, 60.0),
            gross_suspect=(5.0, 42.0),
            # 5 K in 10 min [P]: the front of a thunderstorm does less; never fail.
            rate_suspect_per_s=5.0 / (10 * _MIN_S),
            spike_method="differential",
            spike_suspect=3.0,
            spike_fail=10.0,
            flat_suspect_s=12 * _HOUR_S,
            flat_tolerance=0.05,
            gap_s=gap_s,
        ),
        "humidity": QcProfile(
            # %RH; capacitive sensors read some percent above 100 in fog. Nights at 100 are flat: no flat line
            # [P].
            gross_fail=(0.0, 105.0),
            gross_suspect=(5.0, 102.0),
            gap_s=gap_s,
        ),
        "battery": QcProfile(
            # V. From one lithium cell to a 24 V system on charge; below 3 nothing of ours runs [P].
            gross_fail=(0.0, 32.0),
            gross_suspect=(3.0, 30.0),
            gap_s=gap_s,
        ),
        "signal": QcProfile(
            # dBm. LTE reports RSRP from -140 to -44 (3GPP TS 36.133) [D]; LoRa receivers reach about -148
            # [P].
            gross_fail=(-160.0, 0.0),
            gross_suspect=(-140.0, -20.0),
            gap_s=gap_s,
        ),
    }


DEFAULT_PROFILES: Mapping[str, QcProfile] = MappingProxyType(_profiles())
"""Starting profile by slug of the observed property."""
