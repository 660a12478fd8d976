"""From what a sensor measures to what is meant: ultrasonic level gauges and tipping buckets.

Pure Python without numpy: an agent on a small device imports it.
"""

import enum
import math

__all__ = [
    "TIP_SECONDS",
    "EchoStatus",
    "apparent_distance_m",
    "bucket_depth_mm",
    "correct_intensity_linear",
    "correct_intensity_power",
    "echo_distance_m",
    "echo_stage_m",
    "echo_status",
    "speed_of_sound_m_per_s",
    "undercatch_fraction",
]

_SECONDS_PER_HOUR = 3600.0
_ABSOLUTE_ZERO_CEL = -273.15

TIP_SECONDS = 0.45
"""Time that a tipping bucket takes to tip and in which rain is lost (Duchon, Fiebrich and Grimsley 2014,
doi:10.1175/JTECH-D-13-00169.1)."""


class EchoStatus(enum.StrEnum):
    """What an ultrasonic ping is worth."""

    OK = "ok"
    NO_ECHO = "no_echo"
    BLIND_ZONE = "blind_zone"
    OUT_OF_RANGE = "out_of_range"


def speed_of_sound_m_per_s(temperature_cel: float) -> float:
    """Speed of sound in air, ``331.3 + 0.606 T`` (linear form about 0 °C, usual for air temperatures).

    Parameters
    ----------
    temperature_cel
        Air temperature along the path, °C.

    Returns
    -------
    float
        m/s; 349.48 at 30 °C.

    Raises
    ------
    ValueError
        When the temperature is not a number or below absolute zero.
    """
    if not _ABSOLUTE_ZERO_CEL <= temperature_cel < math.inf:
        raise ValueError(f"temperature must be a number above absolute zero, got {temperature_cel} °C")
    return 331.3 + 0.606 * temperature_cel


def echo_distance_m(echo_s: float, *, temperature_cel: float) -> float:
    """Distance from an ultrasonic sensor to what reflects: half the way that sound goes in the echo's time.

    Parameters
    ----------
    echo_s
        Time from ping to echo, s, not negative.
    temperature_cel
        Air temperature, °C.

    Returns
    -------
    float
        Distance, m.

    Raises
    ------
    ValueError
        When the time is negative or missing.
    """
    if not 0 <= echo_s < math.inf:
        raise ValueError(f"echo time must be 0 s or more, got {echo_s}")
    return speed_of_sound_m_per_s(temperature_cel) * echo_s / 2.0


def echo_stage_m(echo_s: float, *, sensor_height_m: float, temperature_cel: float) -> float:
    """Stage under an ultrasonic sensor.

    Parameters
    ----------
    echo_s
        Time from ping to echo, s, not negative.
    sensor_height_m
        Height of the sensor's face above the post's datum, m.
    temperature_cel
        Air temperature, °C.

    Returns
    -------
    float
        Stage, m above the post's datum; negative when the water is below it.

    Raises
    ------
    ValueError
        When the time is negative or missing.
    """
    return sensor_height_m - echo_distance_m(echo_s, temperature_cel=temperature_cel)


def apparent_distance_m(distance_m: float, *, assumed_cel: float, actual_cel: float) -> float:
    """Distance that a sensor reports when it is wrong about the air temperature.

    Parameters
    ----------
    distance_m
        True distance, m.
    assumed_cel, actual_cel
        Temperature that the sensor reckons with, and the one there is, °C.

    Returns
    -------
    float
        Reported distance, m; 12 °C too cool makes 3 m about 6 cm too short.
    """
    return distance_m * speed_of_sound_m_per_s(assumed_cel) / speed_of_sound_m_per_s(actual_cel)


