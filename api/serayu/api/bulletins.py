"""Bulletins: list, one, GeoJSON and plain text, with three registers and the short message in each.

The public sees those that an authority signed (status Actual). Exercises and monitoring information are for the
agencies' keys, except in a replay, where the whole site is an exercise and says so.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from serayu.api.conditional import conditional
from serayu.api.context import Api, api_of
from serayu.api.examples import BULLETIN_EXAMPLE, ESCALATION_EXAMPLE
from serayu.api.observations import moment
from serayu.api.security import EVERYBODY, OFFICERS, Principal
from serayu.models.delivery.wait import Wait, wait_document
from serayu.models.errors import NotFoundError
from serayu.models.warning.bulletin import Bulletin, BulletinStatus, Hazard
from serayu.models.warning.documents import bulletin_collection, bulletin_document, bulletin_feature
from serayu.models.warning.registers import plain_text

__all__ = [
    "UNCHANGED",
    "agency",
    "documents",
    "router",
    "shown_status",
    "signed_or_agency",
    "visible_bulletin",
]

router = APIRouter(prefix="/api/v1", tags=["bulletins"])
LIMIT, LIMIT_AT_MOST = 20, 200
JSON, GEOJSON, TEXT = "application/json", "application/geo+json", "text/plain; charset=utf-8"
SHOWN_EXAMPLE = {**BULLETIN_EXAMPLE, "escalation": ESCALATION_EXAMPLE}
UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "Nothing new since the given ETag."}}


STATUS_HINT = (
    "The public gets `Actual` only, so an empty list does not say that no water is high: see `/api/v1/alerts`. "
    "`Test` (monitoring information, while no authority has signed) and `Exercise` need an agency's key."
)


class Asked(BaseModel, extra="forbid"):
    """What a request for bulletins may say."""

    status: Annotated[BulletinStatus | None, Field(description=STATUS_HINT)] = None
    hazard: Annotated[Hazard | None, Field(description="`flood` or `landslide`.")] = None
    station: Annotated[str | None, Field(description="Station id.")] = None
    alert: Annotated[str | None, Field(description="Alert id: all that was said about it.")] = None
    since: Annotated[str | None, Field(description="RFC 3339: sent then or later.")] = None
    active: Annotated[bool, Field(description="Only those in force: not lapsed, replaced or cancelled.")] = (
        False
    )
    limit: Annotated[int, Field(ge=1, le=LIMIT_AT_MOST)] = LIMIT
    cursor: Annotated[str | None, Field(description="`next` of the page before.")] = None


class Made:
    """Documents that were made already: a bulletin never changes, and its texts take some milliseconds."""

    def __init__(self, at_most: int = 1000) -> None:
        self._at_most = at_most
        self._documents: dict[str, bytes] = {}

    def document(self, bulletin: Bulletin) -> bytes:
        """Return a bulletin's JSON."""
        found = self._documents.get(bulletin.id)
        if found is None:
            found = msgspec.json.encode(bulletin_document(bulletin))
            if len(self._documents) >= self._at_most:
                self._documents.clear()
            self._documents[bulletin.id] = found
        return found


_made = Made()


class Page(msgspec.Struct, frozen=True):
    """Bulletins, the last recorded first, and where the next page begins."""

    bulletins: Sequence[Bulletin]
    following: str | None


@router.get(
    "/bulletins",
    summary="Bulletins, the last recorded first",
    responses={
        200: {"content": {JSON: {"example": {"bulletins": [SHOWN_EXAMPLE], "next": None}}}},
        **UNCHANGED,
    },
)
async def bulletins(
    request: Request, who: Annotated[Principal, Depends(EVERYBODY)], asked: Annotated[Asked, Query()]
) -> Response:
    """Return a page of bulletins with all their texts."""
    api = api_of(request)
    page = await _page(api, who, asked)
    content = await api.run(_encoded, api, page)
    return conditional(request, content, JSON)


@router.get(
    "/bulletins.geojson",
    summary="The same bulletins as GeoJSON, with the areas that they reach",
    responses={
        200: {"description": "RFC 7946.", "content": {GEOJSON: {"schema": {"type": "object"}}}},
        **UNCHANGED,
    },
)
async def bulletins_geojson(
    request: Request, who: Annotated[Principal, Depends(EVERYBODY)], asked: Annotated[Asked, Query()]
) -> Response:
    """Return a page of bulletins as a FeatureCollection; without a known area the place is the post's."""
    api = api_of(request)
    page = await _page(api, who, asked)
    content = await api.run(_encoded_features, api, page)
    return conditional(request, content, GEOJSON)


