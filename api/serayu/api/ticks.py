"""Where the axes of a chart get their marks: round numbers, and round hours of the day in Banyumas."""

import math
from collections.abc import Iterator

from serayu.models.times import US_PER_DAY, US_PER_HOUR, US_PER_MINUTE, WIB, from_us

__all__ = ["time_ticks", "value_ticks"]

WIB_OFFSET_US = 7 * US_PER_HOUR
STEPS_US = (
    *(n * US_PER_MINUTE for n in (1, 2, 5, 10, 15, 30)),
    *(n * US_PER_HOUR for n in (1, 2, 3, 6, 12)),
    *(n * US_PER_DAY for n in (1, 2, 7, 14, 28)),
)
TIME_MARKS, VALUE_MARKS = 6, 5


def value_ticks(low: float, high: float) -> Iterator[tuple[float, str]]:
    """Yield round values from *low* to *high*, at most about six, with a decimal comma.

    Examples
    --------
    >>> [label for _, label in value_ticks(0.0, 1.0)]
    ['0,0', '0,2', '0,4', '0,6', '0,8', '1,0']
    """
    rough = (high - low) / VALUE_MARKS
    magnitude = 10.0 ** math.floor(math.log10(rough))
    step = next(magnitude * n for n in (1, 2, 5, 10) if magnitude * n >= rough * (1 - 1e-9))
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    for number in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1):
        yield number * step, f"{number * step:.{decimals}f}".replace(".", ",")


def time_ticks(start_us: int, end_us: int) -> Iterator[tuple[int, str, bool]]:
    """Yield (time, label in WIB, whether a day begins there), at most about six.

    Examples
    --------
    >>> [label for _, label, _ in time_ticks(0, 6 * US_PER_HOUR)]
    ['07.00', '08.00', '09.00', '10.00', '11.00', '12.00', '13.00']
    """
    span_us = end_us - start_us
    step = next((step for step in STEPS_US if span_us / step <= TIME_MARKS), STEPS_US[-1])
    t_us = start_us + (-(start_us + WIB_OFFSET_US) % step)
    while t_us <= end_us:
        local = from_us(t_us).astimezone(WIB)
        midnight = local.hour == local.minute == 0
        yield t_us, local.strftime("%d-%m" if midnight else "%H.%M"), midnight
        t_us += step
