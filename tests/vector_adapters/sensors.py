"""Vectors of level and rain sensors (``ultrasonic.*``, ``raingauge.*``)."""

from collections.abc import Mapping
from types import MappingProxyType

from serayu.models import sensing
from tests.vector_adapters.values import Adapter


def _speed_of_sound(*, t_c: float) -> Mapping[str, object]:
    return {"v": sensing.speed_of_sound_m_per_s(t_c)}


def _distance(*, echo_us: float, t_c: float) -> Mapping[str, object]:
    return {"distance_m": sensing.echo_distance_m(echo_us / 1e6, temperature_cel=t_c)}


def _water_level(*, sensor_height_above_datum_m: float, echo_us: float, t_c: float) -> Mapping[str, object]:
    stage = sensing.echo_stage_m(
        echo_us / 1e6, sensor_height_m=sensor_height_above_datum_m, temperature_cel=t_c
    )
    return {"level_m": stage}


def _temperature_error(*, distance_m: float, assumed_t: float, actual_t: float) -> Mapping[str, object]:
    apparent = sensing.apparent_distance_m(distance_m, assumed_cel=assumed_t, actual_cel=actual_t)
    return {"apparent_m": apparent, "error_m": apparent - distance_m}


def _validity(
    *, echo_us: float | None, t_c: float, min_m: float, max_m: float, model: str = ""
) -> Mapping[str, object]:
    del model  # the range says what the model can do
    echo_s = None if echo_us is None else echo_us / 1e6
    return {"status": sensing.echo_status(echo_s, temperature_cel=t_c, min_m=min_m, max_m=max_m).value}


def _bucket_depth(*, tips: float, mm_per_tip: float) -> Mapping[str, object]:
    return {"mm": sensing.bucket_depth_mm(tips, mm_per_tip=mm_per_tip)}


def _undercatch(
    *, rate_mm_h: float, mm_per_tip: float, t_under_s: float = sensing.TIP_SECONDS
) -> Mapping[str, object]:
    return {"fraction": sensing.undercatch_fraction(rate_mm_h, mm_per_tip=mm_per_tip, tip_s=t_under_s)}


def _correct_linear(
    *, measured_mm_h: float, mm_per_tip: float, t_under_s: float = sensing.TIP_SECONDS
) -> Mapping[str, object]:
    rate = sensing.correct_intensity_linear(measured_mm_h, mm_per_tip=mm_per_tip, tip_s=t_under_s)
    return {"true_mm_h": rate}


def _correct_power(*, measured_mm_h: float, a: float, b: float) -> Mapping[str, object]:
    return {"true_mm_h": sensing.correct_intensity_power(measured_mm_h, a=a, b=b)}


ADAPTERS: Mapping[str, Adapter] = MappingProxyType(
    {
        "ultrasonic.speed_of_sound": _speed_of_sound,
        "ultrasonic.distance": _distance,
        "ultrasonic.water_level": _water_level,
        "ultrasonic.temp_error": _temperature_error,
        "ultrasonic.validity": _validity,
        "raingauge.depth": _bucket_depth,
        "raingauge.undercatch_fraction": _undercatch,
        "raingauge.correct_linear": _correct_linear,
        "raingauge.correct_power": _correct_power,
    }
)
