"""Drone surveys: published as one bundle, read as findings on the ground and condition of road segments.

Findings are for who works on the roads: Dishub, operators and crews. The public sees rivers, rain and alerts.
"""

import contextlib
from pathlib import Path
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import BaseModel, Field

from serayu.api.bulletins import UNCHANGED
from serayu.api.conditional import conditional
from serayu.api.context import Api, api_of
from serayu.api.errors import TooLargeError
from serayu.api.security import OFFICERS, ROADS, Principal
from serayu.models.errors import BadInputError, NotFoundError
from serayu.models.stores.survey_files import FOLDER, Published, keep_bundle, picture_file, withdraw
from serayu.models.stores.survey_staging import sweep, upload_file
from serayu.models.survey.bundle import Bundle, read_bundle
from serayu.models.survey.entry import (
    BBox,
    FindingEntry,
    Wanted,
    Withdrawn,
    review_document,
    survey_document,
)
from serayu.models.survey.finding import DefectClass
from serayu.models.times import SystemClock

__all__ = ["feature_of", "router"]

router = APIRouter(prefix="/api/v1", tags=["surveys"])
JSON, GEOJSON, JPEG, ZIP = "application/json", "application/geo+json", "image/jpeg", "application/zip"
LIMIT, LIMIT_AT_MOST = 100, 1000
PUBLISHED_EXAMPLE = {
    "survey": "019f1b67-9100-7000-b2ad-ea27d3be6201",
    "sha256": "7af5fb84fa86a9bf33003341750f3d52b07b5f29ffd289840063d56c94fd1174",
    "findings": 7,
    "segments": 1,
    "pictures": 7,
    "overlaps": [
        {
            "survey": "019e80e6-f900-7000-b5cc-9cf0ae0a7f21",
            "first": "2026-06-01T02:00:00Z",
            "published": "2026-06-02T02:00:00Z",
            "ruas": ["CONTOH-01"],
            "km": 0.1,
        }
    ],
}
WITHDRAWN_EXAMPLE = {
    "survey": PUBLISHED_EXAMPLE["survey"],
    "withdrawn": True,
    "findings": 7,
    "segments": 1,
    "reviews": 2,
}
_GEOJSON_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"description": "RFC 7946.", "content": {GEOJSON: {"schema": {"type": "object"}}}},
    **UNCHANGED,
}


class Placed(BaseModel, extra="forbid"):
    """What a request for segments may say."""

    bbox: Annotated[str | None, Field(description="west,south,east,north in degrees.")] = None
    ruas: Annotated[str | None, Field(max_length=40, description="Number of a road.")] = None
    survey: Annotated[str | None, Field(max_length=64, description="Id of a survey.")] = None
    limit: Annotated[int, Field(ge=1, le=LIMIT_AT_MOST)] = LIMIT
    cursor: Annotated[str | None, Field(max_length=36, description="`next` of the page before.")] = None


class Asked(Placed):
    """What a request for findings may say."""

    label: Annotated[DefectClass | None, Field(alias="class", description="Only that class.")] = None
    score: Annotated[
        float | None,
        Field(
            ge=0, le=1, description="At least; a finding without a score, boxed by a person, always passes."
        ),
    ] = None
    reviewed: Annotated[bool | None, Field(description="Only with, or only without, a review.")] = None


