"""BMKG's nowcast as a second voice: read from where a cron job puts its files, shown as BMKG's and unchanged."""

import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from serayu.api.conditional import conditional
from serayu.api.context import Api, api_of
from serayu.api.security import EVERYBODY, Principal
from serayu.models.times import US_PER_S, rfc3339

if TYPE_CHECKING:
    from serayu.models.cap.folder import NowcastFolder, Signature
    from serayu.models.cap.nowcast import Nowcast

__all__ = ["Here", "Nowcasts", "nowcasts_here", "router"]

router = APIRouter(prefix="/api/v1", tags=["nowcasts"])
JSON = "application/json"
LOOK_EVERY_S = 5.0


class Nowcasts:
    """Reads the files again when one of them has changed; threads share it.

    Parameters
    ----------
    place
        Folder or file; None where nobody has set one, and then there are no nowcasts.
    stale_after_s
        Age of the newest file from which on it is said.
    """

    def __init__(self, place: Path | None, *, stale_after_s: float) -> None:
        self.place = place
        self.stale_after_s = stale_after_s
        self._lock = threading.Lock()
        self._looked_s = -LOOK_EVERY_S
        self._signature: Signature | None = None
        self._read: NowcastFolder | None = None

    def folder(self) -> "NowcastFolder | None":
        """Return what is there; None where no place is set. Blocks for as long as reading takes."""
        if self.place is None:
            return None
        # Here, not above: lxml and shapely, which an api without nowcasts does without.
        from serayu.models.cap.folder import read_folder, signature  # noqa: PLC0415

        with self._lock:
            if self._read is None or time.monotonic() - self._looked_s >= LOOK_EVERY_S:
                found = signature(self.place)
                if self._read is None or found != self._signature:
                    self._read, self._signature = read_folder(self.place), found
                self._looked_s = time.monotonic()
            return self._read

    def health(self, now_us: int) -> dict[str, object]:
        """Return what an operator should know; it never makes the api unready."""
        folder = self.folder()
        if folder is None:
            return {"ok": True, "configured": False}
        return {
            "ok": True,
            "configured": True,
            "files": folder.files,
            "refused": folder.refused,
            "not_here": list(folder.not_here),
            "newest_s": None if folder.newest_us is None else round((now_us - folder.newest_us) / US_PER_S),
            "stale": _stale(folder, now_us, self.stale_after_s),
        }


class Here(msgspec.Struct, frozen=True):
    """One nowcast in force and our stations in it.

    Parameters
    ----------
    nowcast
        As BMKG says it.
    stations
        Ids, in order.
    age_s
        Seconds since it was effective.
    """

    nowcast: "Nowcast"
    stations: tuple[str, ...]
    age_s: int


class Shown(msgspec.Struct, frozen=True):
    """The nowcasts in force, how old the newest file is, seconds, and whether that is too old."""

    here: Sequence[Here]
    newest_s: int | None
    stale: bool


class Asked(BaseModel, extra="forbid"):
    """What a request for nowcasts may say."""

    station: Annotated[str | None, Field(description="Station id: only what it lies in.")] = None


def nowcasts_here(api: Api, who: Principal, *, rules_us: int, now_us: int) -> Shown | None:
    """Return the nowcasts in force at stations that the caller may see; None where nothing is configured.

    Parameters
    ----------
    rules_us
        The present that decides what is in force: in a replay its own.
    now_us
        The computer's, for the age of the files.
    """
    folder = api.nowcasts.folder()
    if folder is None:
        return None
    from serayu.models.cap.nowcast import nowcasts_at  # noqa: PLC0415 -- see `Nowcasts.folder`

    audience = who.audience
    visible = [
        one for one in api.region.stations.values() if one.kind in audience.kinds or one.id in audience.own
    ]
    found = nowcasts_at(folder.alerts, visible, at_us=rules_us)
    by_alert: dict[str, tuple[Nowcast, list[str]]] = {}
    for station, ones in found.items():
        for one in ones:
            by_alert.setdefault(one.identifier, (one, []))[1].append(station)
    here = [
        Here(one, tuple(sorted(stations)), max(0, (rules_us - one.effective_us) // US_PER_S))
        for one, stations in by_alert.values()
    ]
    here.sort(key=lambda one: (-one.nowcast.expires_us, one.nowcast.identifier))
    newest_s = None if folder.newest_us is None else max(0, (now_us - folder.newest_us) // US_PER_S)
    return Shown(here, newest_s, _stale(folder, now_us, api.nowcasts.stale_after_s))


def _stale(folder: "NowcastFolder", now_us: int, after_s: float) -> bool:
    from serayu.models.cap.folder import is_stale  # noqa: PLC0415 -- see `Nowcasts.folder`

    return is_stale(folder, now_us=now_us, after_s=after_s)


@router.get(
    "/nowcasts",
    summary="BMKG's weather nowcasts in force at our stations, as BMKG says them",
    responses={
        200: {"content": {JSON: {"schema": {"type": "object"}}}},
        304: {"description": "Nothing new since the given ETag."},
    },
)
async def nowcasts(
    request: Request, who: Annotated[Principal, Depends(EVERYBODY)], asked: Annotated[Asked, Query()]
) -> Response:
    """Return nowcasts that have not expired, with the stations in each; ages are in whole minutes."""
    api = api_of(request)
    rules_us, now_us = await api.present_us(), api.clock.now_us()
    shown = await api.run(nowcasts_here, api, who, rules_us=rules_us, now_us=now_us)
    return conditional(request, msgspec.json.encode(_document(shown, asked.station)), JSON)


def _document(shown: Shown | None, station: str | None) -> Mapping[str, Any]:
    if shown is None:
        return {"configured": False, "attribution": "BMKG", "stale": None, "newest_min": None, "nowcasts": []}
    return {
        "configured": True,
        "attribution": "BMKG",
        "stale": shown.stale,
        "newest_min": None if shown.newest_s is None else shown.newest_s // 60,
        "nowcasts": [_one(one) for one in shown.here if station is None or station in one.stations],
    }


def _one(here: Here) -> Mapping[str, Any]:
    said: dict[str, Any] = msgspec.to_builtins(here.nowcast)
    effective_us, expires_us = said.pop("effective_us"), said.pop("expires_us")
    return {
        **said,
        "effective": rfc3339(effective_us),
        "expires": rfc3339(expires_us),
        "age_min": here.age_s // 60,
        "stations": here.stations,
    }
