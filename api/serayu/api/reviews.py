"""Reviews of findings: said by people over the api or on the page ``/tinjau``, given out as training labels."""

import math
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, Body, Depends, Form, Header, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field, field_validator

from serayu.api.conditional import conditional
from serayu.api.context import Api, api_of
from serayu.api.security import OFFICERS, REVIEWERS, Principal
from serayu.models.errors import BadInputError
from serayu.models.survey.entry import FindingEntry, Order, SurveyEntry, Wanted, review_document
from serayu.models.survey.finding import DefectClass
from serayu.models.survey.labels import labels_zip
from serayu.models.survey.overlap import short_id
from serayu.models.survey.photo import CropFrame, crop_frame
from serayu.models.survey.review import Agreement, Judgement, Review, agreement
from serayu.models.texts import text
from serayu.models.times import SystemClock, wib

__all__ = ["router"]

router = APIRouter(tags=["reviews"])
JSON, ZIP = "application/json", "application/zip"
PER_PAGE = 12
_ROADS = 3  # named of a survey in the list
REVIEW_EXAMPLE = {
    "id": 1,
    "judgement": "ubah",
    "class": "alligator_crack",
    "by": "Dishub (dishub)",
    "time": "2026-07-01T02:00:00Z",
}


class Shown(BaseModel):
    """What the page shows; an empty choice is none."""

    survey: Annotated[str | None, Field(max_length=64)] = None
    label: Annotated[DefectClass | None, Field(alias="class")] = None
    state: Annotated[str, Field(pattern="^(open|done|all)$")] = "open"
    page: Annotated[int, Field(ge=1, le=100_000)] = 1

    @field_validator("survey", "label", mode="before")
    @classmethod
    def _none(cls, value: object) -> object:
        return None if value == "" else value

    def query(self, page: int) -> str:
        """Return the address's query of another page of the same."""
        chosen = {
            "survey": self.survey,
            "class": self.label and self.label.value,
            "state": self.state,
            "page": page,
        }
        return urlencode({name: value for name, value in chosen.items() if value is not None})


class Said(Shown):
    """What a form of the page says: of a finding, and where to go back to."""

    judgement: Judgement
    correct: DefectClass | None = None
    csrf: str = ""


class Item(NamedTuple):
    """A finding as the page shows it."""

    found: FindingEntry
    history: Sequence[Review]
    frame: CropFrame | None


@router.post(
    "/api/v1/findings/{finding_id}/reviews",
    summary="Say whether a finding is right",
    status_code=201,
    responses={201: {"description": "Kept.", "content": {JSON: {"example": REVIEW_EXAMPLE}}}},
)
async def add_review(
    request: Request,
    who: Annotated[Principal, Depends(OFFICERS)],
    finding_id: str,
    judgement: Annotated[Judgement, Body()],
    label: Annotated[DefectClass | None, Body(alias="class")] = None,
    key: Annotated[
        str | None, Header(alias="Idempotency-Key", description="8 to 200 characters, required.")
    ] = None,
) -> Response:
    """Keep `benar`, `salah`, or `ubah` with the right `class`; the last review counts, the history is kept."""
    api = api_of(request)
    question = ("review", finding_id, judgement.value, "" if label is None else label.value)
    answer = api.answers.find(who.id, key, question)
    if answer is None:
        answer = msgspec.json.encode(review_document(await _keep(api, who, finding_id, judgement, label)))
        api.answers.keep(who.id, str(key), question, answer)
    return Response(answer, 201, media_type=JSON, headers={"Cache-Control": "no-store"})


