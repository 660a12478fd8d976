"""What every response gets, whatever made it: security headers, a log line, a count.

Plain ASGI: a stream passes through unbuffered. The log names the route, never the path, so that a farmer's token
cannot get into it.
"""

import logging
import time
from collections.abc import Iterable

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serayu.api.metrics import Metrics

__all__ = ["Guard", "policy"]

log = logging.getLogger("serayu.api.access")

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with no-referrer a browser calls the origin of a form "null"
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
NO_ROUTE = "(none)"


def policy(*, images: Iterable[str] = (), styles: Iterable[str] = ()) -> str:
    """Return the Content-Security-Policy: own files only, no script within a page.

    Parameters
    ----------
    images
        Other hosts that map tiles come from.
    styles
        Hashes of style elements.
    """
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            " ".join(["style-src 'self'", *styles]),
            " ".join(["img-src 'self' data:", *images]),
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ]
    )


class Guard:
    """Adds headers, counts and logs requests.

    Parameters
    ----------
    app
        The application.
    metrics
        Where requests are counted.
    default_policy
        Content-Security-Policy of a response that brings none.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics, default_policy: str) -> None:
        self._app = app
        self._metrics = metrics
        self._policy = default_policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.perf_counter()

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Content-Security-Policy", self._policy)
                self._note(scope, message["status"], time.perf_counter() - begun)
            await send(message)

        await self._app(scope, receive, guarded)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = route_of(scope)
        self._metrics.observe(scope["method"], route, status, seconds)
        fields = {
            "method": scope["method"],
            "route": route,
            "status": status,
            "ms": round(seconds * 1000, 2),
            "client": (scope.get("client") or ("",))[0],
        }
        log.info("request", extra=fields)


def route_of(scope: Scope) -> str:
    """Return the path with names in place of values, e.g. ``/sawah/{token}``."""
    path: str = getattr(scope.get("route"), "path", NO_ROUTE)
    return path
