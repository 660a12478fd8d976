"""Observations of one datastream: raw or in steps, paged by time, as JSON or CSV."""

import csv
import functools
import io
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Literal, NamedTuple

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from serayu.api.context import api_of
from serayu.api.security import EVERYBODY, Principal
from serayu.api.stations import visible_station
from serayu.api.views import finite
from serayu.models.errors import BadInputError
from serayu.models.ports import ObservationReader
from serayu.models.properties import observed_property
from serayu.models.quality.flags import QualityFlag, reason_names
from serayu.models.reading import Bucket, Observation
from serayu.models.station import Station
from serayu.models.times import US_PER_DAY, US_PER_HOUR, US_PER_S, parse_rfc3339, parse_span, rfc3339

__all__ = ["AggregateView", "AggregatesPage", "ObservationView", "ObservationsPage", "router"]

router = APIRouter(prefix="/api/v1")

LIMIT, LIMIT_AT_MOST = 1000, 10_000
WINDOW_US = US_PER_DAY
LAST_US = parse_rfc3339("2200-01-01T00:00:00Z")
STEP_AT_MOST_US = 366 * US_PER_DAY
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


class PageHead(msgspec.Struct, frozen=True):
    """What a page is of; `next` is the cursor of the following page, null on the last."""

    station: str
    property: str
    unit: str
    step: str
    start: str
    end: str
    next: str | None


class ObservationsPage(PageHead, frozen=True):
    """A page of observations in order of time (`step=raw`)."""

    observations: Sequence[ObservationView]


class AggregatesPage(PageHead, frozen=True):
    """A page of steps in order of time."""

    observations: Sequence[AggregateView]


class Asked(BaseModel, extra="forbid"):
    """What a request for observations may say."""

    property: Annotated[str, Field(examples=["stage"])]
    start: Annotated[str | None, Field(description="RFC 3339; a day before `end` when absent.")] = None
    end: Annotated[str | None, Field(description="RFC 3339, excluded; the present when absent.")] = None
    step: Annotated[str, Field(description="`raw` or a span such as `10min`, `1h`, `1d`.")] = "raw"
    limit: Annotated[int, Field(ge=1, le=LIMIT_AT_MOST)] = LIMIT
    cursor: Annotated[str | None, Field(description="`next` of the page before.")] = None
    format: Literal["json", "csv"] = "json"


class Window(NamedTuple):
    """A span of time, where this page of it begins, and the step, None for raw; microseconds UTC."""

    start_us: int
    end_us: int
    from_us: int
    step_us: int | None


@router.get(
    "/stations/{station_id}/observations",
    summary="Observations of one datastream",
    tags=["stations"],
    responses={
        200: {
            "description": "A page; `step=raw` gives observations, any other step aggregates.",
            "content": {
                "application/json": {
                    "schema": {
                        "anyOf": [
                            {"$ref": "#/components/schemas/ObservationsPage"},
                            {"$ref": "#/components/schemas/AggregatesPage"},
                        ]
                    }
                },
                "text/csv": {"example": "time,value,raw_value,flag,tests,late\n"},
            },
        }
    },
)
async def observations(
    request: Request,
    who: Annotated[Principal, Depends(EVERYBODY)],
    station_id: str,
    asked: Annotated[Asked, Query()],
) -> Response:
    """Return a window of a datastream in order of time, paged by a cursor."""
    api = api_of(request)
    station = visible_station(api, who, station_id)
    if station.datastream(asked.property) is None:
        known = ", ".join(stream.property for stream in station.datastreams)
        raise BadInputError(f"{station_id} does not observe it; it observes: {known}", field="property")
    window = window_of(asked, present_us=await api.present_us())
    read: Callable[..., ObservationsPage | AggregatesPage] = raw_page if window.step_us is None else step_page
    page = await api.run(read, api.hot, station, asked, window)
    if asked.format == "csv":
        return csv_response(page)
    content = msgspec.json.encode(page)
    return Response(content, media_type="application/json", headers={"Cache-Control": "no-cache"})


