"""Stations: the list with everything that is known now, one station, GeoJSON."""

from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel

from serayu.api.context import Api, api_of
from serayu.api.forecast_views import ForecastView, forecast_view
from serayu.api.security import EVERYBODY, Principal
from serayu.api.snapshot import Body, Snapshot
from serayu.api.views import StationView
from serayu.models.errors import NotFoundError
from serayu.models.station import Station

__all__ = ["StationDocument", "StationsDocument", "router", "visible_station"]

router = APIRouter(prefix="/api/v1")
GEOJSON = "application/geo+json"
COMPRESS_FROM = 1024


class Asked(BaseModel, extra="forbid"):
    """What a request for the list may say."""

    format: Literal["json", "geojson"] = "json"


class StationDocument(StationView, frozen=True, kw_only=True):
    """One station; `forecast` is null where it is no river post with limits."""

    forecast: ForecastView | None


class StationsDocument(msgspec.Struct, frozen=True):
    """The list of stations as of `time`.

    Parameters
    ----------
    newest
        Phenomenon time of the newest reading of the region; null before the first.
    version
        Changes with any reading, alert or silence, not with ages.
    """

    region: str
    time: str
    newest: str | None
    version: str
    stations: tuple[StationView, ...]


@router.get(
    "/stations",
    summary="All stations with thresholds, level, last values, ages and flags",
    tags=["stations"],
    responses={
        200: {
            "description": "Stations that the caller may see.",
            "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/StationsDocument"}},
                GEOJSON: {"schema": {"type": "object"}},
            },
        },
        304: {"description": "Nothing new since the given ETag; only ages have grown."},
    },
)
async def stations(
    request: Request,
    who: Annotated[Principal, Depends(EVERYBODY)],
    asked: Annotated[Asked, Query()],
) -> Response:
    """Return the list of stations; a stale, failed or missing value is never the present value."""
    snapshot = await api_of(request).snapshots.get()
    if asked.format == "geojson":
        return _response(request, snapshot, snapshot.geojson(who.audience), GEOJSON)
    return _response(request, snapshot, snapshot.stations(who.audience), "application/json")


@router.get(
    "/stations.geojson",
    summary="The same stations as GeoJSON",
    tags=["stations"],
    responses={200: {"description": "RFC 7946.", "content": {GEOJSON: {"schema": {"type": "object"}}}}},
)
async def stations_geojson(request: Request, who: Annotated[Principal, Depends(EVERYBODY)]) -> Response:
    """Return the stations as a FeatureCollection."""
    snapshot = await api_of(request).snapshots.get()
    return _response(request, snapshot, snapshot.geojson(who.audience), GEOJSON)


@router.get(
    "/stations/{station_id}",
    summary="One station",
    tags=["stations"],
    responses={
        200: {
            "description": "The station.",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/StationDocument"}}},
        }
    },
)
async def station(
    request: Request, who: Annotated[Principal, Depends(EVERYBODY)], station_id: str
) -> Response:
    """Return one station as it stands in the list, with its forecast."""
    api = api_of(request)
    found = visible_station(api, who, station_id)
    snapshot = await api.snapshots.get()
    piece, forecast, told = snapshot.pieces[station_id], b"null", ""
    if found.thresholds is not None:
        view = await api.run(forecast_view, api, found, now_us=await api.present_us())
        forecast, told = msgspec.json.encode(view), f"-{view.reason or ''}{view.issued or ''}"
    body = Body(piece[:-1] + b',"forecast":' + forecast + b"}", f'W/"{snapshot.version}-{station_id}{told}"')
    return _response(request, snapshot, body, "application/json")


def visible_station(api: Api, who: Principal, station_id: str) -> Station:
    """Return a station of the region.

    Raises
    ------
    NotFoundError
        No such station, or the caller may not know of it.
    """
    found = api.region.stations.get(station_id)
    if found is None or not (found.kind in who.audience.kinds or found.id in who.audience.own):
        raise NotFoundError(f"station {station_id!r} is not in region {api.region.code}")
    return found


def _response(request: Request, snapshot: Snapshot, body: Body, media_type: str) -> Response:
    headers = {
        "ETag": body.etag,
        "Cache-Control": "no-cache",
        "Vary": "Accept-Encoding, Authorization, X-API-Key, Cookie",
    }
    if body.etag in [tag.strip() for tag in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers=headers)
    content = body.plain
    if len(content) >= COMPRESS_FROM and "gzip" in request.headers.get("accept-encoding", ""):
        content = snapshot.compressed(body)
        headers["Content-Encoding"] = "gzip"
    return Response(content, media_type=media_type, headers=headers)
