"""Outlines of the region for the map: rivers, roads, boundaries, from the region folder's ``layers``."""

import re
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import FileResponse

from serayu.api.context import Api, api_of
from serayu.api.security import EVERYBODY, Principal
from serayu.models.errors import NotFoundError

__all__ = ["layer_names", "router"]

router = APIRouter()
NAME = re.compile(r"^[a-z0-9][a-z0-9_-]{0,39}$")


@router.get(
    "/layers/{name}.geojson",
    summary="One outline of the region",
    tags=["map"],
    responses={200: {"content": {"application/geo+json": {"schema": {"type": "object"}}}}},
)
async def layer(request: Request, _who: Annotated[Principal, Depends(EVERYBODY)], name: str) -> Response:
    """Return a layer of the region folder."""
    api = api_of(request)
    if name not in layer_names(api):
        raise NotFoundError("the region has no such layer")
    file = api.region.folder / "layers" / f"{name}.geojson"
    return FileResponse(
        file, media_type="application/geo+json", headers={"Cache-Control": "public, max-age=3600"}
    )


def layer_names(api: Api) -> list[str]:
    """Return the names of the layers that the region folder has."""
    found = (file.stem for file in (api.region.folder / "layers").glob("*.geojson"))
    return sorted(name for name in found if NAME.match(name))
