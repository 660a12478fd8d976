"""Where a survey is published: a register of this machine that is there, or an api that takes the key."""

from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from serayu.models.errors import BadInputError, ConflictError, StoreError, StoreUnavailableError, plain
from serayu.models.places import default_data_dir, default_region
from serayu.models.region import load_region

__all__ = ["KEY_VARIABLE", "Place", "Target", "check_answer", "check_target", "place_of", "sent"]

KEY_VARIABLE = "SERAYU_PUBLISH_KEY"
"""Where the key for an api comes from: never from an option, which other users of the machine can see."""
_REGISTER = "register.sqlite"
_PROBE = "/api/v1/reviews/agreement?survey=-"
"""Open to just the roles that may publish, and an empty answer for a survey that is not there."""
_PROBE_S = 20.0


@dataclass(frozen=True, slots=True)
class Target:
    """Where to publish.

    Parameters
    ----------
    url
        Of an api; None for the register of this machine.
    key
        For that api; of an operator or Dishub.
    region
        Folder of the region, for the register of this machine; None for the one that comes with Serayu.
    data
        Its data folder; None for the region's own, as for ``serayu up``.
    register
        URL of its database; None for SQLite in the data folder.
    """

    url: str | None = None
    key: str | None = None
    region: Path | None = None
    data: Path | None = None
    register: str | None = None


class Place(NamedTuple):
    """A region's code, its data folder, and the URL of its register."""

    region: str
    data: Path
    register: str


def place_of(target: Target) -> Place:
    """Return where on this machine to publish; the register must be there.

    Raises
    ------
    BadInputError
        There is no such region or register: a wrong folder must not become an unused register.
    StoreError
        The register cannot be reached.
    """
    from sqlalchemy import exc, make_url  # noqa: PLC0415 -- only where something is published

    from serayu.models.stores.register.database import sqlite_url  # noqa: PLC0415 -- SQLAlchemy
    from serayu.models.stores.register.migrate import revision  # noqa: PLC0415 -- the same

    code = load_region(target.region or default_region()).code
    data = target.data or default_data_dir(code)
    url = target.register or sqlite_url(data / _REGISTER)
    try:
        parsed = make_url(url)
    except exc.ArgumentError as error:
        raise BadInputError(f"not a database URL: {error}", field="--register-url") from None
    shown = parsed.render_as_string(hide_password=True)
    file = Path(str(parsed.database)) if parsed.get_backend_name() == "sqlite" else None
    if (file is not None and not file.is_file()) or revision(url) is None:
        reason = "no register here; `serayu up` makes it, --data names another data folder"
        raise BadInputError(reason, file=file or shown)
    return Place(code, data, url)


def check_target(target: Target) -> None:
    """Refuse a target that nothing can be published to, before a long survey begins.

    Raises
    ------
    BadInputError
        There is no region, register or key, or the api does not take the key.
    StoreError
        The register or the api cannot be reached.
    """
    if target.url is None:
        place_of(target)
        return
    place = f"{target.url.rstrip('/')}{_PROBE}"
    status, content = sent(target, "GET", place, timeout_s=_PROBE_S)
    check_answer(status, content, place)


def sent(
    target: Target,
    method: str,
    place: str,
    *,
    timeout_s: float,
    content: Any = None,  # noqa: ANN401 -- what httpx takes: bytes, a file
    headers: dict[str, str] | None = None,
) -> tuple[int, bytes]:
    """Return the status and content that an api answers with.

    Raises
    ------
    BadInputError
        There is no key.
    StoreUnavailableError
        The api cannot be reached.
    """
    import httpx  # noqa: PLC0415 -- only where something is sent

    if not target.key:
        raise BadInputError(f"publishing to an api needs its key in {KEY_VARIABLE}", field="--url")
    given = {"Authorization": f"Bearer {target.key}", **(headers or {})}
    try:
        answer = httpx.request(method, place, content=content, headers=given, timeout=timeout_s)
    except (httpx.TransportError, httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise StoreUnavailableError(f"{place}: {plain(error)}") from None
    return answer.status_code, answer.content


def check_answer(status: int, content: bytes, place: str) -> dict[str, Any]:
    """Return the JSON object that an api answered with, or raise what its problem document (RFC 9457) says.

    Raises
    ------
    BadInputError
        The request was refused, or this is no api of Serayu.
    ConflictError
        Another survey has this id.
    StoreError
        The api failed.
    """
    try:
        said = msgspec.json.decode(content, type=dict[str, Any])
    except msgspec.DecodeError:
        said = None
    if status in (HTTPStatus.OK, HTTPStatus.CREATED):
        if said is None:
            raise BadInputError(f"{place} answered {status}, but not as an api of Serayu", field="--url")
        return said
    line = f"{place} answered {status}: {(said or {}).get('detail') or 'no reason given'}"
    if status == HTTPStatus.CONFLICT:
        raise ConflictError(line)
    if status < HTTPStatus.INTERNAL_SERVER_ERROR:
        raise BadInputError(line)
    raise StoreError(line)
