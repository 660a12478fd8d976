"""Runs the api on a socket; usable as a process of its own or under a supervisor."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI
from typing_extensions import override

from serayu.api.service import create_app
from serayu.api.settings import ApiSettings

__all__ = ["serve"]

GRACE_S = 5


def serve(settings: ApiSettings, *, ready: Callable[[str], object] = lambda _url: None) -> None:
    """Serve until SIGINT or SIGTERM, from the main thread.

    Parameters
    ----------
    settings
        How to run; port 0 takes a free one.
    ready
        Called once with the base URL when requests are answered.

    Raises
    ------
    BadInputError, StoreError
        As `create_app`.
    OSError
        The address cannot be listened on.
    """
    app = create_app(settings)
    listener = socket.create_server(
        (settings.host, settings.port), family=_family(settings.host), backlog=512
    )
    server = Server(app, ready=lambda: ready(base_url(settings.host, listener.getsockname()[1])))
    # uvicorn raises the signal again once it has stopped: SIGTERM shall end as quietly as ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[listener])


class Server(uvicorn.Server):
    """uvicorn, which says when it is ready and ends the live streams before it waits for them.

    Parameters
    ----------
    app
        From `create_app`.
    ready
        Called when requests are answered.
    """

    def __init__(self, app: FastAPI, *, ready: Callable[[], object]) -> None:
        proxies: str = app.state.api.settings.trusted_proxies
        config = uvicorn.Config(
            app,
            log_config=None,  # the program configures logging
            access_log=False,  # the app's own log names routes, not paths with tokens
            lifespan="on",
            server_header=False,
            proxy_headers=bool(proxies),
            forwarded_allow_ips=proxies,
            timeout_graceful_shutdown=GRACE_S,
        )
        # uvicorn writes its access log to any handler that it finds, whatever was asked; it has paths with tokens.
        logging.getLogger("uvicorn.access").disabled = True
        super().__init__(config)
        self._app = app
        self._ready = ready

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            await asyncio.to_thread(self._ready)

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.state.api.stream.close()
        await super().shutdown(sockets)


def base_url(host: str, port: int) -> str:
    """Return where to look; a wildcard address is named as this machine."""
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{name}:{port}"


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
