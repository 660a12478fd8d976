"""Publishing a survey into a data folder: rows into the register, pictures to ``surveys/<region>/<id>/crops``."""

import contextlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from serayu.models.command import write_atomically
from serayu.models.errors import BadInputError, StoreError, StoreFullError
from serayu.models.stores.register.register import Register
from serayu.models.stores.survey_staging import staged_folder, sweep
from serayu.models.survey.bundle import CROPS, Bundle, read_bundle
from serayu.models.survey.entry import Withdrawn
from serayu.models.survey.overlap import Overlap

__all__ = ["FOLDER", "Published", "keep_bundle", "picture_file", "publish_bundle", "withdraw"]

FOLDER = "surveys"


class Published(NamedTuple):
    """What publishing did.

    Parameters
    ----------
    created
        False where the same bundle was there.
    survey, digest, findings, segments, pictures
        Of the bundle.
    overlaps
        Other published surveys of the same stretches of road.
    """

    created: bool
    survey: str
    digest: str
    findings: int
    segments: int
    pictures: int
    overlaps: tuple[Overlap, ...] = ()


def publish_bundle(
    source: Path | BinaryIO, *, register: Register, data_dir: Path, region: str, by: str, now_us: int
) -> Published:
    """Check a bundle and keep it; again, it changes nothing but pictures that were lost.

    The pictures are written beside, and moved to their place within the transaction that makes the survey known, so
    that no kill and no second publisher leaves a mixture.

    Raises
    ------
    BadInputError
        The bundle is wrong: names the file, the feature's number and the field.
    ConflictError
        Another bundle has its id.
    StoreError
        Nothing could be written.
    """
    with contextlib.closing((bundle := read_bundle(source)).zip):
        return keep_bundle(bundle, register=register, data_dir=data_dir, region=region, by=by, now_us=now_us)


def keep_bundle(
    bundle: Bundle, *, register: Register, data_dir: Path, region: str, by: str, now_us: int
) -> Published:
    """Keep a bundle that was read; see `publish_bundle`."""
    with _staged(bundle, data_dir) as staged:
        target = data_dir / FOLDER / region / bundle.head.survey

        def place() -> None:
            shutil.rmtree(target, ignore_errors=True)  # left by a kill: the register does not know of it
            try:
                target.parent.mkdir(exist_ok=True)
                staged.rename(target)
            except OSError as error:
                raise StoreError(f"cannot write {target}: {error.strerror}") from None

        created = register.add_survey(region, bundle, by=by, now_us=now_us, place=place)
        if not created and not _complete(bundle, target):
            place()
    counts = (len(bundle.findings), len(bundle.segments), len(bundle.crops))
    overlaps = register.overlaps(region, bundle.head.survey)
    return Published(created, bundle.head.survey, bundle.digest, *counts, overlaps)


def withdraw(
    survey: str, *, register: Register, data_dir: Path, region: str, by: str, now_us: int
) -> Withdrawn | None:
    """Remove a survey, its reviews and its pictures; again, it changes nothing. See `WithdrawalLog.withdraw_survey`.

    Raises
    ------
    NotFoundError
        There never was a survey of that id.
    StoreError
        Nothing could be removed; a picture or more may be lost all the same, which publishing again brings back.
    """

    def remove() -> None:
        target = data_dir / FOLDER / region / survey
        try:
            shutil.rmtree(target)
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreError(f"cannot remove {target}: {error.strerror}") from None

    return register.withdraw_survey(region, survey, by=by, now_us=now_us, remove=remove)


def picture_file(data_dir: Path, region: str, survey: str, finding: str) -> Path:
    """Return where the picture of a finding lies; both ids must be known to the register."""
    return data_dir / FOLDER / region / survey / CROPS / f"{finding}.jpg"


@contextmanager
def _staged(bundle: Bundle, data_dir: Path) -> Iterator[Path]:
    """Yield a folder beside the others with the pictures; what was not moved away is removed."""
    sweep(data_dir / FOLDER)  # what a kill left takes room
    with staged_folder(data_dir / FOLDER) as staged:
        try:
            (staged / CROPS).mkdir()
            for name, data in bundle.pictures():
                write_atomically(staged / CROPS / name, data)
            staged.chmod(0o755)
            yield staged
        except BadInputError as error:
            if error.file is not None and error.file.startswith(str(staged)):
                raise StoreFullError(error.reason) from None
            raise


def _complete(bundle: Bundle, target: Path) -> bool:
    folder = target / CROPS
    return all(
        (file := folder / f"{id_}.jpg").is_file() and file.stat().st_size == size
        for id_, size in bundle.crops.items()
    )
