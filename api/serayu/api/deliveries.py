"""Proof of delivery, for agencies: who got a bulletin, how often it was tried, and who has seen it."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Body, Depends, Header, Query, Request, Response
from pydantic import BaseModel, Field

from serayu.api.alerts import NOTE_AT_MOST, acknowledged_alert
from serayu.api.bulletins import documents, visible_bulletin
from serayu.api.context import Api, api_of
from serayu.api.examples import BULLETIN_EXAMPLE, ENTRY_EXAMPLE, ESCALATION_EXAMPLE
from serayu.api.security import OFFICERS, Principal
from serayu.models.delivery.delivery import DeliveryState, attempt_document, delivery_document
from serayu.models.delivery.recipient import Audience
from serayu.models.delivery.wait import wait_document
from serayu.models.errors import ConflictError, NotFoundError
from serayu.models.stores.register.delivery_log import Entry
from serayu.models.warning.bulletin import Bulletin

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["bulletins"])
LIMIT, LIMIT_AT_MOST = 100, 500
JSON = "application/json"


class Asked(BaseModel, extra="forbid"):
    """What a request for deliveries may say."""

    state: Annotated[
        DeliveryState | None, Field(description="`queued`, `sent`, `dead`, `lapsed`, `dropped`.")
    ] = None
    limit: Annotated[int, Field(ge=1, le=LIMIT_AT_MOST)] = LIMIT
    cursor: Annotated[str | None, Field(description="`next` of the page before.")] = None


@router.get(
    "/bulletins/{bulletin_id}/deliveries",
    summary="Who got a bulletin, with every attempt; no addresses",
    responses={
        200: {
            "content": {
                JSON: {
                    "example": {
                        "bulletin": BULLETIN_EXAMPLE["id"],
                        "alert": BULLETIN_EXAMPLE["alert"],
                        "counts": {"queued": 0, "sent": 1, "dead": 0, "lapsed": 0, "dropped": 0},
                        "escalation": ESCALATION_EXAMPLE,
                        "deliveries": [ENTRY_EXAMPLE],
                        "next": None,
                    }
                }
            }
        }
    },
)
async def deliveries(
    request: Request,
    who: Annotated[Principal, Depends(OFFICERS)],
    bulletin_id: str,
    asked: Annotated[Asked, Query()],
) -> Response:
    """Return a page of the deliveries of a bulletin, the first queued first.

    `counts` is over all of them. `escalation` is the newest wait for an acknowledgement of the bulletin's alert.
    """
    api = api_of(request)
    found = await visible_bulletin(api, who, bulletin_id)
    return _json(await api.run(_log, api, found, asked))


@router.post(
    "/bulletins/{bulletin_id}/acknowledge",
    summary="Note that somebody has seen a bulletin",
    responses={
        200: {
            "description": "The bulletin.",
            "content": {JSON: {"example": {**BULLETIN_EXAMPLE, "escalation": ESCALATION_EXAMPLE}}},
        },
        409: {"description": "Somebody else has acknowledged it already, or nothing waits for it."},
    },
)
async def acknowledge(
    request: Request,
    who: Annotated[Principal, Depends(OFFICERS)],
    bulletin_id: str,
    key: Annotated[
        str | None, Header(alias="Idempotency-Key", description="8 to 200 characters, required.")
    ] = None,
    note: Annotated[str, Body(embed=True, max_length=NOTE_AT_MOST)] = "",
) -> Response:
    """Acknowledge the alert that a bulletin is about, of a river or of a slope, and stop its escalation.

    The same as acknowledging the alert; a landslide has none of its own there. The same person may repeat it.
    """
    api = api_of(request)
    question = ("acknowledge-bulletin", bulletin_id, note)
    answer = api.answers.find(who.id, key, question)
    if answer is None:
        found = await visible_bulletin(api, who, bulletin_id)
        await _acknowledge(api, found, who.name, note)
        (answer,) = await api.run(documents, api, [found])
        api.answers.keep(who.id, str(key), question, answer)
    return Response(answer, media_type=JSON, headers={"Cache-Control": "no-store"})


def _log(api: Api, found: Bulletin, asked: Asked) -> dict[str, Any]:
    entries = api.register.delivery_log(
        found.id, state=asked.state, after=asked.cursor, limit=asked.limit + 1
    )
    page = entries[: asked.limit]
    counts = api.register.bulletin_counts(found.id)
    return {
        "bulletin": found.id,
        "alert": found.alert_id,
        "counts": {state.value: count for state, count in counts.items()},
        "escalation": wait_document(api.register.waits([found.alert_id]).get(found.alert_id)),
        "deliveries": [_entry(one) for one in page],
        "next": page[-1].delivery.id if len(entries) > asked.limit else None,
    }


def _entry(entry: Entry) -> dict[str, Any]:
    """Return a delivery with its recipient: what people call themselves stays in the register."""
    public = entry.audience is Audience.PUBLIC
    recipient = {
        "id": entry.delivery.recipient_id,
        "name": None if public or not entry.name else entry.name,
        "audience": entry.audience.value,
        "channel": entry.channel.value,
    }
    log = [attempt_document(one) for one in entry.attempts]
    return {**delivery_document(entry.delivery), "recipient": recipient, "log": log}


async def _acknowledge(api: Api, found: Bulletin, by: str, note: str) -> None:
    try:
        await acknowledged_alert(api, found.alert_id, by, note)
    except NotFoundError:  # a landslide
        now_us = await api.present_us()
        await api.run(_acknowledge_slope, api, found, by, note, now_us)


def _acknowledge_slope(api: Api, found: Bulletin, by: str, note: str, now_us: int) -> None:
    stopped = api.register.acknowledge_bulletins(
        found.alert_id, region=found.region, by=by, note=note, now_us=now_us
    )
    if stopped:
        return
    wait = api.register.waits([found.alert_id]).get(found.alert_id)
    if wait is None or wait.acknowledged_by is None:
        raise ConflictError("nothing waits for an acknowledgement")
    if wait.acknowledged_by != by:
        raise ConflictError(f"bulletin {found.id} was acknowledged by {wait.acknowledged_by}")


def _json(document: object) -> Response:
    return Response(msgspec.json.encode(document), media_type=JSON, headers={"Cache-Control": "no-store"})
