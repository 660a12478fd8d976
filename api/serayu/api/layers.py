"""Outlines of the region for the map: rivers, roads, boundaries, from the region folder's ``layers``."""

import tomllib
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import FileResponse

from serayu.api.context import api_of
from serayu.api.security import EVERYBODY, Principal
from serayu.models.errors import BadInputError, NotFoundError
from serayu.models.region import Region

__all__ = ["layer_names", "layer_sources", "router"]

router = APIRouter(prefix="/api/v1")
LAYERS = ("kabupaten", "kecamatan", "waterways", "roads", "settlements")
"""What the map draws, from below to above; villages would be too much for a phone."""
SOURCES = "SOURCES.toml"


@router.get(
    "/layers/{name}.geojson",
    summary="One outline of the region",
    tags=["map"],
    responses={200: {"content": {"application/geo+json": {"schema": {"type": "object"}}}}},
)
async def layer(request: Request, _who: Annotated[Principal, Depends(EVERYBODY)], name: str) -> Response:
    """Return a layer of the region folder."""
    api = api_of(request)
    if name not in layer_names(api.region):
        raise NotFoundError("the region has no such layer")
    file = api.region.folder / "layers" / f"{name}.geojson"
    return FileResponse(
        file, media_type="application/geo+json", headers={"Cache-Control": "public, max-age=3600"}
    )


def layer_names(region: Region) -> list[str]:
    """Return the names of the layers that the region folder has."""
    return [name for name in LAYERS if (region.folder / "layers" / f"{name}.geojson").is_file()]


def layer_sources(region: Region) -> list[str]:
    """Return who is to be named below the map: the licence that each layer states, each once.

    Raises
    ------
    BadInputError
        The file of sources is not TOML.
    """
    file = region.folder / "layers" / SOURCES
    try:
        layers = tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return []
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInputError(f"not TOML: {error}", file=file) from None
    shown = [layers[name] for name in layer_names(region) if isinstance(layers.get(name), dict)]
    return [credit for credit in dict.fromkeys(_credit(entry) for entry in shown) if credit]


def _credit(entry: Mapping[str, object]) -> str:
    stated = entry.get("licence", ())
    return "; ".join(map(str, stated)) if isinstance(stated, list) else str(stated)
