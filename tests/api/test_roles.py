"""Every route says its roles, and every route is tried with every role."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from serayu.api.security import Allow
from serayu.api.service import ROUTERS
from serayu.models.access import Role
from tests.api.site import Site, site

PATHS = {
    "station_id": "hulu",
    "alert_id": "0197c2d4-0000-7000-8000-000000000001",
    "bulletin_id": "0197c2d4-0000-7000-8000-000000000002",
    "token": "x" * 22,
    "name": "roads",
    "survey_id": "019f1b67-9100-7000-b2ad-ea27d3be6201",
    "finding_id": "019f1b67-94e8-7000-b727-2d65b0594a00",
}
QUERY = {"/api/v1/stations/{station_id}/observations": "?property=stage"}
OPEN_POSTS = {"/login", "/logout"}
"""Posts that anybody may send: they change nothing but the sender's own cookie."""
SIGNED_POSTS = {"/api/v1/gateway/messages"}
"""Posts that need no key and a signature."""


def _routes() -> Iterator[tuple[str, APIRoute]]:
    for router in ROUTERS:
        for route in router.routes:
            assert isinstance(route, APIRoute), f"{route} is not declared with its roles"
            for method in sorted(route.methods or ()):
                yield method, route


def _roles(route: APIRoute) -> frozenset[Role]:
    declared = [one.call for one in route.dependant.dependencies if isinstance(one.call, Allow)]
    assert len(declared) == 1, f"{route.path} must say its roles once"
    return declared[0].roles


@pytest.mark.parametrize(("method", "route"), [pytest.param(m, r, id=f"{m} {r.path}") for m, r in _routes()])
def test_a_route_lets_its_roles_in_and_nobody_else(shared_api: Site, method: str, route: APIRoute) -> None:
    path = route.path.format(**PATHS) + QUERY.get(route.path, "")
    roles = _roles(route)
    for role in [None, *Role]:
        with shared_api.client(role) as client:
            if route.path == "/api/v1/stream":
                with client.stream(method, path) as answer:
                    status = answer.status_code
            else:
                status = client.request(method, path).status_code
        effective = Role.PUBLIC if role is None else role
        if effective in roles:
            assert status not in (401, 403), (role, status)
        else:
            assert status == (401 if role is None else 403), (role, status)


def test_what_changes_something_is_for_officers_only() -> None:
    writing = {route.path: _roles(route) for method, route in _routes() if method != "GET"}
    assert set(writing) == OPEN_POSTS | {
        "/api/v1/alerts/{alert_id}/acknowledge",
        "/api/v1/bulletins/{bulletin_id}/acknowledge",
        "/api/v1/surveys",
        "/api/v1/surveys/{survey_id}",
        "/api/v1/findings/{finding_id}/reviews",
        "/tinjau/{finding_id}",
        *SIGNED_POSTS,
    }
    for path, roles in writing.items():
        assert path in OPEN_POSTS | SIGNED_POSTS or roles == {Role.DISHUB, Role.OPERATOR}


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer sry_wrong"},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic c3J5OnNyeQ=="},
        {"X-API-Key": "sry_wrong"},
        {"X-API-Key": "x" * 1000},
    ],
)
def test_a_wrong_key_is_refused_even_where_none_is_needed(api: Site, headers: dict[str, str]) -> None:
    with api.client() as client:
        answer = client.get("/api/v1/stations", headers=headers)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.json()["type"] == "urn:serayu:problem:key-needed"
    assert "sry_" not in answer.json()["detail"]


def test_a_revoked_key_is_refused_at_once(api: Site) -> None:
    assert api.get("/api/v1/stations", "dishub").status_code == 200
    (key,) = (key for key in api.register.keys("33.02") if key.role is Role.DISHUB)
    api.register.revoke_key(key.id, now_us=1)
    assert api.get("/api/v1/stations", "dishub").status_code == 401


def test_a_key_of_another_region_is_refused(api: Site) -> None:
    new = api.register.create_key("33.03", "neighbour", Role.DISHUB, now_us=1)
    with api.client() as client:
        assert client.get("/api/v1/stations", headers={"X-API-Key": new.secret}).status_code == 401


def test_many_wrong_keys_are_limited_and_the_right_one_from_the_same_address_works(api: Site) -> None:
    """Behind a proxy or NAT a whole office shares one address: nobody may lock out the others."""
    wrong, right = {"X-API-Key": "sry_wrong"}, {"X-API-Key": api.secrets["keys"]["dishub"]}
    with api.client() as client:
        for _ in range(10):
            assert client.get("/api/v1/stations", headers=wrong).status_code == 401
        refused = client.get("/api/v1/stations", headers=wrong)
        assert refused.status_code == 429
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        seen = client.get("/api/v1/stations", headers=right)
        assert seen.status_code == 200
        assert "sawah-a" in {station["id"] for station in seen.json()["stations"]}
        assert client.get("/api/v1/stations").status_code == 200  # the public needs no key


def _guesses(api: Site, *forwarded: str) -> list[int]:
    """Show a wrong key eleven times from this machine, as a proxy names the clients in turn."""
    with api.client() as client:
        return [
            client.get(
                "/api/v1/stations",
                headers={"X-API-Key": "sry_wrong", "X-Forwarded-For": forwarded[n % len(forwarded)]},
            ).status_code
            for n in range(11)
        ]


@pytest.mark.parametrize("trusted", ["127.0.0.1", "10.0.0.0/8, 127.0.0.0/8", "*"])
def test_clients_behind_a_trusted_proxy_are_told_apart(tmp_path: Path, trusted: str) -> None:
    with site(tmp_path, trusted_proxies=trusted) as api:
        assert _guesses(api, "192.0.2.1", "192.0.2.2") == [401] * 11
        assert _guesses(api, "192.0.2.3") == [401] * 10 + [429]


@pytest.mark.parametrize("trusted", ["192.0.2.7", "10.0.0.0/8", ""])
def test_whoever_is_no_trusted_proxy_cannot_name_its_own_address(tmp_path: Path, trusted: str) -> None:
    with site(tmp_path, trusted_proxies=trusted) as api:
        assert _guesses(api, "192.0.2.1", "192.0.2.2") == [401] * 10 + [429]