def window_of(asked: Asked, *, present_us: int) -> Window:
    """Return what a request asks for; with a step, start and end are whole steps.

    Raises
    ------
    BadInputError
        A time or the step is wrong, or the window is empty.
    """
    end_us = moment("end", asked.end) if asked.end is not None else present_us + 1
    start_us = moment("start", asked.start) if asked.start is not None else end_us - WINDOW_US
    if start_us >= end_us:
        raise BadInputError("expected start before end", field="start")
    from_us = start_us if asked.cursor is None else max(start_us, moment("cursor", asked.cursor))
    if asked.step == "raw":
        return Window(start_us, end_us, from_us, None)
    step_us = step_span(asked.step)
    return Window(
        start_us - start_us % step_us, end_us + -end_us % step_us, from_us - from_us % step_us, step_us
    )


def raw_page(store: ObservationReader, station: Station, asked: Asked, window: Window) -> ObservationsPage:
    """Return a page of observations."""
    found = store.window(station.key(asked.property), window.from_us, window.end_us, limit=asked.limit + 1)
    following = found[asked.limit].t_us if len(found) > asked.limit else None
    rows = [observation_view(observation) for observation in found[: asked.limit]]
    return ObservationsPage(*_head(station, asked, window, following), rows)


def step_page(store: ObservationReader, station: Station, asked: Asked, window: Window) -> AggregatesPage:
    """Return a page of steps; empty ones count for its length and are left out."""
    step_us = window.step_us or US_PER_HOUR
    page_end_us = min(window.end_us, window.from_us + asked.limit * step_us)
    found = store.aggregate(station.key(asked.property), window.from_us, page_end_us, step_us=step_us)
    following = page_end_us if page_end_us < window.end_us else None
    return AggregatesPage(
        *_head(station, asked, window, following), [aggregate_view(bucket) for bucket in found]
    )


def _head(
    station: Station, asked: Asked, window: Window, following_us: int | None
) -> tuple[str, str, str, str, str, str, str | None]:
    unit = observed_property(asked.property).unit
    following = None if following_us is None else rfc3339(following_us)
    span = (rfc3339(window.start_us), rfc3339(window.end_us))
    return (station.id, asked.property, unit, asked.step, *span, following)


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
    start_us, count, mean, minimum, maximum, total = msgspec.structs.astuple(bucket)
    return AggregateView(_start_text(start_us), count, mean, minimum, maximum, total)


@functools.lru_cache(maxsize=20_000)
def _start_text(start_us: int) -> str:
    """Return a step's start; everybody asks for the same hours, and writing times is most of a page's work."""
    return rfc3339(start_us)


def moment(field: str, text: str) -> int:
    """Return a query parameter as microseconds UTC.

    Raises
    ------
    BadInputError
        Not an RFC 3339 time with zone, or not between 1970 and 2200.
    """
    try:
        t_us = parse_rfc3339(text)
    except (ValueError, OverflowError) as error:
        raise BadInputError(f"expected RFC 3339 such as 2026-01-31T07:00:00Z: {error}", field=field) from None
    if not 0 <= t_us < LAST_US:
        raise BadInputError("expected a time between 1970 and 2200", field=field)
    return t_us


def step_span(text: str) -> int:
    """Return a step in microseconds.

    Raises
    ------
    BadInputError
        Not a span, or not between a second and a year.
    """
    try:
        span_us = parse_span(text)
    except ValueError as error:
        raise BadInputError(f"{error}, or raw", field="step") from None
    if not US_PER_S <= span_us <= STEP_AT_MOST_US:
        raise BadInputError("expected a step between 1s and 366d", field="step")
    return span_us


def csv_response(page: ObservationsPage | AggregatesPage) -> Response:
    """Return a page as CSV with a header line; the next page's cursor is the header ``X-Next-Cursor``."""
    kind = ObservationView if isinstance(page, ObservationsPage) else AggregateView
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