@router.get(
    "/api/v1/reviews/labels.zip",
    summary="Training labels (YOLO) of reviewed findings",
    responses={200: {"description": "See README.txt in it.", "content": {ZIP: {}}}},
)
async def labels(
    request: Request,
    _who: Annotated[Principal, Depends(OFFICERS)],
    survey: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    """Return labels of photos: confirmed and corrected boxes; rejected ones are background."""
    content = await api_of(request).run(_labels, api_of(request), survey)
    answer = conditional(request, content, ZIP)
    answer.headers["Content-Disposition"] = 'attachment; filename="labels.zip"'
    return answer


@router.get(
    "/api/v1/reviews/agreement",
    summary="How the detector and reviewers agree",
    responses={200: {"content": {JSON: {}}}},
)
async def agreements(
    request: Request,
    _who: Annotated[Principal, Depends(OFFICERS)],
    survey: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    """Return counts and precision with Wilson's interval of each class, and Cohen's kappa of each two reviewers."""
    api = api_of(request)
    found = await api.run(_agreement, api, survey)
    return conditional(request, msgspec.json.encode(found), JSON)


@router.get("/tinjau", include_in_schema=False)
async def review_page(
    request: Request, who: Annotated[Principal, Depends(REVIEWERS)], shown: Annotated[Shown, Query()]
) -> Response:
    """Return the page of findings to review, the most doubtful first; it works without script."""
    api = api_of(request)
    return await api.run(_page, api, who, shown)


@router.post("/tinjau/{finding_id}", include_in_schema=False)
async def review_form(
    request: Request,
    who: Annotated[Principal, Depends(REVIEWERS)],
    finding_id: str,
    said: Annotated[Said, Form()],
) -> Response:
    """Keep what a form says and go back to the list."""
    corrected = said.correct if said.judgement is Judgement.CORRECTED else None
    await _keep(api_of(request), who, finding_id, said.judgement, corrected)
    return RedirectResponse(f"/tinjau?{said.query(said.page)}", HTTPStatus.SEE_OTHER)


async def _keep(
    api: Api, who: Principal, finding_id: str, judgement: Judgement, label: DefectClass | None
) -> Review:
    if who.key is None:  # pragma: no cover -- the route's roles all have keys
        raise BadInputError("a review needs a name")
    return await api.run(
        api.register.add_review,
        api.region.code,
        finding_id,
        judgement,
        label=label,
        key_id=who.key.id,
        name=who.name,
        now_us=SystemClock().now_us(),
    )


def _labels(api: Api, survey: str | None) -> bytes:
    region, register = api.region.code, api.register
    photos = register.survey_photos(region, survey)
    return labels_zip(
        photos, register.reviews(region, survey_id=survey), register.finding_labels(region, survey)
    )


def _agreement(api: Api, survey: str | None) -> Agreement:
    return agreement(api.register.review_tally(api.region.code, survey))


def _frames(api: Api, page: Sequence[FindingEntry]) -> dict[str, CropFrame]:
    """Return where the picture of each finding shows it; nothing where the photo shows it twice or has no boxes."""
    measured = {one.id: (one.survey, one.feature["properties"]["photo"]) for one in page if one.picture}
    names = {photo for _, photo in measured.values()}
    frames: dict[str, CropFrame] = {}
    for survey, photo in api.register.survey_photos(api.region.code, names=names):
        boxes: dict[str, list[tuple[float, float, float, float]]] = {}
        for box in photo.boxes:
            if measured.get(box.finding) == (survey, photo.photo):
                boxes.setdefault(box.finding, []).append(box.xyxy_px)
        for finding, own in boxes.items():
            if len(own) == 1:
                frames[finding] = crop_frame(own[0], width_px=photo.width_px, height_px=photo.height_px)
    return frames


def _named(one: SurveyEntry, roads: Sequence[str]) -> str:
    """Return what tells a survey from others in a list: two of one road and hour are alike but for the last parts."""
    more = [f"+{len(roads) - _ROADS}"] if len(roads) > _ROADS else []
    return text(
        "review.survey_option",
        source=one.source,
        time=text("review.time_unknown") if one.first_us is None else wib(one.first_us),
        ruas="".join(f", {road}" for road in [*roads[:_ROADS], *more]),
        n=one.findings,
        published=wib(one.published_us),
        short=short_id(one.id),
    )


def _page(api: Api, who: Principal, shown: Shown) -> Response:
    region = api.region.code
    reviewed = {"open": False, "done": True, "all": None}[shown.state]
    wanted = Wanted(survey=shown.survey, label=shown.label, reviewed=reviewed)
    total = api.register.findings(region, wanted, limit=0).total
    pages = max(1, math.ceil(total / PER_PAGE))
    page = min(shown.page, pages)
    skip = (page - 1) * PER_PAGE
    found = api.register.findings(region, wanted, order=Order.DOUBTFUL, skip=skip, limit=PER_PAGE)
    history: dict[str, list[Review]] = {}
    for one in api.register.reviews(region, findings=[one.id for one in found.page]):
        history.setdefault(one.finding, []).append(one)
    roads = api.register.survey_roads(region)
    known = api.register.surveys(region)
    surveys = [(one.id, _named(one, roads.get(one.id, ()))) for one in known]
    listed = [one for one in known if shown.survey in (None, one.id)]
    frames = _frames(api, found.page)
    values: Mapping[str, Any] = {
        "items": [Item(one, history.get(one.id, [])[::-1], frames.get(one.id)) for one in found.page],
        "total": found.total,
        "page": page,
        "pages": pages,
        "surveys": surveys,
        "restrictions": dict.fromkeys(told for one in listed for told in one.restrictions),
        "agreement": _agreement(api, shown.survey),
    }
    return api.pages.response(
        "review.html",
        region=api.region.info,
        shown=shown,
        classes=[one.value for one in DefectClass],
        sizes=(("length", "length_m", "m", 2), ("width", "width_mm", "mm", 1), ("area", "area_m2", "m²", 2)),
        csrf="" if who.session is None else api.sessions.csrf(who.session),
        who=who,
        notice=api.settings.notice,
        replay=api.settings.clock == "replay",
        **values,
    )
