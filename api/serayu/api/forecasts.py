"""The address of a post's forecast."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Request, Response

from serayu.api.context import api_of
from serayu.api.forecast_views import forecast_view
from serayu.api.security import EVERYBODY, Principal
from serayu.api.stations import visible_station

__all__ = ["router"]

router = APIRouter(prefix="/api/v1")


@router.get(
    "/stations/{station_id}/forecast",
    summary="The latest forecast of a post, or why there is none",
    tags=["stations"],
    responses={
        200: {
            "description": "The forecast.",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ForecastView"}}},
        }
    },
)
async def forecast(
    request: Request, who: Annotated[Principal, Depends(EVERYBODY)], station_id: str
) -> Response:
    """Return level and 10-90 % band at each horizon with skill; a forecast without skill is not shown, and says so."""
    api = api_of(request)
    station = visible_station(api, who, station_id)
    view = await api.run(forecast_view, api, station, now_us=await api.present_us())
    return Response(
        msgspec.json.encode(view), media_type="application/json", headers={"Cache-Control": "no-cache"}
    )