@router.get(
    "/bulletins/{bulletin_id}.geojson",
    summary="One bulletin as GeoJSON",
    responses={
        200: {"description": "RFC 7946.", "content": {GEOJSON: {"schema": {"type": "object"}}}},
        **UNCHANGED,
    },
)
async def bulletin_geojson(
    request: Request, who: Annotated[Principal, Depends(EVERYBODY)], bulletin_id: str
) -> Response:
    """Return a bulletin as a Feature."""
    api = api_of(request)
    found = await visible_bulletin(api, who, bulletin_id)
    feature = bulletin_feature(found, position=_positions(api).get(found.station))
    return conditional(request, msgspec.json.encode(feature), GEOJSON)


@router.get(
    "/bulletins/{bulletin_id}.txt",
    summary="One bulletin in its three registers",
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **UNCHANGED},
)
async def bulletin_text(
    request: Request, who: Annotated[Principal, Depends(EVERYBODY)], bulletin_id: str
) -> Response:
    """Return a bulletin as text: Indonesian, English, and the draft in Banyumasan, marked as one."""
    found = await visible_bulletin(api_of(request), who, bulletin_id)
    return conditional(request, plain_text(found).encode(), TEXT)


@router.get(
    "/bulletins/{bulletin_id}",
    summary="One bulletin",
    responses={200: {"content": {JSON: {"example": SHOWN_EXAMPLE}}}, **UNCHANGED},
)
async def bulletin(
    request: Request, who: Annotated[Principal, Depends(EVERYBODY)], bulletin_id: str
) -> Response:
    """Return a bulletin with all its texts."""
    api = api_of(request)
    found = await visible_bulletin(api, who, bulletin_id)
    (content,) = await api.run(documents, api, [found])
    return conditional(request, content, JSON)


def documents(api: Api, found: Sequence[Bulletin]) -> list[bytes]:
    """Return the JSON of bulletins, each with the newest wait for an acknowledgement of its alert."""
    waits = api.register.waits({one.alert_id for one in found})
    return [_with_escalation(_made.document(one), waits.get(one.alert_id)) for one in found]


def agency(who: Principal) -> bool:
    """Whether the caller belongs to an agency that may see exercises and monitoring information."""
    return who.role in OFFICERS.roles


def shown_status(api: Api, who: Principal) -> BulletinStatus | None:
    """Return the only status that the caller sees; None for all."""
    return None if agency(who) or api.settings.clock == "replay" else BulletinStatus.ACTUAL


def signed_or_agency(who: Principal, found: Bulletin) -> bool:
    """Whether a bulletin may leave to the caller as an alert for machines: a replay makes no difference there."""
    return found.public or agency(who)


async def visible_bulletin(api: Api, who: Principal, bulletin_id: str) -> Bulletin:
    """Return a bulletin of the region.

    Raises
    ------
    NotFoundError
        No such bulletin, or the caller may not know of it.
    """
    found = await api.run(api.register.bulletin, bulletin_id)
    if found.region != api.region.code or shown_status(api, who) not in (None, found.status):
        raise NotFoundError(f"there is no bulletin {bulletin_id!r}")
    return found


async def _page(api: Api, who: Principal, asked: Asked) -> Page:
    only = shown_status(api, who)
    if only is not None and asked.status not in (None, only):
        return Page((), None)
    since_us = None if asked.since is None else moment("since", asked.since)
    now_us = await api.present_us()
    return await api.run(_read, api, asked, asked.status or only, since_us, now_us)


def _read(api: Api, asked: Asked, status: BulletinStatus | None, since_us: int | None, now_us: int) -> Page:
    found = api.register.bulletins(
        api.region.code,
        status=status,
        hazard=asked.hazard,
        station=asked.station,
        alert_id=asked.alert,
        since_us=since_us,
        active_at_us=now_us if asked.active else None,
        after=asked.cursor,
        limit=asked.limit + 1,
    )
    page = found[: asked.limit]
    return Page(page, page[-1].id if len(found) > asked.limit else None)


def _encoded(api: Api, page: Page) -> bytes:
    found = [msgspec.Raw(one) for one in documents(api, page.bulletins)]
    return msgspec.json.encode({"bulletins": found, "next": page.following})


def _with_escalation(document: bytes, wait: Wait | None) -> bytes:
    """Add to a bulletin what changes after it was written."""
    return document[:-1] + b',"escalation":' + msgspec.json.encode(wait_document(wait)) + b"}"


def _encoded_features(api: Api, page: Page) -> bytes:
    collection = bulletin_collection(page.bulletins, positions=_positions(api))
    return msgspec.json.encode({**collection, "next": page.following})


def _positions(api: Api) -> Mapping[str, tuple[float, float]]:
    return {one.id: (one.lon, one.lat) for one in api.region.stations.values()}
