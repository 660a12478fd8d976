"""Hydrographs of stations, drawn here so that pages need no chart library and a picture can be sent on."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from serayu.api.context import Api, api_of
from serayu.api.forecast_views import latest_shown
from serayu.api.hydrograph import BARS, Ahead, Chart, Limit, Point, hydrograph_svg, span_text
from serayu.api.security import EVERYBODY, Principal
from serayu.api.stations import visible_station
from serayu.models.errors import BadInputError
from serayu.models.quality.flags import QualityFlag
from serayu.models.reading import SeriesKey
from serayu.models.siaga import Siaga
from serayu.models.station import Datastream, Station
from serayu.models.texts import text
from serayu.models.times import US_PER_DAY, US_PER_HOUR
from serayu.models.warning.outlook import Outlook

__all__ = ["chart_of", "router"]

router = APIRouter(prefix="/api/v1")
HOURS_AT_MOST = 24 * 31
RAW_AT_MOST_US = 3 * US_PER_DAY
REJECTED = (QualityFlag.FAIL, QualityFlag.MISSING)


@router.get(
    "/stations/{station_id}/hydrograph.svg",
    summary="Hydrograph with limits, gaps and rejected values",
    tags=["stations"],
    responses={200: {"content": {"image/svg+xml": {"schema": {"type": "string"}}}}},
)
async def hydrograph(
    request: Request,
    who: Annotated[Principal, Depends(EVERYBODY)],
    station_id: str,
    property_slug: Annotated[
        str | None, Query(alias="property", description="The first one when absent.")
    ] = None,
    hours: Annotated[float, Query(gt=0, le=HOURS_AT_MOST)] = 24.0,
) -> Response:
    """Draw the last hours of a datastream; failed values are crosses, never part of the line."""
    api = api_of(request)
    station = visible_station(api, who, station_id)
    slug = property_slug or (station.datastreams[0].property if station.datastreams else "")
    datastream = station.datastream(slug)
    if datastream is None:
        raise BadInputError(f"{station_id} does not observe {slug!r}", field="property")
    snapshot = await api.snapshots.get()
    chart = await api.run(
        chart_of, api, station, datastream, end_us=snapshot.now_us, span_us=round(hours * US_PER_HOUR)
    )
    # A picture needs nothing from anywhere; opened by itself it may not run anything either.
    headers = {"Cache-Control": "no-cache", "Content-Security-Policy": "default-src 'none'"}
    return Response(hydrograph_svg(chart), media_type="image/svg+xml", headers=headers)


def chart_of(api: Api, station: Station, datastream: Datastream, *, end_us: int, span_us: int) -> Chart:
    """Return a datastream's chart over *span_us* up to *end_us*, microseconds UTC."""
    observed = datastream.observed
    start_us = end_us - span_us
    key = station.key(datastream.property)
    rejected: list[int] = []
    gap_us = datastream.stale_after_us
    if observed.accumulates:
        points = _bars(api, key, start_us, end_us)
    elif span_us <= RAW_AT_MOST_US:
        points, rejected = _raw(api, key, start_us, end_us)
    else:
        points = _hourly(api, key, start_us, end_us)
        gap_us = max(gap_us, 2 * US_PER_HOUR)
    chart = Chart(
        title=f"{station.name}: {observed.name_id}",
        subtitle="",
        unit=observed.unit,
        decimals=observed.decimals,
        start_us=start_us,
        end_us=end_us,
        points=points,
        rejected_us=rejected,
        limits=_limits(station) if datastream.property == "stage" else (),
        gap_us=gap_us,
        bars=observed.accumulates,
        empty=text("page.chart.empty", "id"),
        rejected=text("page.chart.rejected", "id"),
    )
    chart = chart._replace(subtitle=span_text(chart))
    if datastream.property != "stage" or span_us > RAW_AT_MOST_US:
        return chart
    return _with_forecast(chart, latest_shown(api, station, now_us=end_us))


def _with_forecast(chart: Chart, outlook: Outlook | None) -> Chart:
    """Return a chart whose time axis goes on to the last hour of a forecast, with its band."""
    known = [point for point in chart.points if outlook is not None and point.t_us <= outlook.issued_us]
    if outlook is None or not known:
        return chart
    now_m = known[-1].value
    ahead = [Ahead(outlook.issued_us, now_m, now_m, now_m)] + [
        Ahead(outlook.issued_us + round(one.horizon_h * US_PER_HOUR), one.level_m, one.low_m, one.high_m)
        for one in outlook.steps
    ]
    return chart._replace(
        end_us=max(chart.end_us, ahead[-1].t_us),
        ahead=ahead,
        subtitle=f"{chart.subtitle}; {text('forecast.title', 'id')}",
    )


def _raw(api: Api, key: SeriesKey, start_us: int, end_us: int) -> tuple[list[Point], list[int]]:
    points, rejected = [], []
    for observation in api.hot.window(key, start_us, end_us + 1):
        if observation.flag in REJECTED:
            rejected.append(observation.t_us)
        else:
            points.append(
                Point(observation.t_us, observation.value, observation.flag is not QualityFlag.SUSPECT)
            )
    return points, rejected


def _hourly(api: Api, key: SeriesKey, start_us: int, end_us: int) -> list[Point]:
    """Return both extremes of each hour: a mean would hide the peak that people look for."""
    first, last = start_us - start_us % US_PER_HOUR, end_us + -end_us % US_PER_HOUR
    points = []
    for bucket in api.hot.aggregate(key, first, last, step_us=US_PER_HOUR):
        # An hour that has just begun shows what is known of it: its peak may be the newest value.
        begin_us = max(bucket.start_us, start_us)
        third_us = (min(bucket.start_us + US_PER_HOUR, end_us) - begin_us) // 3
        for value, at_us in (
            (bucket.minimum, begin_us + third_us),
            (bucket.maximum, begin_us + 2 * third_us),
        ):
            if value is not None:
                points.append(Point(at_us, value))
    return points


def _bars(api: Api, key: SeriesKey, start_us: int, end_us: int) -> list[Point]:
    step_us = max((end_us - start_us) // BARS, 1)
    # A value is stamped at the end of its interval, so a bar holds what ends within (start, start + step].
    found = api.hot.aggregate(key, start_us + 1, end_us + 1, step_us=step_us)
    return [Point(min(bucket.start_us + step_us, end_us), bucket.total) for bucket in found]


def _limits(station: Station) -> tuple[Limit, ...]:
    if station.thresholds is None:
        return ()
    levels = (Siaga.WASPADA, Siaga.SIAGA, Siaga.AWAS)
    return tuple(Limit(level.value, level.label, station.thresholds.limit_m(level)) for level in levels)
