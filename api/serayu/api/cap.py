"""CAP 1.2 documents and the Atom feed that lists them.

These go to machines that pass them on, so they are stricter than the pages: without an agency's key only what an
authority signed, in a replay too.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from serayu.api.bulletins import UNCHANGED, agency, signed_or_agency, visible_bulletin
from serayu.api.conditional import conditional
from serayu.api.context import Api, api_of
from serayu.api.errors import AccessError, UnknownCallerError
from serayu.api.security import EVERYBODY, Principal
from serayu.models.cap.feed import FEED_TYPE, atom_feed
from serayu.models.cap.write import MEDIA_TYPE, cap_xml
from serayu.models.errors import NotFoundError
from serayu.models.times import US_PER_DAY
from serayu.models.warning.bulletin import Bulletin, BulletinStatus

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["cap"])
LISTED_US = 3 * US_PER_DAY
"""Bulletins lapse after a day; older ones are not looked for."""
LISTED_AT_MOST = 1000
XML = {"schema": {"type": "string", "format": "xml"}}


STATUS_HINT = (
    "`Actual` unless asked otherwise, with an agency's key too. `?status=Test` (monitoring information, all there is "
    "while no authority has signed) and `?status=Exercise` need such a key."
)


class Asked(BaseModel, extra="forbid"):
    """What a request for the feed may say."""

    status: Annotated[BulletinStatus, Field(description=STATUS_HINT)] = BulletinStatus.ACTUAL


@router.get(
    "/cap/feed.atom",
    summary="Atom feed of CAP alerts in force, newest first",
    responses={200: {"description": "RFC 4287.", "content": {FEED_TYPE: XML}}, **UNCHANGED},
)
async def feed(
    request: Request, who: Annotated[Principal, Depends(EVERYBODY)], asked: Annotated[Asked, Query()]
) -> Response:
    """Return the feed; a cancelled alert stays listed beside its Cancel until both lapse.

    Raises
    ------
    UnknownCallerError, AccessError
        Another status than Actual, without an agency's key.
    """
    if asked.status is not BulletinStatus.ACTUAL and not agency(who):
        if who.key is None:
            raise UnknownCallerError("exercises and tests need an agency's key")
        raise AccessError(f"exercises and tests are not for the role {who.role.value}")
    api = api_of(request)
    now_us = await api.present_us()
    content = await api.run(_feed, api, asked.status, now_us, str(request.base_url))
    return conditional(request, content, FEED_TYPE)


@router.get(
    "/bulletins/{bulletin_id}.xml",
    summary="One bulletin as CAP 1.2",
    responses={200: {"description": "OASIS CAP 1.2.", "content": {MEDIA_TYPE: XML}}, **UNCHANGED},
)
async def bulletin_cap(
    request: Request, who: Annotated[Principal, Depends(EVERYBODY)], bulletin_id: str
) -> Response:
    """Return a bulletin as a CAP document.

    Raises
    ------
    NotFoundError
        No such bulletin, or the caller may not know of it.
    """
    api = api_of(request)
    found = await visible_bulletin(api, who, bulletin_id)
    if not signed_or_agency(who, found):
        raise NotFoundError(f"there is no bulletin {bulletin_id!r}")
    content = await api.run(_document, api, found)
    return conditional(request, content, MEDIA_TYPE)


def _feed(api: Api, status: BulletinStatus, now_us: int, base_url: str) -> bytes:
    folder = f"{base_url}api/v1/"
    suffix = "" if status is BulletinStatus.ACTUAL else f"?status={status.value}"
    found = api.register.bulletins(
        api.region.code, status=status, since_us=now_us - LISTED_US, limit=LISTED_AT_MOST
    )
    newest = api.register.bulletins(api.region.code, status=status, limit=1)
    return atom_feed(
        found,
        api.authority,
        now_us=now_us,
        feed_url=f"{folder}cap/feed.atom{suffix}",
        alert_url=lambda one: f"{folder}bulletins/{one.id}.xml",
        since_us=newest[0].sent_us if newest else 0,
    )


def _document(api: Api, found: Bulletin) -> bytes:
    station = api.region.stations.get(found.station)
    position = None if station is None else (station.lat, station.lon)
    return cap_xml(found, api.authority, position=position)
