"""Every error leaves as a problem document (RFC 9457); one table says which error has which status."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from serayu.models.errors import (
    BadInputError,
    CodecError,
    ConflictError,
    NotFoundError,
    RefusedError,
    SerayuError,
    StoreError,
    StoreFullError,
    StoreUnavailableError,
)

__all__ = [
    "STATUS_CODES",
    "AccessError",
    "LoginNeededError",
    "Problem",
    "TooLargeError",
    "TooManyError",
    "UnknownCallerError",
    "add_error_handlers",
]

log = logging.getLogger(__name__)


class UnknownCallerError(SerayuError):
    """The route needs a key, and there is none or it is not valid."""


class LoginNeededError(UnknownCallerError):
    """A page for people needs a login; ``to`` is its path, where the login leads."""

    def __init__(self, to: str) -> None:
        self.to = to
        super().__init__("this page needs a login")


class AccessError(SerayuError):
    """The caller is known, and may not do this."""


class TooManyError(SerayuError):
    """Too many failed attempts or listeners; ``retry_after_s`` says when to come back."""

    def __init__(self, reason: str, *, retry_after_s: int) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(reason)


class TooLargeError(SerayuError):
    """The request's body is larger than this site takes."""


STATUS_CODES: Mapping[type[Exception], tuple[HTTPStatus, str]] = MappingProxyType(
    {
        BadInputError: (HTTPStatus.UNPROCESSABLE_ENTITY, "bad-input"),
        CodecError: (HTTPStatus.UNPROCESSABLE_ENTITY, "bad-input"),
        RefusedError: (HTTPStatus.UNPROCESSABLE_ENTITY, "refused"),
        NotFoundError: (HTTPStatus.NOT_FOUND, "not-found"),
        ConflictError: (HTTPStatus.CONFLICT, "conflict"),
        UnknownCallerError: (HTTPStatus.UNAUTHORIZED, "key-needed"),
        AccessError: (HTTPStatus.FORBIDDEN, "not-allowed"),
        TooManyError: (HTTPStatus.TOO_MANY_REQUESTS, "too-many"),
        TooLargeError: (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large"),
        StoreUnavailableError: (HTTPStatus.SERVICE_UNAVAILABLE, "store-unavailable"),
        StoreFullError: (HTTPStatus.INSUFFICIENT_STORAGE, "store-full"),
        StoreError: (HTTPStatus.INTERNAL_SERVER_ERROR, "store-error"),
        SerayuError: (HTTPStatus.INTERNAL_SERVER_ERROR, "error"),
    }
)
"""Error → status and name of the problem; a class without an entry takes that of its nearest base."""

RETRY_STORE_AFTER_S = 5


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """Problem details, RFC 9457: what happened, for programs (`type`, `status`) and for people (`title`, `detail`)."""

    type: str
    title: str
    status: int
    detail: str = ""
    errors: list[Mapping[str, Any]] = []


def problem_response(
    status: int,
    name: str,
    *,
    detail: str = "",
    errors: list[Mapping[str, Any]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a problem document as a response."""
    title = HTTPStatus(status).phrase
    problem = Problem(f"urn:serayu:problem:{name}", title, int(status), detail, errors or [])
    sent = {"Cache-Control": "no-store", **(headers or {})}
    return Response(msgspec.json.encode(problem), status, sent, media_type="application/problem+json")


def add_error_handlers(app: FastAPI) -> None:
    """Make every error of the program a problem document."""
    app.add_exception_handler(SerayuError, _on_serayu_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(Exception, _on_defect)


def status_of(error: Exception) -> tuple[HTTPStatus, str]:
    """Return status and problem name of an error by the nearest class in the table."""
    return next(STATUS_CODES[kind] for kind in type(error).__mro__ if kind in STATUS_CODES)


async def _on_serayu_error(_: Request, error: Exception) -> Response:
    status, name = status_of(error)
    headers: dict[str, str] = {}
    if isinstance(error, UnknownCallerError):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, TooManyError):
        headers["Retry-After"] = str(error.retry_after_s)
    if isinstance(error, StoreUnavailableError):
        headers["Retry-After"] = str(RETRY_STORE_AFTER_S)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("request failed: %s", error)
    # A store's text names files and hosts, which are nobody's business outside.
    detail = "" if isinstance(error, StoreError) else str(error)
    return problem_response(status, name, detail=detail, headers=headers)


async def _on_http_exception(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):  # pragma: no cover -- registered for this class only
        raise error
    name = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
    detail = "" if error.detail == HTTPStatus(error.status_code).phrase else str(error.detail)
    return problem_response(error.status_code, name, detail=detail, headers=error.headers)


async def _on_invalid_request(_: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):  # pragma: no cover -- registered for this class only
        raise error
    # Only place and message: the input itself may be a key.
    errors = [{"where": ".".join(map(str, e["loc"])), "reason": e["msg"]} for e in error.errors()]
    detail = "; ".join(f"{e['where']}: {e['reason']}" for e in errors)
    return problem_response(HTTPStatus.UNPROCESSABLE_ENTITY, "bad-input", detail=detail, errors=list(errors))


async def _on_defect(_request: Request, _error: Exception) -> Response:
    # Starlette raises the error again behind the answer, and uvicorn logs it.
    return problem_response(HTTPStatus.INTERNAL_SERVER_ERROR, "defect")
