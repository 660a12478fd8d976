"""A hydrograph as SVG: the line of a datastream, its limits, its gaps, and which values are not to be trusted.

Pure: points in, text out. Colours are attributes with classes beside them, so that the file reads alone and a page
may restyle it for the night.
"""

import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import NamedTuple

from serayu.api.ticks import time_ticks, value_ticks
from serayu.models.texts import decimal
from serayu.models.times import US_PER_HOUR, wib

__all__ = ["Chart", "Limit", "Point", "hydrograph_svg"]

WIDTH, HEIGHT = 500, 270
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 18, 38
COLUMNS = 250  # two points a column are enough to keep every peak at this width
BARS = 72


class Point(NamedTuple):
    """A value at a time; ``ok`` is False where it is suspect."""

    t_us: int
    value: float
    ok: bool = True


class Ahead(NamedTuple):
    """The forecast at a time: median, and the band that holds 8 cases of 10."""

    t_us: int
    middle: float
    low: float
    high: float


class Limit(NamedTuple):
    """A level with a name; ``name`` is also the style class."""

    name: str
    label: str
    value: float


class Chart(NamedTuple):
    """What a hydrograph shows.

    Parameters
    ----------
    title, subtitle
        For people and screen readers.
    unit, decimals
        Of the value axis.
    start_us, end_us
        Time axis, microseconds UTC.
    points
        Usable and suspect values in order of time; failed ones are not among them.
    rejected_us
        Times of failed values, shown as crosses at the bottom, without a value.
    limits
        Levels drawn as lines.
    gap_us
        The line breaks where two points are further apart.
    bars
        Bars from zero in place of a line, for a property that accumulates.
    empty
        Text where there is no point.
    rejected
        Text of the legend of failed values.
    ahead
        Forecast, in order of time; the first stands where it was issued.
    """

    title: str
    subtitle: str
    unit: str
    decimals: int
    start_us: int
    end_us: int
    points: Sequence[Point]
    rejected_us: Sequence[int]
    limits: Sequence[Limit]
    gap_us: int
    bars: bool
    empty: str
    rejected: str
    ahead: Sequence[Ahead] = ()


class _Scale(NamedTuple):
    """From times and values to pixels."""

    start_us: int
    end_us: int
    low: float
    high: float

    def x(self, t_us: int) -> float:
        share = (t_us - self.start_us) / max(self.end_us - self.start_us, 1)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)


def hydrograph_svg(chart: Chart) -> str:
    """Return a chart as an SVG document."""
    scale = _Scale(chart.start_us, chart.end_us, *value_range(chart))
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" class="hydrograph" '
            f'font-family="system-ui, sans-serif" font-size="12">'
        ),
        f"<title>{escape(chart.title)}</title><desc>{escape(chart.subtitle)}</desc>",
        f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        *_axes(chart, scale),
        *_limits(chart, scale),
        *_forecast(chart, scale),
        *(_bars(chart, scale) if chart.bars else _line(chart, scale)),
        *_rejected(chart, scale),
    ]
    if not chart.points:
        middle = f'x="{WIDTH // 2}" y="{HEIGHT // 2}"'
        parts.append(
            f'<text {middle} text-anchor="middle" class="ink" fill="#333">{escape(chart.empty)}</text>'
        )
    return "\n".join([*parts, "</svg>\n"])


def value_range(chart: Chart) -> tuple[float, float]:
    """Return the value axis: all points, the lowest limit always, the higher ones when the water comes near.

    A flat line gets room around it, so that a centimetre does not look like a flood.
    """
    values = [point.value for point in chart.points]
    values += [level for one in chart.ahead for level in (one.low, one.high)]
    if chart.bars:
        values.append(0.0)
    limits = sorted(limit.value for limit in chart.limits)
    if values and limits:
        top = max(values)
        values += [limit for limit in limits if limit <= top][-1:]
        values += [limit for limit in limits if limit > top][:1]
    values = values or limits or [0.0]
    low, high = min(values), max(values)
    room = max((high - low) * 0.06, 0.5 * 10.0**-chart.decimals * 10)
    return (0.0 if chart.bars else low - room), high + room


