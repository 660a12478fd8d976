"""Alerts: list, one, history, acknowledgement, and the live stream of their changes."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Body, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from serayu.api.context import Api, api_of
from serayu.api.examples import ALERT_EXAMPLE, CHANGE_EXAMPLE
from serayu.api.observations import moment
from serayu.api.peaks import peak_of
from serayu.api.security import EVERYBODY, OFFICERS, Principal, still_holds
from serayu.api.views import change_view
from serayu.models.alert import Alert, AlertStatus, alert_document, retracted
from serayu.models.delivery.wait import Wait, wait_document
from serayu.models.errors import BadInputError, ConflictError, NotFoundError
from serayu.models.times import US_PER_S

__all__ = ["NOTE_AT_MOST", "acknowledged_alert", "router"]

router = APIRouter(prefix="/api/v1")
LIMIT, LIMIT_AT_MOST = 50, 500
NOTE_AT_MOST = 500
JSON = "application/json"
ONE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The alert.", "content": {JSON: {"example": ALERT_EXAMPLE}}}
}


class Asked(BaseModel, extra="forbid"):
    """What a request for alerts may say."""

    status: Annotated[AlertStatus | None, Field(description="`active` or `ended`.")] = None
    station: Annotated[str | None, Field(description="Station id.")] = None
    since: Annotated[str | None, Field(description="RFC 3339: still active, or changed then or later.")] = (
        None
    )
    limit: Annotated[int, Field(ge=1, le=LIMIT_AT_MOST)] = LIMIT
    cursor: Annotated[str | None, Field(description="`next` of the page before.")] = None


@router.get(
    "/alerts",
    summary="Alerts, the last opened first",
    tags=["alerts"],
    responses={200: {"content": {JSON: {"example": {"alerts": [ALERT_EXAMPLE], "next": None}}}}},
)
async def alerts(
    request: Request,
    _who: Annotated[Principal, Depends(EVERYBODY)],
    asked: Annotated[Asked, Query()],
) -> Response:
    """Return a page of alerts with all their changes and the highest water level of their time."""
    api = api_of(request)
    found = await api.run(
        api.register.alerts,
        api.region.code,
        status=asked.status,
        station=asked.station,
        since_us=None if asked.since is None else moment("since", asked.since),
        after=asked.cursor,
        limit=asked.limit + 1,
    )
    page = found[: asked.limit]
    following = page[-1].id if len(found) > asked.limit else None
    return _json({"alerts": await api.run(documents, api, page), "next": following})


@router.get("/alerts/{alert_id}", summary="One alert", tags=["alerts"], responses=ONE)
async def alert(request: Request, _who: Annotated[Principal, Depends(EVERYBODY)], alert_id: str) -> Response:
    """Return an alert with its changes."""
    api = api_of(request)
    return _json(await api.run(document, api, await _alert(api, alert_id)))


@router.get(
    "/alerts/{alert_id}/history",
    summary="What happened to an alert, oldest first",
    tags=["alerts"],
    responses={
        200: {"content": {JSON: {"example": {"alert": ALERT_EXAMPLE["id"], "changes": [CHANGE_EXAMPLE]}}}}
    },
)
async def history(
    request: Request, _who: Annotated[Principal, Depends(EVERYBODY)], alert_id: str
) -> Response:
    """Return the changes of an alert, and its acknowledgement."""
    api = api_of(request)
    found = await api.run(document, api, await _alert(api, alert_id))
    return _json({"alert": alert_id, "changes": found["changes"], "acknowledged": found["acknowledged"]})


@router.post(
    "/alerts/{alert_id}/acknowledge",
    summary="Note that somebody has seen an alert",
    tags=["alerts"],
    responses={**ONE, 409: {"description": "Somebody else has acknowledged it already."}},
)
async def acknowledge(
    request: Request,
    who: Annotated[Principal, Depends(OFFICERS)],
    alert_id: str,
    key: Annotated[
        str | None, Header(alias="Idempotency-Key", description="8 to 200 characters, required.")
    ] = None,
    note: Annotated[str, Body(embed=True, max_length=NOTE_AT_MOST)] = "",
) -> Response:
    """Acknowledge an alert under the caller's name; the same person may repeat it."""
    api = api_of(request)
    question = ("acknowledge", alert_id, note)
    answer = api.answers.find(who.id, key, question)
    if answer is None:
        answer = msgspec.json.encode(
            await api.run(document, api, await acknowledged_alert(api, alert_id, who.name, note))
        )
        api.answers.keep(who.id, str(key), question, answer)
    return Response(answer, media_type=JSON, headers={"Cache-Control": "no-store"})


