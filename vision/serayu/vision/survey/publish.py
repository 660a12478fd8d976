"""Publishing a survey's folder: into the register and data folder here, or to a running api."""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import msgspec

from serayu.models.errors import BadInputError, ConflictError, StoreError, StoreUnavailableError
from serayu.models.survey.bundle import pack, read_bundle
from serayu.models.times import SystemClock

__all__ = ["KEY_VARIABLE", "Target", "publish_survey"]

KEY_VARIABLE = "SERAYU_PUBLISH_KEY"
"""Where the key for an api comes from: never from an option, which other users of the machine can see."""
_TIMEOUT_S = 600.0
_REGISTER = "register.sqlite"


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
        Folder of the region, for the register of this machine.
    data
        Its data folder.
    register
        URL of its database; None for SQLite in the data folder.
    """

    url: str | None = None
    key: str | None = None
    region: Path | None = None
    data: Path = Path("data")
    register: str | None = None


def publish_survey(folder: Path, target: Target) -> dict[str, Any]:
    """Publish what ``serayu vision survey`` wrote; the same survey again changes nothing.

    Parameters
    ----------
    folder
        With ``survey.json``.
    target
        Where to.

    Returns
    -------
    dict
        ``survey``, ``sha256``, ``findings``, ``segments``, ``pictures``, ``created`` and ``to``.

    Raises
    ------
    BadInputError
        A document is wrong, or there is no region or key.
    ConflictError
        Another survey was published under this id.
    StoreError
        The register or the api cannot be reached.
    """
    with _packed(folder) as bundle:
        return _here(bundle, target) if target.url is None else _there(bundle, target)


@contextmanager
def _packed(folder: Path) -> Iterator[Path]:
    """Yield the bundle in a temporary file, read once so that an error names its file before anything is sent."""
    with tempfile.TemporaryDirectory(prefix="serayu-publish-") as name:
        file = Path(name) / "bundle.zip"
        pack(folder, file)
        read_bundle(file).zip.close()
        yield file


def _here(bundle: Path, target: Target) -> dict[str, Any]:
    from serayu.models.region import load_region  # noqa: PLC0415 -- only where something is published
    from serayu.models.stores.register import Register, upgrade  # noqa: PLC0415 -- SQLAlchemy
    from serayu.models.stores.register.database import sqlite_url  # noqa: PLC0415 -- the same
    from serayu.models.stores.survey_files import publish_bundle  # noqa: PLC0415 -- the same

    if target.region is None:
        raise BadInputError("publishing needs the region's folder, or --url of an api", field="--region")
    code = load_region(target.region).code
    url = target.register or sqlite_url(target.data / _REGISTER)
    upgrade(url)
    with Register(url) as register:
        done = publish_bundle(
            bundle,
            register=register,
            data_dir=target.data,
            region=code,
            by="serayu vision survey",
            now_us=SystemClock().now_us(),
        )
    return {
        "survey": done.survey,
        "sha256": done.digest,
        "findings": done.findings,
        "segments": done.segments,
        "pictures": done.pictures,
        "created": done.created,
        "to": register.name,
    }


def _there(bundle: Path, target: Target) -> dict[str, Any]:
    import httpx  # noqa: PLC0415 -- only where something is sent

    if not target.key:
        raise BadInputError(f"publishing to an api needs its key in {KEY_VARIABLE}", field="--url")
    with bundle.open("rb") as stream:
        sha = hashlib.file_digest(stream, "sha256").hexdigest()
        stream.seek(0)
        headers = {
            "Authorization": f"Bearer {target.key}",
            "Content-Type": "application/zip",
            "Content-Length": str(bundle.stat().st_size),
            "Idempotency-Key": f"survey-{sha}",
        }
        place = f"{str(target.url).rstrip('/')}/api/v1/surveys"
        try:
            answer = httpx.post(place, content=stream, headers=headers, timeout=_TIMEOUT_S)
        except (httpx.TransportError, httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise StoreUnavailableError(f"{place}: {error}") from None
    _check(answer.status_code, answer.content, place)
    try:
        said = msgspec.json.decode(answer.content, type=dict[str, Any])
    except msgspec.DecodeError:
        raise BadInputError(
            f"{place} answered {answer.status_code}, but not as an api of Serayu", field="--url"
        ) from None
    return {**said, "created": answer.status_code == HTTPStatus.CREATED, "to": place}


def _check(status: int, content: bytes, place: str) -> None:
    """Raise what an api's problem document (RFC 9457) says."""
    if status in (HTTPStatus.OK, HTTPStatus.CREATED):
        return
    try:
        reason = str(msgspec.json.decode(content, type=dict[str, Any]).get("detail") or "")
    except msgspec.DecodeError:
        reason = ""
    line = f"{place} answered {status}: {reason or 'no reason given'}"
    if status == HTTPStatus.CONFLICT:
        raise ConflictError(line)
    if status < HTTPStatus.INTERNAL_SERVER_ERROR:
        raise BadInputError(line)
    raise StoreError(line)
