"""The page ``/peringatan``: bulletins in force in three registers, large, without script."""

from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, Request, Response

from serayu.api.bulletins import shown_status, signed_or_agency
from serayu.api.context import api_of
from serayu.api.nowcasts import nowcasts_here
from serayu.api.security import EVERYBODY, Principal
from serayu.api.watched import watched
from serayu.models.alert_text import LEVEL_STYLES
from serayu.models.texts import DRAFTS, LANGUAGES, text
from serayu.models.warning import registers
from serayu.models.warning.bulletin import Bulletin

__all__ = ["router"]

router = APIRouter(include_in_schema=False)
REFRESH_S = 60
SHOWN_AT_MOST = 50


class Said(NamedTuple):
    """A bulletin in one language; the places stand between what is said before and after them."""

    lang: str
    draft: bool
    headline: str
    instruction: str
    before: list[str]
    places_title: str
    places: list[str]
    after: list[str]


class Shown(NamedTuple):
    """A bulletin as the page shows it."""

    bulletin: Bulletin
    sign: str
    label: str
    said: list[Said]
    cap: bool


@router.get("/peringatan")
async def warnings(request: Request, who: Annotated[Principal, Depends(EVERYBODY)]) -> Response:
    """Return the page of the bulletins in force, the worst first, and of what is only monitored."""
    api = api_of(request)
    now_us = await api.present_us()
    found = await api.run(
        api.register.bulletins,
        api.region.code,
        status=shown_status(api, who),
        active_at_us=now_us,
        limit=SHOWN_AT_MOST,
    )
    weather = await api.run(nowcasts_here, api, who, rules_us=now_us, now_us=api.clock.now_us())
    worst_first = sorted(found, key=lambda one: (-one.level.rank, -one.sent_us))
    return api.pages.response(
        "warnings.html",
        region=api.region.info,
        shown=await api.run(_shown, worst_first, who),
        watched=await api.run(watched, api, found, now_us=now_us),
        now_us=now_us,
        weather=weather,
        posts={one.id: one.name for one in api.region.stations.values()},
        refresh_s=REFRESH_S,
        notice=api.settings.notice,
        replay=api.settings.clock == "replay",
    )


def _shown(found: list[Bulletin], who: Principal) -> list[Shown]:
    return [
        Shown(
            one,
            LEVEL_STYLES[one.level].sign,
            registers.label(one),
            [_said(one, lang) for lang in sorted(LANGUAGES, key=DRAFTS.__contains__)],
            signed_or_agency(who, one),
        )
        for one in found
    ]


def _said(bulletin: Bulletin, lang: str) -> Said:
    message = registers.message(bulletin, lang)
    whole, others = registers.sentences(bulletin, lang), registers.sentences(bulletin, lang, places=False)
    before = next(
        (n for n, (one, other) in enumerate(zip(whole, others, strict=False)) if one != other), len(others)
    )
    return Said(
        "jv" if lang in DRAFTS else lang,
        lang in DRAFTS,
        message.headline,
        message.instruction,
        others[:before],
        text("bulletin.areas.word", lang),
        registers.places(bulletin, lang),
        others[before:],
    )