@router.get(
    "/stream",
    summary="Live: alerts and readings as server-sent events",
    tags=["stream"],
    response_class=StreamingResponse,
    responses={
        200: {
            "description": (
                "`alert`: a change; its `id` is where `Last-Event-ID` resumes, nothing is left out. "
                "`latest`: the stations that have changed, the newest state only. "
                "`heartbeat`: there is no news. `hello`: first of all. "
                "`reset`: the alerts begin anew at its `id`, behind what you knew: read the lists again."
            ),
            "content": {"text/event-stream": {"example": "event: alert\nid: 7\ndata: {}\n\n"}},
        }
    },
)
async def stream(
    request: Request,
    who: Annotated[Principal, Depends(EVERYBODY)],
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID")] = None,
    last_event: Annotated[
        str | None, Query(alias="last_event_id", description="Where a header cannot be sent.")
    ] = None,
) -> Response:
    """Stream events until either side ends it, or the caller's key or login is no longer valid."""
    api = api_of(request)
    live = api.stream
    live.admit()
    resume = last_event_id if last_event_id is not None else last_event
    last = None if resume is None else change_number(resume)
    events = live.listen(who.audience, last, allowed=lambda: still_holds(api, who))
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)


def documents(api: Api, found: Sequence[Alert]) -> list[dict[str, Any]]:
    """Return alerts as the api shows them: with names, labels, peak, and how long nobody, or who, acknowledged."""
    ids = [one.id for one in found]
    waits, first_us = api.register.waits(ids), api.register.first_told_us(ids)
    return [_document(api, one, waits.get(one.id), first_us.get(one.id)) for one in found]


def document(api: Api, found: Alert) -> dict[str, Any]:
    """Return one alert as the api shows it."""
    return documents(api, [found])[0]


def _document(api: Api, found: Alert, wait: Wait | None, first_us: int | None) -> dict[str, Any]:
    said = alert_document(found)
    said["escalation"] = wait_document(wait)
    if found.acknowledged_us is not None:
        said["acknowledged"]["after_s"] = _seconds(found.acknowledged_us, wait, first_us)
    station = api.region.stations.get(found.station)
    said["station_name"] = found.station if station is None else station.name
    said["highest_label"] = found.highest.label
    said["peak"] = peak_of(api.hot, found, now_us=api.clock.now_us())
    said["changes"] = [
        change_view(change, retracted=gone)
        for change, gone in zip(found.changes, retracted(found.changes), strict=True)
    ]
    return said


def _seconds(acknowledged_us: int, wait: Wait | None, first_us: int | None) -> float | None:
    """Return how long after the bulletin that asked for it; of a level that asks for none, after the first one."""
    if wait is not None and wait.acknowledged_us is not None:
        return wait.seconds_to_acknowledge
    asked_us = first_us if wait is None else wait.asked_us
    # An open wait is for a level that rose after the acknowledgement, which belongs to what was told before.
    if asked_us is None or asked_us > acknowledged_us:
        asked_us = first_us
    return None if asked_us is None or asked_us > acknowledged_us else (acknowledged_us - asked_us) / US_PER_S


def change_number(text: str) -> int:
    """Return a ``Last-Event-ID`` as a number.

    Raises
    ------
    BadInputError
        Not a number of this stream.
    """
    if not (text.isascii() and text.isdigit() and len(text) < 19):  # noqa: PLR2004 -- digits of a 64-bit number
        raise BadInputError("expected the id of an event of this stream", field="Last-Event-ID")
    return int(text)


async def _alert(api: Api, alert_id: str) -> Alert:
    found = await api.run(api.register.alert, alert_id)
    if found.region != api.region.code:
        raise NotFoundError(f"there is no alert {alert_id!r}")
    return found


async def acknowledged_alert(api: Api, alert_id: str, by: str, note: str) -> Alert:
    """Acknowledge an alert of the region; by the same person again it changes nothing.

    Raises
    ------
    NotFoundError, ConflictError
        No such alert; somebody else has acknowledged it.
    """
    known = await _alert(api, alert_id)
    try:
        now_us = await api.present_us()
        return await api.run(api.register.acknowledge, alert_id, by=by, note=note, now_us=now_us)
    except ConflictError:
        known = await _alert(api, alert_id)
        if known.acknowledged_by == by:
            return known
        raise


def _json(document_: object) -> Response:
    return Response(msgspec.json.encode(document_), media_type=JSON, headers={"Cache-Control": "no-cache"})
