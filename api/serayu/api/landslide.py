"""Landslides: the newest assessment of each road, with rules, numbers and what is missing, and the slopes for maps."""

from collections.abc import Mapping
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Request, Response

from serayu.api.bulletins import UNCHANGED, shown_status
from serayu.api.conditional import conditional
from serayu.api.context import Api, api_of
from serayu.api.security import EVERYBODY, Principal
from serayu.models.errors import NotFoundError
from serayu.models.landslide.published import landslide_document, shown_report
from serayu.models.landslide.watch import LandslideRecord
from serayu.models.warning.bulletin import Bulletin, BulletinStatus

__all__ = ["has_slopes", "router"]

router = APIRouter(prefix="/api/v1", tags=["landslide"])
JSON, GEOJSON = "application/json", "application/geo+json"
SLOPES_FILE = "slopes.geojson"
_SCHEMA = {"schema": {"type": "object"}}


@router.get(
    "/landslide",
    summary="Landslide level of each road, with rules, numbers and what is missing",
    responses={200: {"content": {JSON: _SCHEMA}}, **UNCHANGED},
)
async def landslide(request: Request, who: Annotated[Principal, Depends(EVERYBODY)]) -> Response:
    """Return the newest assessment; `unknown` is not `normal`, and one older than 30 minutes is unknown altogether."""
    api = api_of(request)
    now_us = await api.present_us()
    content = await api.run(_document, api, shown_status(api, who), now_us)
    return conditional(request, content, JSON)


@router.get(
    "/landslide.geojson",
    summary="The slopes above the roads with their levels, as GeoJSON",
    responses={200: {"description": "RFC 7946.", "content": {GEOJSON: _SCHEMA}}, **UNCHANGED},
)
async def landslide_geojson(request: Request, _who: Annotated[Principal, Depends(EVERYBODY)]) -> Response:
    """Return the slope units of the region; properties as in the other document's `units`."""
    api = api_of(request)
    now_us = await api.present_us()
    content = await api.run(_features, api, now_us)
    return conditional(request, content, GEOJSON)


def has_slopes(api: Api) -> bool:
    """Whether the region has slope units."""
    return (api.region.folder / SLOPES_FILE).is_file()


def _record(api: Api) -> LandslideRecord:
    if not has_slopes(api):
        raise NotFoundError("the region has no slope units")
    found = api.register.landslide(api.region.code)
    if found is None:
        raise NotFoundError("the slopes have not been assessed yet")
    return found


def _document(api: Api, status: BulletinStatus | None, now_us: int) -> bytes:
    record = _record(api)
    return msgspec.json.encode(landslide_document(record, _newest(api, record, status), now_us=now_us))


def _newest(api: Api, record: LandslideRecord, status: BulletinStatus | None) -> Mapping[str, Bulletin]:
    """Return the newest bulletin of each road's alert that the caller may know of."""
    ids = [watch.alert_id for watch in record.roads.values() if watch.alert_id is not None]
    found = {alert_id: api.register.latest_bulletin(alert_id) for alert_id in ids}
    return {
        alert_id: one for alert_id, one in found.items() if one is not None and status in (None, one.status)
    }


def _features(api: Api, now_us: int) -> bytes:
    from serayu.models.landslide.document import units_geojson  # noqa: PLC0415 -- shapely: only for who asks
    from serayu.models.landslide.units import read_units  # noqa: PLC0415 -- the same

    report = shown_report(_record(api), now_us=now_us)
    units = read_units(api.region.folder / SLOPES_FILE)
    known = {placed.unit.id for placed in units}  # the file may have been edited since
    there = tuple(one for one in report.units if one.id in known)
    return msgspec.json.encode(units_geojson(msgspec.structs.replace(report, units=there), units))