def thin(points: Sequence[Point], *, start_us: int, end_us: int, columns: int = COLUMNS) -> list[Point]:
    """Keep the lowest and the highest point of each column of the chart, in order of time."""
    if len(points) <= 2 * columns:
        return list(points)
    width_us = max((end_us - start_us) // columns, 1)
    kept: list[Point] = []
    column: list[Point] = []
    number = None
    for point in [*points, Point(end_us + width_us, math.nan)]:
        if (place := (point.t_us - start_us) // width_us) != number:
            kept += _extremes(column)
            column, number = [], place
        column.append(point)
    return kept


def _extremes(column: Sequence[Point]) -> list[Point]:
    if not column:
        return []
    chosen = {min(column, key=lambda p: p.value), max(column, key=lambda p: p.value)}
    return sorted(chosen)


def _axes(chart: Chart, scale: _Scale) -> Iterator[str]:
    right, floor = WIDTH - RIGHT, HEIGHT - BOTTOM
    for value, label in value_ticks(scale.low, scale.high):
        y = scale.y(value)
        yield f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{y}" y2="{y}" stroke="#e3e7ea"/>'
        yield f'<text class="ink" x="{LEFT - 6}" y="{y + 4}" text-anchor="end" fill="#333">{label}</text>'
    for t_us, label, strong in time_ticks(chart.start_us, chart.end_us):
        x = scale.x(t_us)
        colour = "#b9c2c9" if strong else "#e3e7ea"
        yield f'<line class="grid" x1="{x}" x2="{x}" y1="{TOP}" y2="{floor}" stroke="{colour}"/>'
        yield f'<text class="ink" x="{x}" y="{floor + 16}" text-anchor="middle" fill="#333">{label}</text>'
    yield f'<text class="ink" x="4" y="{TOP - 5}" fill="#333">{escape(chart.unit)}</text>'
    yield f'<text class="ink" x="{right}" y="{HEIGHT - 4}" text-anchor="end" fill="#333">WIB</text>'


def _limits(chart: Chart, scale: _Scale) -> Iterator[str]:
    for limit in chart.limits:
        if not scale.low <= limit.value <= scale.high:
            continue
        y = scale.y(limit.value)
        label = f"{escape(limit.label)} {_number(limit.value, chart.decimals)}"
        yield (
            f'<line class="limit {limit.name}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" '
            f'stroke="#8a4b00" stroke-width="1.5" stroke-dasharray="7 4"/>'
        )
        yield f'<text class="ink limit-label" x="{LEFT + 5}" y="{y - 4}" font-weight="600" fill="#333">{label}</text>'


def _line(chart: Chart, scale: _Scale) -> Iterator[str]:
    points = thin(chart.points, start_us=chart.start_us, end_us=chart.end_us)
    gap_us = max(chart.gap_us, 2 * (chart.end_us - chart.start_us) // COLUMNS)
    runs: list[list[Point]] = []
    for point in points:
        if not runs or point.t_us - runs[-1][-1].t_us > gap_us:
            runs.append([])
        runs[-1].append(point)
    for run in runs:
        path = " ".join(f"{scale.x(p.t_us)},{scale.y(p.value)}" for p in run)
        if len(run) == 1:
            x, y = scale.x(run[0].t_us), scale.y(run[0].value)
            yield f'<circle class="dot" cx="{x}" cy="{y}" r="2.5" fill="#0b5c94"/>'
        yield f'<polyline class="line" points="{path}" fill="none" stroke="#0b5c94" stroke-width="2"/>'
    for point in points:
        if not point.ok:
            x, y = scale.x(point.t_us), scale.y(point.value)
            yield f'<circle class="suspect" cx="{x}" cy="{y}" r="3.5" fill="#fff" stroke="#8a4b00" stroke-width="1.5"/>'


def _forecast(chart: Chart, scale: _Scale) -> Iterator[str]:
    if not chart.ahead:
        return
    x = [scale.x(one.t_us) for one in chart.ahead]
    low, middle, high = (
        [f"{at},{scale.y(level)}" for at, level in zip(x, levels, strict=True)]
        for levels in zip(*((one.low, one.middle, one.high) for one in chart.ahead), strict=True)
    )
    yield f'<polygon class="band" points="{" ".join([*high, *reversed(low)])}" fill="#0b5c94" fill-opacity="0.18"/>'
    yield (
        f'<polyline class="ahead" points="{" ".join(middle)}" fill="none" stroke="#0b5c94" stroke-width="2" '
        f'stroke-dasharray="4 4"/>'
    )
    yield (
        f'<line class="now" x1="{x[0]}" x2="{x[0]}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" stroke="#6b7780" '
        f'stroke-dasharray="2 3"/>'
    )


def _bars(chart: Chart, scale: _Scale) -> Iterator[str]:
    # A value stands for the interval that ended at its time; each bar is the sum of a column's worth of time.
    width_us = max((chart.end_us - chart.start_us) // (BARS), 1)
    floor = scale.y(0.0)
    for point in chart.points:
        x = scale.x(max(point.t_us - width_us, chart.start_us))
        y = scale.y(point.value)
        width = max(scale.x(point.t_us) - x, 1.0)
        if point.value > 0:
            yield f'<rect class="bar" x="{x}" y="{y}" width="{width:.1f}" height="{floor - y:.1f}" fill="#0b5c94"/>'


def _rejected(chart: Chart, scale: _Scale) -> Iterator[str]:
    floor = HEIGHT - BOTTOM - 5
    seen: set[int] = set()
    for t_us in chart.rejected_us:
        x = scale.x(t_us)
        if int(x) not in seen:
            seen.add(int(x))
            yield f'<path class="rejected" d="M{x - 3},{floor - 3}l6,6m0,-6l-6,6" stroke="#b00020" stroke-width="1.5"/>'
    if seen:
        where = f'x="{WIDTH - RIGHT}" y="{TOP - 5}" text-anchor="end"'
        yield f'<text class="ink" {where} fill="#333">× {escape(chart.rejected)}</text>'


def _number(value: float, decimals: int) -> str:
    return decimal(value, decimals)


def span_text(chart: Chart) -> str:
    """Return the time axis in words, for a subtitle."""
    hours = (chart.end_us - chart.start_us) / US_PER_HOUR
    return f"{wib(chart.start_us)} – {wib(chart.end_us)} ({hours:g} h)"
