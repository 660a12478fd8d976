"""Who calls, what they may see, and which roles a route is for.

Each route says its roles by depending on an `Allow`; a test walks every route with every role.
"""

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

import msgspec
from fastapi import Request

from serayu.api.context import Api, api_of
from serayu.api.errors import AccessError, LoginNeededError, UnknownCallerError
from serayu.api.sessions import COOKIE, Session
from serayu.api.snapshot import Audience
from serayu.models.access import ApiKey, Role
from serayu.models.station import StationKind
from serayu.models.times import SystemClock

__all__ = [
    "ANONYMOUS",
    "EVERYBODY",
    "LOGIN",
    "OFFICERS",
    "REVIEWERS",
    "ROADS",
    "VISIBLE_KINDS",
    "Allow",
    "Principal",
    "caller",
    "same_origin",
    "still_holds",
]

OPEN = frozenset({StationKind.RIVER, StationKind.RAIN, StationKind.JUNCTION})
VISIBLE_KINDS: Mapping[Role, frozenset[StationKind]] = MappingProxyType(
    {
        Role.PUBLIC: OPEN,
        Role.CREW: OPEN,
        Role.FARMER: OPEN,  # and own stations
        Role.DISHUB: frozenset(StationKind),
        Role.OPERATOR: frozenset(StationKind),
    }
)
"""Kinds of stations that a role sees; fields are farmers' own affair, so the public does not see them."""

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
KEY_AT_MOST = 200


class Principal(msgspec.Struct, frozen=True):
    """A caller.

    Parameters
    ----------
    role
        Public for anonymous callers.
    key
        The key shown, None for anonymous callers.
    session
        The login by which the key was shown, None for a key in a header.
    """

    role: Role
    key: ApiKey | None = None
    session: Session | None = None

    @property
    def audience(self) -> Audience:
        """What the caller sees."""
        own = (
            frozenset(self.key.stations) if self.key is not None and self.role is Role.FARMER else frozenset()
        )
        return Audience(VISIBLE_KINDS[self.role], own)

    @property
    def id(self) -> str:
        """Which key it is: two people may have one name."""
        return "anonymous" if self.key is None else self.key.id

    @property
    def name(self) -> str:
        """Who it is, for records of what was done."""
        return "anonymous" if self.key is None else f"{self.key.name} ({self.role.value})"


ANONYMOUS = Principal(Role.PUBLIC)


class Allow:
    """Dependency of a route: returns the caller, or refuses.

    Parameters
    ----------
    roles
        Who may call; `Role.PUBLIC` means everybody, with or without a key.
    csrf
        Whether a caller with a session must bring its token to change anything; False for a route that does not use
        the session and checks the origin itself.
    page
        Path of the page, where the route is one for people: who is not logged in gets the form for it.
    """

    def __init__(self, *roles: Role, csrf: bool = True, page: str | None = None) -> None:
        self.roles = frozenset(roles)
        self.csrf = csrf
        self.page = page

    async def __call__(self, request: Request) -> Principal:
        """Return the caller.

        Raises
        ------
        UnknownCallerError
            A key is needed, or the one shown is not valid.
        AccessError
            The caller's role may not do this, or a form did not bring its token back.
        """
        who = await caller(request)
        if who.role not in self.roles:
            if who.key is None and self.page is not None:
                raise LoginNeededError(self.page)
            if who.key is None:
                raise UnknownCallerError("this needs a key: Authorization: Bearer <key>")
            raise AccessError(f"this is not for the role {who.role.value}")
        if self.csrf and who.session is not None and request.method not in SAFE:
            await _check_csrf(request, who.session)
        return who


EVERYBODY = Allow(*Role)
LOGIN = Allow(*Role, csrf=False)
OFFICERS = Allow(Role.DISHUB, Role.OPERATOR)
REVIEWERS = Allow(Role.DISHUB, Role.OPERATOR, page="/tinjau")
ROADS = Allow(Role.DISHUB, Role.OPERATOR, Role.CREW)


async def caller(request: Request) -> Principal:
    """Return who calls: by key in a header, by login, or anonymous.

    Raises
    ------
    UnknownCallerError
        A key was shown that is unknown or revoked.
    TooManyError
        This client has shown too many such keys.
    """
    api = api_of(request)
    secret = _shown_key(request)
    if secret is not None:
        return Principal((key := await api.login(client_of(request), secret)).role, key)
    cookie = request.cookies.get(COOKIE)
    session = api.sessions.read(cookie, now_us=SystemClock().now_us()) if cookie else None
    if session is None:
        return ANONYMOUS
    key_or_none = await api.run(live_key, api, session.key_id)
    return ANONYMOUS if key_or_none is None else Principal(key_or_none.role, key_or_none, session)


async def still_holds(api: Api, who: Principal) -> bool:
    """Whether a caller would still be let in as the same: the key not revoked, the login not over."""
    if who.key is None:
        return True
    if who.session is not None and who.session.until_us <= SystemClock().now_us():
        return False
    return await api.run(live_key, api, who.key.id) is not None


def live_key(api: Api, key_id: str) -> ApiKey | None:
    """Return the key of an id unless it was revoked."""
    keys = api.register.keys(api.region.code)
    return next((key for key in keys if key.id == key_id and key.revoked_us is None), None)


def client_of(request: Request) -> str:
    """Return the client's address; behind a proxy that uvicorn trusts, the one that the proxy names."""
    return request.client.host if request.client is not None else "unknown"


def same_origin(request: Request) -> bool:
    """Whether a browser says that a form comes from this site; other programs say nothing and pass."""
    origin = request.headers.get("origin")
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


def _shown_key(request: Request) -> str | None:
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    shown = credentials.strip() if scheme.lower() == "bearer" else request.headers.get("x-api-key")
    if scheme and scheme.lower() != "bearer":
        raise UnknownCallerError("expected Authorization: Bearer <key>")
    return shown[:KEY_AT_MOST] if shown is not None else None


async def _check_csrf(request: Request, session: Session) -> None:
    token = request.headers.get("x-csrf-token")
    if token is None and request.headers.get("content-type", "").startswith(
        "application/x-www-form-urlencoded"
    ):
        given = (await request.form()).get("csrf")
        token = given if isinstance(given, str) else None
    if token is None or not api_of(request).sessions.csrf_holds(session, token) or not same_origin(request):
        raise AccessError("the page's token is missing or old: load the page again")