def echo_status(echo_s: float | None, *, temperature_cel: float, min_m: float, max_m: float) -> EchoStatus:
    """Judge one ping by the geometry of its sensor.

    Parameters
    ----------
    echo_s
        Time from ping to echo, s; None, 0, negative or NaN when no echo came.
    temperature_cel
        Air temperature, °C.
    min_m, max_m
        Range of the sensor, m; both ends belong to it. A JSN-SR04T is blind to 0.20-0.25 m and hears to 4.5-6
        m.

    Returns
    -------
    EchoStatus
        No echo, nearer than the blind zone's end, farther than the range, or ok.

    Raises
    ------
    ValueError
        When the range is empty.
    """
    if not 0 <= min_m < max_m:
        raise ValueError(f"expected 0 <= min_m < max_m, got {min_m} and {max_m}")
    if echo_s is None or not 0 < echo_s < math.inf:
        return EchoStatus.NO_ECHO
    distance_m = echo_distance_m(echo_s, temperature_cel=temperature_cel)
    if distance_m < min_m:
        return EchoStatus.BLIND_ZONE
    return EchoStatus.OUT_OF_RANGE if distance_m > max_m else EchoStatus.OK


def _check_bucket(mm_per_tip: float, tip_s: float) -> None:
    if not (mm_per_tip > 0 and tip_s >= 0):
        raise ValueError(f"expected mm_per_tip > 0 and tip_s >= 0, got {mm_per_tip} and {tip_s}")


def _check_rate(mm_per_h: float) -> None:
    if not 0 <= mm_per_h < math.inf:
        raise ValueError(f"intensity must be 0 mm/h or more, got {mm_per_h}")


def bucket_depth_mm(tips: float, *, mm_per_tip: float) -> float:
    """Rain depth of a number of tips.

    Parameters
    ----------
    tips
        Tips, 0 or more.
    mm_per_tip
        Size of the bucket, mm, above 0.

    Returns
    -------
    float
        Depth, mm.

    Raises
    ------
    ValueError
        When a parameter is out of range.
    """
    _check_bucket(mm_per_tip, 0.0)
    if not 0 <= tips < math.inf:
        raise ValueError(f"tips must be 0 or more, got {tips}")
    return tips * mm_per_tip


def undercatch_fraction(mm_per_h: float, *, mm_per_tip: float, tip_s: float = TIP_SECONDS) -> float:
    """Share of the rain that falls past the bucket while it tips.

    Parameters
    ----------
    mm_per_h
        Rain intensity, mm/h.
    mm_per_tip
        Size of the bucket, mm.
    tip_s
        Time of a tip in which rain is lost, s.

    Returns
    -------
    float
        ``rate · tip / (3600 · bucket)``, 0 in no rain (Duchon et al. 2014: 0.98 % at 19.9 mm/h, 8.78 % at
        175.2 mm/h for a bucket of 0.254 mm).

    Raises
    ------
    ValueError
        When a parameter is out of range.
    """
    _check_bucket(mm_per_tip, tip_s)
    _check_rate(mm_per_h)
    return mm_per_h * tip_s / (_SECONDS_PER_HOUR * mm_per_tip)


def correct_intensity_linear(
    measured_mm_per_h: float, *, mm_per_tip: float, tip_s: float = TIP_SECONDS
) -> float:
    """Rain intensity with the loss during tips put back, to first order.

    Parameters
    ----------
    measured_mm_per_h
        Intensity from tips, mm/h.
    mm_per_tip
        Size of the bucket, mm.
    tip_s
        Time of a tip in which rain is lost, s.

    Returns
    -------
    float
        ``I (1 + tip I / (3600 bucket))``, mm/h (Duchon et al. 2014).

    Raises
    ------
    ValueError
        When a parameter is out of range.
    """
    return measured_mm_per_h * (
        1.0 + undercatch_fraction(measured_mm_per_h, mm_per_tip=mm_per_tip, tip_s=tip_s)
    )


def correct_intensity_power(measured_mm_per_h: float, *, a: float, b: float) -> float:
    """Rain intensity by the calibration of one gauge in the laboratory.

    Parameters
    ----------
    measured_mm_per_h
        Intensity from tips, mm/h.
    a, b
        Coefficients fitted for this gauge, above 0.

    Returns
    -------
    float
        ``a I^b``, mm/h (form of the WMO laboratory intercomparison of rain intensity gauges, 2004-2005).

    Raises
    ------
    ValueError
        When a parameter is out of range.
    """
    _check_rate(measured_mm_per_h)
    if not (a > 0 and b > 0):
        raise ValueError(f"coefficients must be above 0, got a={a} and b={b}")
    return float(a * measured_mm_per_h**b)
