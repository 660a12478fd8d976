"""Where the api is put together: `create_app` opens the stores and knows every concrete class."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from fastapi import APIRouter, FastAPI
from fastapi.staticfiles import StaticFiles
from xstatic.pkg import leaflet

from serayu.api import (
    alerts,
    bulletins,
    cap,
    charts,
    deliveries,
    farmer,
    forecasts,
    gateway,
    health,
    landslide,
    layers,
    nowcasts,
    observations,
    pages,
    reviews,
    scores,
    stations,
    surveys,
    warnings,
)
from serayu.api.context import Api, RegisterLevels
from serayu.api.errors import LoginNeededError, add_error_handlers
from serayu.api.first_run import first_keys
from serayu.api.idempotency import Answers
from serayu.api.limiter import FailureLimiter
from serayu.api.metrics import Metrics
from serayu.api.middleware import Guard, policy
from serayu.api.openapi import describe
from serayu.api.sessions import Sessions, keep_secret
from serayu.api.settings import ApiSettings
from serayu.api.snapshot import ReplayClock, Snapshot, Snapshots
from serayu.api.stream import Stream
from serayu.api.templating import FOLDER, Pages
from serayu.models.alert import AlertChange
from serayu.models.region import load_region
from serayu.models.stores.hot import HotStore
from serayu.models.stores.register import Register, upgrade
from serayu.models.stores.survey_files import FOLDER as SURVEYS
from serayu.models.stores.survey_staging import sweep
from serayu.models.times import Clock, SystemClock
from serayu.models.warning.authority import load_authority

__all__ = ["ROUTERS", "create_app"]

GATEWAY_WINDOW_S = 60.0
WORKERS = 8  # threads for the stores; SQLite answers in well under a millisecond
ROUTERS: Sequence[APIRouter] = (
    stations.router,
    observations.router,
    charts.router,
    forecasts.router,
    alerts.router,
    cap.router,  # its addresses end in .xml and .atom: before those that take anything
    bulletins.router,
    deliveries.router,
    gateway.router,
    landslide.router,
    surveys.router,
    reviews.router,
    layers.router,
    health.router,
    farmer.router,
    warnings.router,
    scores.router,
    nowcasts.router,
    pages.router,
)
"""Every route; the test of roles walks them."""


def create_app(settings: ApiSettings) -> FastAPI:
    """Open the stores and return the application.

    Parameters
    ----------
    settings
        How to run.

    Raises
    ------
    BadInputError
        The region folder is wrong, or a secret's file is.
    StoreError
        A store cannot be opened.
    """
    api = _open(settings)
    app = FastAPI(
        title="Serayu",
        version="1",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # FastAPI's page loads scripts from a CDN
        redoc_url=None,
        lifespan=_lifespan,
    )
    app.state.api = api
    for router in ROUTERS:
        app.include_router(router)
    app.mount("/static/leaflet", StaticFiles(directory=leaflet.BASE_DIR))
    app.mount("/static", StaticFiles(directory=FOLDER.with_name("static")))
    add_error_handlers(app)
    app.add_exception_handler(LoginNeededError, pages.ask_for_login)
    describe(app)
    app.add_middleware(
        Guard, metrics=api.metrics, default_policy=policy(images=_tile_hosts(settings.tiles_url))
    )
    return app


def _open(settings: ApiSettings) -> Api:
    region = load_region(settings.region)
    upgrade(settings.register)
    register = Register(settings.register)
    hot = HotStore(settings.hot_path)
    first_keys(register, region, settings.data_dir)
    sweep(settings.data_dir / SURVEYS)
    clock: Clock = ReplayClock() if settings.clock == "replay" else SystemClock()
    workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="serayu-api-store")
    snapshots = Snapshots(
        region,
        hot,
        RegisterLevels(register, region.code),
        clock=clock,
        workers=workers,
        min_age_s=settings.snapshot_min_age_s,
        max_age_s=settings.snapshot_max_age_s,
    )

    async def read_changes(after_id: int, limit: int) -> Sequence[AlertChange]:
        work = asyncio.get_running_loop().run_in_executor
        return await work(workers, lambda: register.changes_after(after_id, region=region.code, limit=limit))

    async def read_newest() -> int:
        return await asyncio.get_running_loop().run_in_executor(workers, register.last_change_id)

    async def read_snapshot() -> Snapshot:
        return await snapshots.get()

    return Api(
        settings=settings,
        region=region,
        authority=load_authority(settings.region),
        hot=hot,
        register=register,
        clock=clock,
        snapshots=snapshots,
        stream=Stream(
            read_changes,
            read_newest,
            read_snapshot,
            poll_s=settings.stream_poll_s,
            heartbeat_s=settings.stream_heartbeat_s,
            clients_at_most=settings.stream_clients,
        ),
        sessions=Sessions(_session_secret(settings)),
        failures=FailureLimiter(allowed=settings.failed_logins, window_s=settings.failed_logins_window_s),
        messages=FailureLimiter(
            allowed=settings.gateway_messages, window_s=GATEWAY_WINDOW_S, what="messages"
        ),
        answers=Answers(),
        metrics=Metrics(),
        pages=Pages(),
        workers=workers,
        nowcasts=nowcasts.Nowcasts(settings.nowcast_path, stale_after_s=settings.nowcast_stale_after_s),
        scores=scores.ScoreKeeper(least_s=settings.scorecard_min_age_s, most_s=settings.scorecard_max_age_s),
    )


def _session_secret(settings: ApiSettings) -> bytes:
    if settings.session_secret is not None:
        return settings.session_secret.get_secret_value().encode()
    return keep_secret(settings.data_dir / "session.key")


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    api: Api = app.state.api
    await api.stream.start()
    try:
        yield
    finally:
        await api.stream.stop()
        api.workers.shutdown(wait=True)
        api.hot.close()
        api.register.close()


def _tile_hosts(url: str | None) -> list[str]:
    """Return where map tiles come from, as the policy writes it."""
    if url is None:
        return []
    parts = urlsplit(url.replace("{s}", "*"))
    return [f"{parts.scheme}://{parts.netloc}"]
