"""The pages for people: map, login and logout."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from serayu.api.context import Api, api_of
from serayu.api.errors import AccessError, LoginNeededError, TooManyError, UnknownCallerError
from serayu.api.landslide import has_slopes
from serayu.api.layers import layer_names, layer_sources
from serayu.api.security import (
    EVERYBODY,
    LOGIN,
    OFFICERS,
    REVIEWERS,
    ROADS,
    Principal,
    client_of,
    same_origin,
)
from serayu.api.sessions import COOKIE
from serayu.models.survey.finding import DefectClass
from serayu.models.texts import catalogue
from serayu.models.times import US_PER_HOUR, SystemClock

__all__ = ["ask_for_login", "router"]

router = APIRouter(include_in_schema=False)

SCRIPT_TEXTS = (
    "landslide.level.awas", "landslide.level.normal", "landslide.level.pantau", "landslide.level.siaga",
    "landslide.level.unknown", "landslide.level.waspada", "landslide.map.warning",
    "page.age.day", "page.age.hour", "page.age.minute", "page.age.now", "page.alerts.acknowledge",
    "page.alerts.acknowledged", "page.alerts.below", "page.alerts.ended_at",
    "page.alerts.lapsed", "page.alerts.lapsed_at", "page.alerts.lowered", "page.alerts.none_active",
    "page.alerts.not_exceeded", "page.alerts.now", "page.alerts.peak", "page.alerts.peak_so_far",
    "page.alerts.reason.forecast", "page.alerts.reason.rate_of_rise", "page.alerts.reason.threshold",
    "page.alerts.retracted", "page.alerts.since", "page.approved", "page.bulletin.areas",
    "page.bulletin.buildings", "page.bulletin.draft", "page.bulletin.expires", "page.bulletin.impact_unknown",
    "page.bulletin.monitoring", "page.bulletin.people", "page.bulletin.roads", "page.bulletin.signed",
    "page.bulletin.title", "page.close", "page.days", "page.hours",
    "page.invented", "page.invented_limits", "page.invented_mark", "page.kind.field", "page.kind.junction",
    "page.kind.rain", "page.kind.river", "page.last_value", "page.level.exceeds", "page.level.held",
    "page.level.unknown", "page.live", "page.live_empty", "page.lost.no_data", "page.lost.quiet",
    "page.lost.silent", "page.lost.since", "page.peak_doubtful",
    "page.reason.failed", "page.reason.missing", "page.reason.no_data",
    "page.reason.stale", "page.replay.live", "page.replay.stopped", "page.replay.time", "page.simulated",
    "page.thresholds",
    "page.total_1h", "page.total_1h_since", "page.total_24h", "page.total_24h_since", "page.trend.falling",
    "page.trend.rising", "page.trend.steady", "page.unverified",
    "page.wait.acknowledged", "page.wait.ended", "page.wait.hours", "page.wait.minutes", "page.wait.next",
    "page.wait.open", "page.wait.seconds", "page.wait.step",
    "review.class.alligator_crack", "review.class.landslide", "review.class.longitudinal_crack",
    "review.class.patch_repair", "review.class.pothole", "review.class.transverse_crack",
    "review.area", "review.checked", "review.layer_cut", "review.layer_cut_segments", "review.length", "review.no_road",
    "review.on_road", "review.position",
    "review.segment", "review.segment_pci", "review.segment_sdi", "review.segment_surveyed", "review.segment_unknown",
    "review.severity", "review.severity.H", "review.severity.L", "review.severity.M",
    "review.severity.tidak terukur", "review.side.kanan", "review.side.kiri", "review.side.none",
    "review.said.benar", "review.said.salah", "review.said.ubah", "review.score", "review.time", "review.time_unknown",
    "review.unchecked", "review.unchecked_person", "review.width",
)  # fmt: skip


@router.get("/")
async def map_page(request: Request, who: Annotated[Principal, Depends(EVERYBODY)]) -> Response:
    """Return the map page; what it shows comes from the api."""
    api = api_of(request)
    return api.pages.response(
        "map.html",
        region=api.region.info,
        texts={key: {lang: catalogue()[key][lang] for lang in ("id", "en")} for key in SCRIPT_TEXTS},
        layers=layer_names(api.region),
        slopes=has_slopes(api),
        sources=layer_sources(api.region),
        tiles=api.settings.tiles_url,
        who=who,
        officer=who.role in OFFICERS.roles,
        findings=who.role in ROADS.roles and await api.run(api.register.has_surveys, api.region.code),
        classes=[one.value for one in DefectClass],
        csrf=_csrf(api, who),
        replay=api.settings.clock == "replay",
        notice=api.settings.notice,
    )


@router.get("/login")
async def login_form(request: Request, _who: Annotated[Principal, Depends(EVERYBODY)]) -> Response:
    """Return the page that asks for a key."""
    return api_of(request).pages.response("login.html", problem=None, to="/")


@router.post("/login")
async def login(
    request: Request,
    _who: Annotated[Principal, Depends(LOGIN)],
    key: Annotated[str, Form(max_length=200)],
    to: Annotated[str, Form(max_length=200)] = "/",
) -> Response:
    """Exchange a key for a session cookie and go to the map or the page asked for; a wrong key gets the form again."""
    api = api_of(request)
    to = REVIEWERS.page if to == REVIEWERS.page else "/"  # never to another site
    if not same_origin(request):
        raise AccessError("the form comes from another site")
    try:
        found = await api.login(client_of(request), key.strip())
    except UnknownCallerError:
        return api.pages.response(
            "login.html", status=HTTPStatus.UNAUTHORIZED, problem="page.login.wrong", to=to
        )
    except TooManyError as error:
        headers = {"Retry-After": str(error.retry_after_s)}
        status = HTTPStatus.TOO_MANY_REQUESTS
        return api.pages.response(
            "login.html", status=status, headers=headers, problem="page.login.wait", to=to
        )
    hours = api.settings.session_hours
    until_us = SystemClock().now_us() + round(hours * US_PER_HOUR)
    response = RedirectResponse(to, HTTPStatus.SEE_OTHER)
    response.set_cookie(
        COOKIE,
        api.sessions.cookie(found.id, until_us=until_us),
        max_age=round(hours * 3600),
        httponly=True,
        samesite="strict",
        secure=api.settings.profile == "production" or request.url.scheme == "https",
    )
    return response


@router.post("/logout")
async def logout(_who: Annotated[Principal, Depends(EVERYBODY)]) -> Response:
    """End the session."""
    response = RedirectResponse("/", HTTPStatus.SEE_OTHER)
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return response


async def ask_for_login(request: Request, error: Exception) -> Response:
    """Return the form of the login to somebody who opened a page that needs one."""
    to = error.to if isinstance(error, LoginNeededError) else "/"
    return api_of(request).pages.response("login.html", status=HTTPStatus.UNAUTHORIZED, problem=None, to=to)


def _csrf(api: Api, who: Principal) -> str:
    return "" if who.session is None else api.sessions.csrf(who.session)
