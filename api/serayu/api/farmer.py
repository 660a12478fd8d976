"""The farmer's page ``/sawah/<token>``: one field, large, plain, without script, small enough for a poor link.

The token is the only secret; it is found by its hash and never logged, and the page tells the browser to keep and
pass on nothing.
"""

import base64
import hashlib
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from serayu.api.advice import advice
from serayu.api.context import Api, api_of
from serayu.api.middleware import policy
from serayu.api.security import EVERYBODY, Principal, client_of
from serayu.models.access import FieldToken
from serayu.models.errors import NotFoundError

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

HIDDEN = frozenset({"battery", "signal"})
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
        now_us=snapshot.now_us,
        refresh_s=REFRESH_S,
        style=style,
    )


def style_hash(style: str) -> str:
    """Return what a Content-Security-Policy calls a style element of that content."""
    digest = hashlib.sha256(style.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


async def _find(api: Api, token: str) -> FieldToken | None:
    if len(token) > TOKEN_AT_MOST:
        return None
    found = await api.run(api.register.find_field_token, token)
    return found if found is not None and found.region == api.region.code else None
