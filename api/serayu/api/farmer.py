"""The farmer's page ``/sawah/<token>``: one field, large, plain, without script, small enough for a poor link.

The token is the only secret; it is found by its hash and never logged, and the page tells the browser to keep and
pass on nothing.
"""

import base64
import hashlib
import math
from collections.abc import Iterable
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from serayu.api.advice import advice
from serayu.api.context import Api, api_of
from serayu.api.middleware import policy
from serayu.api.security import EVERYBODY, Principal, client_of
from serayu.api.views import StationView
from serayu.models.access import FieldToken
from serayu.models.errors import NotFoundError
from serayu.models.siaga import Siaga
from serayu.models.texts import text

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

# What tells a farmer nothing: the device's own state, and a conductivity whose unit no farmer uses.
HIDDEN = frozenset({"battery", "signal", "ec"})
TOKEN_AT_MOST = 64
REFRESH_S = 300
SECRET_ADDRESS = {"Referrer-Policy": "no-referrer"}


@router.get("/sawah/{token}")
async def field(request: Request, _who: Annotated[Principal, Depends(EVERYBODY)], token: str) -> Response:
    """Return the page of the field that the token opens."""
    api = api_of(request)
    found = await _find(api, token)
    if found is None:
        api.failures.fail(client_of(request))
        return api.pages.response("gone.html", status=HTTPStatus.NOT_FOUND, headers=SECRET_ADDRESS)
    snapshot = await api.snapshots.get()
    view = snapshot.views.get(found.station)
    if view is None:
        raise NotFoundError("the field is no longer in the region")
    style = api.pages.farmer_style
    return api.pages.response(
        "farmer.html",
        headers={**SECRET_ADDRESS, "Content-Security-Policy": policy(styles=[style_hash(style)])},
        station=view,
        streams=[stream for stream in view.datastreams if stream.property not in HIDDEN],
        advice=advice(view),
        flood=flood_line(view, snapshot.views.values()),
        notice=api.settings.notice,
        replay=api.settings.clock == "replay",
        now_us=snapshot.now_us,
        refresh_s=REFRESH_S,
        style=style,
    )


def flood_line(field: StationView, views: Iterable[StationView], lang: str = "id") -> str | None:
    """Return a line on the river alerts in force; None without any.

    It names the post with the highest level, of several the one nearest to the field.
    """
    active = [(view, view.level) for view in views if view.level is not None and view.level.alert is not None]
    if not active:
        return None
    post, level = min(active, key=lambda found: (-Siaga(found[1].siaga).rank, _far(field, found[0])))
    key = "farmer.flood" if len(active) == 1 else "farmer.flood_more"
    return text(key, lang, n=len(active), label=level.label, post=post.name)


def _far(one: StationView, other: StationView) -> float:
    """Return a distance to compare by, in degrees of latitude."""
    return math.hypot(one.lat - other.lat, (one.lon - other.lon) * math.cos(math.radians(one.lat)))


def style_hash(style: str) -> str:
    """Return what a Content-Security-Policy calls a style element of that content."""
    digest = hashlib.sha256(style.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


async def _find(api: Api, token: str) -> FieldToken | None:
    if len(token) > TOKEN_AT_MOST:
        return None
    found = await api.run(api.register.find_field_token, token)
    return found if found is not None and found.region == api.region.code else None
