"""The scorecard: computed now and then in a worker, kept, and shown as JSON and as the page ``/nilai``."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NamedTuple

import msgspec
from fastapi import APIRouter, Depends, Request, Response

from serayu.api.conditional import conditional
from serayu.api.context import Api, api_of
from serayu.api.security import EVERYBODY, Principal
from serayu.models.alert_text import LEVEL_STYLES
from serayu.models.flood.history import live_scorecard
from serayu.models.siaga_levels import Siaga
from serayu.models.texts import decimal, text
from serayu.models.times import parse_rfc3339, wib

__all__ = ["ScoreKeeper", "router"]

router = APIRouter()
JSON = "application/json"
LEVELS = ("awas", "siaga", "waspada")
SHOWN_AT_MOST = 100
HOUR_MIN = 60.0
MINUTE_S = 60.0


class ScoreKeeper:
    """Keeps the last scorecard; the whole history is read again only when something has changed, and not at every call.

    Parameters
    ----------
    least_s, most_s
        After a change it is computed again, but not more often than the first, and at least as often as the second: an
        event that nobody warned of changes no alert.
    """

    def __init__(self, *, least_s: float, most_s: float) -> None:
        self._least_s = least_s
        self._most_s = most_s
        self._lock = asyncio.Lock()
        self._document: dict[str, Any] | None = None
        self._content = b""
        self._seen: tuple[int, int] = (-1, -1)
        self._made_s = 0.0
        self.computed = 0

    async def content(self, api: Api) -> bytes:
        """Return the document as JSON."""
        await self.document(api)
        return self._content

    async def document(self, api: Api) -> Mapping[str, Any]:
        """Return the scorecard up to the present, or to the recent past."""
        async with self._lock:
            seen = await api.run(_seen, api)
            age_s = time.monotonic() - self._made_s
            old = age_s >= self._most_s or (seen != self._seen and age_s >= self._least_s)
            if self._document is None or old:
                until_us = await api.present_us()
                self._document = await api.run(
                    live_scorecard, api.register, api.hot, api.region, until_us=until_us
                )
                self._content = msgspec.json.encode(self._document)
                self._seen, self._made_s = seen, time.monotonic()
                self.computed += 1
            return self._document


def _seen(api: Api) -> tuple[int, int]:
    return api.register.last_change_id(), api.register.last_bulletin_number()


class Row(NamedTuple):
    """One level of one post, or of all: `events` is `hits` + `late` + `missed`; the late are not called false."""

    level: str
    sign: str
    label: str
    events: int
    hits: int
    late: int
    missed: int
    false: int
    shares: Sequence[tuple[str, str]]  # number and interval of POD, FAR and CSI
    leads: Sequence[tuple[str, str]]  # of the median and the tenth percentile
    acknowledged: str


class Line(NamedTuple):
    """One warning, or one event without."""

    at: str
    post: str
    level: str
    label: str
    outcome: str
    issued: str
    crossing: str
    lead: str


@router.get(
    "/api/v1/scorecard",
    summary="How good the warnings were: POD, FAR, CSI, lead times, with 90 % intervals",
    tags=["scorecard"],
    responses={
        200: {"content": {JSON: {"schema": {"type": "object"}}}},
        304: {"description": "Nothing new since the given ETag."},
    },
)
async def scorecard(request: Request, _who: Annotated[Principal, Depends(EVERYBODY)]) -> Response:
    """Return scores per post and level, by what was told and what the river did, and the list behind them."""
    api = api_of(request)
    return conditional(request, await api.scores.content(api), JSON)


@router.get("/nilai", include_in_schema=False)
async def page(request: Request, _who: Annotated[Principal, Depends(EVERYBODY)]) -> Response:
    """Return the page of the scorecard."""
    api = api_of(request)
    document = await api.scores.document(api)
    rules = document["definitions"]["bootstrap"]
    together = _rows(document["together"])
    return api.pages.response(
        "scorecard.html",
        region=api.region.info,
        since=wib(parse_rfc3339(document["since"])),
        until=wib(parse_rfc3339(document["until"])),
        bulletins=document["bulletins"],
        invented=bool(document["invented_limits"]),
        small=max(row.events for row in together) < rules["at_least"],  # a worse flood is one of each level
        nothing=not document["records"],
        rules={**rules, "confidence": round(100 * document["definitions"]["confidence"])},
        together=together,
        posts=[
            (one["name"], [row for row in _rows(one["levels"]) if row.events or row.false])
            for one in document["stations"].values()
        ],
        lines=[_line(one, document["stations"]) for one in reversed(document["records"])][:SHOWN_AT_MOST],
        notice=api.settings.notice,
        replay=api.settings.clock == "replay",
    )


def _rows(levels: Mapping[str, Mapping[str, Any]]) -> list[Row]:
    return [_row(level, levels[level]) for level in LEVELS]


def _row(level: str, row: Mapping[str, Any]) -> Row:
    siaga = Siaga(level)
    median_s, p90_s = row["acknowledge_median_s"]["value"], row["acknowledge_p90_s"]["value"]
    acknowledged = (
        "–" if median_s is None else f"{_minutes(median_s / MINUTE_S)}; {_minutes(p90_s / MINUTE_S)}"
    )
    return Row(
        level,
        LEVEL_STYLES[siaga].sign,
        siaga.label,
        row["events"],
        row["hits"],
        row["late"],
        row["misses"] - row["late"],
        row["false_alarms"] - row["late_ahead"],
        [_estimate(row[name], _percent) for name in ("pod", "far", "csi")],
        [_estimate(row[name], _minutes) for name in ("lead_median_min", "lead_p10_min")],
        acknowledged,
    )


def _estimate(one: Mapping[str, Any], form: Any) -> tuple[str, str]:  # noqa: ANN401 -- a function of a number
    if one["value"] is None:
        return "–", ""
    interval = (
        "" if one["low"] is None else text("score.interval", low=form(one["low"]), high=form(one["high"]))
    )
    return form(one["value"]), interval


def _percent(value: float) -> str:
    return f"{decimal(100 * value, 0)} %"


def _minutes(value: float) -> str:
    if abs(value) < HOUR_MIN:
        return text("score.minutes", n=decimal(value, 0))
    return text("score.hours", n=decimal(value / HOUR_MIN, 1))


def _line(one: Mapping[str, Any], stations: Mapping[str, Any]) -> Line:
    level = Siaga(one["level"])
    issued, crossing = (
        "–" if one[name] is None else wib(parse_rfc3339(one[name])) for name in ("issued", "crossing")
    )
    return Line(
        one["issued"] or one["crossing"],
        stations[one["station"]]["name"],
        level.value,
        level.label,
        one["outcome"],
        issued,
        crossing,
        "–" if one["lead_min"] is None else _minutes(one["lead_min"]),
    )
