"""Observations of one datastream: raw or in steps, paged by time, as JSON or CSV."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response

from serayu.api.context import api_of
from serayu.api.security import EVERYBODY, Principal
from serayu.api.stations import visible_station
from serayu.api.views import finite
from serayu.models.errors import BadInputError
from serayu.models.ports import ObservationReader
from serayu.models.quality.flags import QualityFlag, reason_names
from serayu.models.reading import Bucket, Observation, SeriesKey
from serayu.models.times import US_PER_DAY, parse_rfc3339, parse_span, rfc3339

__all__ = ["AggregateView", "ObservationView", "ObservationsPage", "router"]

router = APIRouter()

LIMIT, LIMIT_AT_MOST = 1000, 10_000
WINDOW_US = US_PER_DAY
UNSHOWN = (QualityFlag.FAIL, QualityFlag.MISSING)


class ObservationView(msgspec.Struct, frozen=True, gc=False):
    """One observation: a failed value is not a value, it stands under `raw_value`."""

    time: str
    value: float | None
    raw_value: float | None
    flag: int
    tests: tuple[str, ...]
    late: bool


class AggregateView(msgspec.Struct, frozen=True, gc=False):
    """One step: count, mean, extremes and sum of its usable values; steps without any are left out."""

    start: str
    count: int
    mean: float | None
    minimum: float | None
    maximum: float | None
    total: float


class ObservationsPage(msgspec.Struct, frozen=True):
    """A page of one datastream; `next` is the cursor of the following page, null on the last."""

    station: str
    property: str
    unit: str
    step: str
    start: str
    end: str
    next: str | None
    observations: Sequence[ObservationView] | Sequence[AggregateView]


@router.get(
    "/stations/{station_id}/observations",
    summary="Observations of one datastream",
    tags=["stations"],
    responses={
        200: {
            "description": "A page; `step=raw` gives observations, any other step aggregates.",
            "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/ObservationsPage"}},
                "text/csv": {"example": "time,value,raw_value,flag,tests,late\n"},
            },
        }
    },
)
async def observations(
    request: Request,
    who: Annotated[Principal, Depends(EVERYBODY)],
    station_id: str,
    property_slug: Annotated[str, Query(alias="property", examples=["stage"])],
    start: Annotated[str | None, Query(description="RFC 3339; a day before `end` when absent.")] = None,
    end: Annotated[str | None, Query(description="RFC 3339, excluded; the present when absent.")] = None,
    step: Annotated[
        str, Query(description="`raw` or a span.", examples=["raw", "10min", "1h", "1d"])
    ] = "raw",
    limit: Annotated[int, Query(ge=1, le=LIMIT_AT_MOST)] = LIMIT,
    cursor: Annotated[str | None, Query(description="`next` of the page before.")] = None,
    form: Annotated[Literal["json", "csv"], Query(alias="format")] = "json",
) -> Response:
    """Return a window of a datastream in order of time, paged by a cursor."""
    api = api_of(request)
    station = visible_station(api, who, station_id)
    datastream = station.datastream(property_slug)
    if datastream is None:
        known = ", ".join(stream.property for stream in station.datastreams)
        raise BadInputError(f"{station_id} does not observe it; it observes: {known}", field="property")
    end_us = moment("end", end) if end is not None else api.now_us() + 1
    start_us = moment("start", start) if start is not None else end_us - WINDOW_US
    if start_us >= end_us:
        raise BadInputError("expected start before end", field="start")
    key = station.key(property_slug)
    from_us = start_us if cursor is None else max(start_us, moment("cursor", cursor))
    rows: list[ObservationView] | list[AggregateView]
    if step == "raw":
        rows, following = await api.run(raw_page, api.hot, key, from_us, end_us, limit=limit)
    else:
        step_us = positive_span(step)
        start_us, end_us = start_us - start_us % step_us, end_us + -end_us % step_us
        first_us = from_us - from_us % step_us
        rows, following = await api.run(
            step_page, api.hot, key, first_us, end_us, step_us=step_us, limit=limit
        )
    page = ObservationsPage(
        station_id,
        property_slug,
        datastream.observed.unit,
        step,
        rfc3339(start_us),
        rfc3339(end_us),
        None if following is None else rfc3339(following),
        rows,
    )
    if form == "csv":
        return csv_response(page)
    return Response(
        msgspec.json.encode(page), media_type="application/json", headers={"Cache-Control": "no-cache"}
    )


def raw_page(
    store: ObservationReader, key: SeriesKey, start_us: int, end_us: int, *, limit: int
) -> tuple[list[ObservationView], int | None]:
    """Return at most *limit* observations and the time where the next page begins."""
    found = store.window(key, start_us, end_us, limit=limit + 1)
    following = found[limit].t_us if len(found) > limit else None
    return [observation_view(observation) for observation in found[:limit]], following


def step_page(
    store: ObservationReader, key: SeriesKey, start_us: int, end_us: int, *, step_us: int, limit: int
) -> tuple[list[AggregateView], int | None]:
    """Return at most *limit* steps, counted whether or not they are empty, and where the next page begins."""
    page_end_us = min(end_us, start_us + limit * step_us)
    found = store.aggregate(key, start_us, page_end_us, step_us=step_us)
    return [aggregate_view(bucket) for bucket in found], page_end_us if page_end_us < end_us else None


def observation_view(observation: Observation) -> ObservationView:
    """Return an observation as the api shows it."""
    raw = finite(observation.value)
    return ObservationView(
        rfc3339(observation.t_us),
        None if observation.flag in UNSHOWN else raw,
        raw,
        int(observation.flag),
        reason_names(observation.tests),
        observation.late,
    )


def aggregate_view(bucket: Bucket) -> AggregateView:
    """Return a step as the api shows it."""
    start_us, count, mean, minimum, maximum, total = bucket
    return AggregateView(rfc3339(start_us), count, mean, minimum, maximum, total)


def moment(field: str, text: str) -> int:
    """Return a query parameter as microseconds UTC.

    Raises
    ------
    BadInputError
        Not an RFC 3339 time with zone, or outside what the calendar has.
    """
    try:
        return parse_rfc3339(text)
    except (ValueError, OverflowError) as error:
        raise BadInputError(f"expected RFC 3339 such as 2026-01-31T07:00:00Z: {error}", field=field) from None


def positive_span(text: str) -> int:
    """Return a step in microseconds.

    Raises
    ------
    BadInputError
        Not a span, or not positive.
    """
    try:
        span_us = parse_span(text)
    except ValueError as error:
        raise BadInputError(f"{error} or raw", field="step") from None
    if span_us <= 0:
        raise BadInputError("expected a positive span", field="step")
    return span_us


def csv_response(page: ObservationsPage) -> Response:
    """Return a page as CSV with a header line; the cursor goes into the header `Link`-wise as ``X-Next-Cursor``."""
    kind = ObservationView if page.step == "raw" else AggregateView
    columns = kind.__struct_fields__
    rows = ([_cell(getattr(row, column)) for column in columns] for row in page.observations)
    headers = {
        "Content-Disposition": f'attachment; filename="{page.station}-{page.property}.csv"',
        "Cache-Control": "no-cache",
    }
    if page.next is not None:
        headers["X-Next-Cursor"] = page.next
    return Response(_csv([columns, *rows]), media_type="text/csv; charset=utf-8", headers=headers)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    return " ".join(value) if isinstance(value, tuple) else str(value)


def _csv(rows: Iterable[Sequence[str]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue()
