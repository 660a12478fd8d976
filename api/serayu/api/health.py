"""Whether the process lives, whether it can answer, and what Prometheus wants to know."""

import time
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from serayu.api.context import Api, api_of
from serayu.api.metrics import store_bytes
from serayu.api.security import EVERYBODY, VISIBLE_KINDS, Principal
from serayu.models.access import Role
from serayu.models.errors import StoreError
from serayu.models.times import US_PER_S, SystemClock

__all__ = ["router"]

router = APIRouter(tags=["health"])
JSON = "application/json"


@router.get("/healthz", summary="The process lives")
async def healthz(_who: Annotated[Principal, Depends(EVERYBODY)]) -> Response:
    """Answer; a process that does not should be started again."""
    return Response(b'{"status":"ok"}', media_type=JSON, headers={"Cache-Control": "no-store"})


@router.get(
    "/readyz",
    summary="The stores answer, readings come in and are passed on",
    responses={503: {"description": "Not ready."}},
)
async def readyz(request: Request, _who: Annotated[Principal, Depends(EVERYBODY)]) -> Response:
    """Ask the stores, when ingest last received a reading, whether bulletins leave, and whether the stream follows."""
    api = api_of(request)
    checks: dict[str, dict[str, object]] = {
        "hot_store": await _hot_store(api),
        "register": await _register(api),
        "ingest": await _ingest(api),
        "stream": {"ok": api.stream.healthy},
        "delivery": await _delivery(api),
        "nowcasts": await api.run(api.nowcasts.health, api.clock.now_us()),
    }
    ready = all(check["ok"] for check in checks.values())
    body = msgspec.json.encode({"status": "ready" if ready else "not ready", "checks": checks})
    return Response(body, 200 if ready else 503, media_type=JSON, headers={"Cache-Control": "no-store"})


@router.get("/metrics", summary="Prometheus metrics")
async def metrics(request: Request, _who: Annotated[Principal, Depends(EVERYBODY)]) -> Response:
    """Return the metrics; stations that the public may not see are counted, not named."""
    api = api_of(request)
    letters = await api.run(api.hot.dead_letters.counts)
    size = await api.run(store_bytes, api.hot.path)
    public = [s.id for s in api.region.stations.values() if s.kind in VISIBLE_KINDS[Role.PUBLIC]]
    api.metrics.listeners.set(api.stream.clients)
    text = api.metrics.text(await api.snapshots.get(), letters=letters, size=size, public=public)
    return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _hot_store(api: Api) -> dict[str, object]:
    try:
        return {"ok": True, "change_id": await api.run(api.hot.last_change_id)}
    except StoreError:
        return {"ok": False}


async def _register(api: Api) -> dict[str, object]:
    try:
        await api.run(api.register.ping)
    except StoreError:
        return {"ok": False}
    return {"ok": True}


async def _delivery(api: Api) -> dict[str, object]:
    """Say what the outbox of bulletins still has to do; only what nobody takes is a fault of ours."""
    try:
        backlog = await api.run(
            api.register.delivery_backlog,
            api.region.code,
            rules_us=await api.present_us(),
            now_us=SystemClock().now_us(),
        )
    except StoreError:
        return {"ok": False}
    overdue_s = None if backlog.overdue_us is None else backlog.overdue_us / US_PER_S
    limit_s = api.settings.delivery_overdue_after_s
    return {
        "ok": limit_s is None or overdue_s is None or overdue_s <= limit_s,
        "waiting": backlog.waiting,
        "oldest_overdue_s": None if overdue_s is None else round(overdue_s, 1),
        "dead_letters": backlog.dead,
    }


async def _ingest(api: Api) -> dict[str, object]:
    """Say how long ago a reading was received; an empty store is ready, for nothing may have been installed yet."""
    try:
        received_us = (await api.snapshots.get()).received_us
    except StoreError:
        return {"ok": False}
    if received_us == 0:
        return {"ok": True, "last_received_s": None}
    silent_s = max(time.time() - received_us / US_PER_S, 0.0)
    limit_s = api.settings.ingest_silent_after_s
    return {"ok": limit_s is None or silent_s <= limit_s, "last_received_s": round(silent_s, 1)}