@router.post(
    "/surveys",
    summary="Publish a survey: its bundle as one zip",
    status_code=201,
    responses={
        201: {"description": "Published.", "content": {JSON: {"example": PUBLISHED_EXAMPLE}}},
        200: {"description": "The same bundle was there; nothing changed.", "content": {JSON: {}}},
        409: {"description": "Another bundle has this survey id."},
        413: {"description": "The zip is larger than this site takes."},
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": (
                "`survey.json`, `findings.geojson` (properties: docs/schemas/finding.schema.json), "
                "`segments.geojson`, `sightings.json` where training labels shall come of reviews, and "
                "`crops/<finding>.jpg`, as `serayu vision survey` writes them; nothing else."
            ),
            "content": {ZIP: {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def publish(
    request: Request,
    who: Annotated[Principal, Depends(OFFICERS)],
    key: Annotated[
        str | None, Header(alias="Idempotency-Key", description="8 to 200 characters, required.")
    ] = None,
) -> Response:
    """Take a bundle whole or not at all; the same one again answers 200 and changes nothing."""
    api = api_of(request)
    known_key = api.answers.check(key)  # before the upload
    folder = api.settings.data_dir / FOLDER
    await api.run(sweep, folder)  # what a kill left takes room
    with upload_file(folder) as upload:
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > api.settings.survey_bytes:
                raise TooLargeError(f"the bundle is larger than {api.settings.survey_bytes} bytes")
            await api.run(upload.write, chunk)
        await api.run(upload.flush)
        if not size:
            raise BadInputError("expected a zip", field="body")
        bundle = await api.run(read_bundle, Path(upload.name))
        with contextlib.closing(bundle.zip):
            question = ("survey", bundle.digest)  # of the contents: packed anew it is the same
            api.answers.find(who.id, known_key, question)  # refuses a key used for another bundle
            # What it answered is not given again unasked: the survey may have been withdrawn since.
            done = await api.run(_keep, api, bundle, who.name)
    said = {
        "survey": done.survey,
        "sha256": done.digest,
        "findings": done.findings,
        "segments": done.segments,
        "pictures": done.pictures,
        "overlaps": done.overlaps,
    }
    answer = msgspec.json.encode(said)
    api.answers.keep(who.id, known_key, question, answer)
    headers = {"Cache-Control": "no-store", "Location": f"/api/v1/surveys/{done.survey}"}
    return Response(answer, 201 if done.created else 200, headers, media_type=JSON)


@router.get("/surveys", summary="Surveys, the last published first", responses={200: {"content": {JSON: {}}}})
async def surveys(request: Request, _who: Annotated[Principal, Depends(ROADS)]) -> Response:
    """Return all surveys, a thousand at most."""
    api = api_of(request)
    found = await api.run(api.register.surveys, api.region.code)
    content = msgspec.json.encode({"surveys": [survey_document(one) for one in found]})
    return conditional(request, content, JSON)


@router.get("/surveys/{survey_id}", summary="One survey", responses={200: {"content": {JSON: {}}}})
async def survey(request: Request, _who: Annotated[Principal, Depends(ROADS)], survey_id: str) -> Response:
    """Return a survey with its summary: what was read, with what, what was left out and why."""
    api = api_of(request)
    found = await api.run(api.register.survey, api.region.code, survey_id)
    return conditional(request, msgspec.json.encode(survey_document(found, whole=True)), JSON)


@router.delete(
    "/surveys/{survey_id}",
    summary="Withdraw a survey",
    responses={200: {"description": "It is not there.", "content": {JSON: {"example": WITHDRAWN_EXAMPLE}}}},
)
async def withdraw_survey(
    request: Request, who: Annotated[Principal, Depends(OFFICERS)], survey_id: str
) -> Response:
    """Remove a survey with its findings, their reviews, its segments and pictures; again, it changes nothing.

    That it was published, reviewed and withdrawn, by whom and when, stays in the audit trail.
    """
    done = await api_of(request).run(_withdraw, api_of(request), survey_id, who.name)
    counts = (Withdrawn(0, 0, 0) if done is None else done)._asdict()
    said = {"survey": survey_id, "withdrawn": done is not None, **counts}
    return Response(msgspec.json.encode(said), media_type=JSON, headers={"Cache-Control": "no-store"})


@router.get("/findings", summary="Findings as GeoJSON, the newest first", responses=_GEOJSON_ANSWER)
async def findings(
    request: Request, _who: Annotated[Principal, Depends(ROADS)], asked: Annotated[Asked, Query()]
) -> Response:
    """Return a page of findings; each feature has its last `review` and the address of its `picture` beside."""
    api = api_of(request)
    found = await api.run(
        api.register.findings, api.region.code, _wanted(asked), after=asked.cursor, limit=asked.limit + 1
    )
    page = found.page[: asked.limit]
    following = page[-1].id if len(found.page) > asked.limit else None
    features = [feature_of(one) for one in page]
    document = {"type": "FeatureCollection", "total": found.total, "next": following, "features": features}
    return conditional(request, msgspec.json.encode(document), GEOJSON)


@router.get("/findings/{finding_id}/picture.jpg", summary="The picture of a finding", responses=UNCHANGED)
async def picture(request: Request, _who: Annotated[Principal, Depends(ROADS)], finding_id: str) -> Response:
    """Return the crop that shows a finding."""
    api = api_of(request)
    return conditional(request, await api.run(_picture, api, finding_id), JPEG)


@router.get("/findings/{finding_id}", summary="One finding as GeoJSON", responses=_GEOJSON_ANSWER)
async def finding(request: Request, _who: Annotated[Principal, Depends(ROADS)], finding_id: str) -> Response:
    """Return a finding as a Feature, with all that was said of it."""
    api = api_of(request)
    found = await api.run(api.register.finding, api.region.code, finding_id)
    said = await api.run(api.register.reviews, api.region.code, findings=(finding_id,))
    document = {**feature_of(found), "reviews": [review_document(one) for one in said]}
    return conditional(request, msgspec.json.encode(document), GEOJSON)


@router.get("/segments", summary="Road segments with PCI and SDI as intervals", responses=_GEOJSON_ANSWER)
async def segments(
    request: Request, _who: Annotated[Principal, Depends(ROADS)], asked: Annotated[Placed, Query()]
) -> Response:
    """Return a page of segments, the last published first; null is unknown."""
    api = api_of(request)
    if asked.cursor is not None and not (asked.cursor.isascii() and asked.cursor.isdigit()):
        raise BadInputError("expected `next` of the page before", field="cursor")
    after = None if asked.cursor is None else int(asked.cursor[:18])
    wanted = Wanted(bbox=_bbox(asked.bbox), ruas=asked.ruas, survey=asked.survey)
    found = await api.run(api.register.segments, api.region.code, wanted, after=after, limit=asked.limit + 1)
    page = found[: asked.limit]
    following = str(page[-1][0]) if len(found) > asked.limit else None
    document = {"type": "FeatureCollection", "next": following, "features": [one for _, one in page]}
    return conditional(request, msgspec.json.encode(document), GEOJSON)


def feature_of(found: FindingEntry) -> dict[str, Any]:
    """Return a finding's feature with its last review and its picture's address as foreign members."""
    place = f"/api/v1/findings/{found.id}/picture.jpg" if found.picture else None
    return {**found.feature, "review": review_document(found.review), "picture": place}


def _wanted(asked: Asked) -> Wanted:
    return Wanted(
        bbox=_bbox(asked.bbox),
        label=asked.label,
        ruas=asked.ruas,
        survey=asked.survey,
        score=asked.score,
        reviewed=asked.reviewed,
    )


def _bbox(text: str | None) -> BBox | None:
    if text is None:
        return None
    try:
        west, south, east, north = (float(one) for one in text.split(","))
    except ValueError:
        raise BadInputError("expected west,south,east,north in degrees", field="bbox") from None
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):  # noqa: PLR2004 -- degrees
        raise BadInputError("expected west <= east within ±180 and south <= north within ±90", field="bbox")
    return west, south, east, north


def _keep(api: Api, bundle: Bundle, by: str) -> Published:
    return keep_bundle(
        bundle,
        register=api.register,
        data_dir=api.settings.data_dir,
        region=api.region.code,
        by=by,
        now_us=SystemClock().now_us(),
    )


def _withdraw(api: Api, survey_id: str, by: str) -> Withdrawn | None:
    return withdraw(
        survey_id,
        register=api.register,
        data_dir=api.settings.data_dir,
        region=api.region.code,
        by=by,
        now_us=SystemClock().now_us(),
    )


def _picture(api: Api, finding_id: str) -> bytes:
    found = api.register.finding(api.region.code, finding_id)
    try:
        return picture_file(api.settings.data_dir, api.region.code, found.survey, found.id).read_bytes()
    except FileNotFoundError:
        raise NotFoundError("this finding has no picture") from None
