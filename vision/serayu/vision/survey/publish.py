"""Publishing a survey's folder, and withdrawing it: in the register and data folder here, or at a running api."""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from serayu.models.survey.bundle import pack, read_bundle
from serayu.models.times import SystemClock
from serayu.vision.survey.publish_place import (
    KEY_VARIABLE,
    Place,
    Target,
    check_answer,
    check_target,
    place_of,
    sent,
)

if TYPE_CHECKING:
    from serayu.models.stores.register import Register

__all__ = ["KEY_VARIABLE", "Target", "check_target", "publish_survey", "withdraw_survey"]

_TIMEOUT_S = 600.0
_WITHDRAW_S = 60.0


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
        ``survey``, ``sha256``, ``findings``, ``segments``, ``pictures``, ``created``, ``to``, and ``overlaps``: other
        published surveys of the same stretches, see :class:`serayu.models.survey.overlap.Overlap`.

    Raises
    ------
    BadInputError
        A document is wrong, or there is no region, register or key.
    ConflictError
        Another survey was published under this id.
    StoreError
        The register or the api cannot be reached.
    """
    with _packed(folder) as bundle:
        return _here(bundle, target) if target.url is None else _there(bundle, target)


def withdraw_survey(survey: str, target: Target) -> dict[str, Any]:
    """Withdraw a survey; again, it changes nothing.

    Parameters
    ----------
    survey
        Its id.
    target
        Where from.

    Returns
    -------
    dict
        ``survey``, ``withdrawn``, ``findings``, ``segments`` and ``reviews``.

    Raises
    ------
    BadInputError
        There is no region, register or key, or an api that never had such a survey.
    NotFoundError
        The register never had such a survey.
    StoreError
        The register or the api cannot be reached.
    """
    if target.url is not None:
        address = f"{target.url.rstrip('/')}/api/v1/surveys/{survey}"
        return check_answer(*sent(target, "DELETE", address, timeout_s=_WITHDRAW_S), address)
    from serayu.models.stores.survey_files import withdraw  # noqa: PLC0415 -- SQLAlchemy
    from serayu.models.survey.entry import Withdrawn  # noqa: PLC0415 -- the same

    with _opened(target) as (register, place):
        done = withdraw(
            survey,
            register=register,
            data_dir=place.data,
            region=place.region,
            by="serayu vision withdraw",
            now_us=SystemClock().now_us(),
        )
    counts = (Withdrawn(0, 0, 0) if done is None else done)._asdict()
    return {"survey": survey, "withdrawn": done is not None, **counts}


@contextmanager
def _opened(target: Target) -> "Iterator[tuple[Register, Place]]":
    """Yield the register of this machine, its schema the newest, and its place."""
    from serayu.models.stores.register import Register, upgrade  # noqa: PLC0415 -- SQLAlchemy

    place = place_of(target)
    upgrade(place.register)
    with Register(place.register) as register:
        yield register, place


@contextmanager
def _packed(folder: Path) -> Iterator[Path]:
    """Yield the bundle in a temporary file, read once so that an error names its file before anything is sent."""
    with tempfile.TemporaryDirectory(prefix="serayu-publish-") as name:
        file = Path(name) / "bundle.zip"
        pack(folder, file)
        read_bundle(file).zip.close()
        yield file


def _here(bundle: Path, target: Target) -> dict[str, Any]:
    from serayu.models.stores.survey_files import publish_bundle  # noqa: PLC0415 -- SQLAlchemy

    with _opened(target) as (register, place):
        done = publish_bundle(
            bundle,
            register=register,
            data_dir=place.data,
            region=place.region,
            by="serayu vision survey",
            now_us=SystemClock().now_us(),
        )
    return {
        "survey": done.survey,
        "sha256": done.digest,
        "findings": done.findings,
        "segments": done.segments,
        "pictures": done.pictures,
        "overlaps": msgspec.json.decode(msgspec.json.encode(done.overlaps)),  # as the api answers
        "created": done.created,
        "to": register.name,
    }


def _there(bundle: Path, target: Target) -> dict[str, Any]:
    place = f"{str(target.url).rstrip('/')}/api/v1/surveys"
    with bundle.open("rb") as stream:
        sha = hashlib.file_digest(stream, "sha256").hexdigest()
        stream.seek(0)
        headers = {
            "Content-Type": "application/zip",
            "Content-Length": str(bundle.stat().st_size),
            "Idempotency-Key": f"survey-{sha}",
        }
        status, content = sent(target, "POST", place, timeout_s=_TIMEOUT_S, content=stream, headers=headers)
    said = check_answer(status, content, place)
    return {**said, "created": status == HTTPStatus.CREATED, "to": place}
