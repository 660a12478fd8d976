"""What happened in a training: enough to repeat it, and to tell what its weights are worth."""

import subprocess
from pathlib import Path

import msgspec

from serayu.models.command import write_atomically
from serayu.models.errors import BadInputError

__all__ = ["Judged", "Record", "Round", "commit_of", "read_record", "write_record"]


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """Scores on one judge's pictures; null where nothing is labelled.

    Parameters
    ----------
    map50, map50_95
        Mean average precision of boxes, or of masks where the task is masks.
    classes
        Average precision at IoU 0.5 of each labelled class.
    """

    map50: float
    map50_95: float
    classes: dict[str, float]


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """One epoch that was judged.

    Parameters
    ----------
    epoch
        From 1.
    fitness
        Weighted mean of the judges' mAP50.
    judges
        Scores by judge.
    """

    epoch: int
    fitness: float
    judges: dict[str, Judged]


class Record(msgspec.Struct, kw_only=True):
    """One training.

    Parameters
    ----------
    name, task, classes
        Of the configuration.
    config_sha256, start_sha256
        Of the configuration's file and of the start weights.
    commit
        Of Serayu's source when it was begun; null outside a checkout.
    versions
        Of the libraries.
    device
        What it ran on.
    pictures
        Number of each split, and of those left out because a judge shows the same place.
    labels
        Labels by class of each split.
    epochs, done
        Planned and finished rounds.
    begun
        How many times it was begun or resumed.
    seconds
        Wall time of all finished rounds.
    rounds
        Those that were judged.
    best_epoch, weights_sha256
        Of the best round; null before there is one.
    """

    name: str
    task: str
    classes: tuple[str, ...]
    config_sha256: str
    start_sha256: str | None
    commit: str | None
    versions: dict[str, str]
    device: str
    pictures: dict[str, int]
    labels: dict[str, dict[str, int]]
    epochs: int
    done: int = 0
    begun: int = 1
    seconds: float = 0.0
    rounds: list[Round] = []
    best_epoch: int | None = None
    weights_sha256: str | None = None

    @property
    def best(self) -> Round | None:
        """Return the best round."""
        return next((one for one in self.rounds if one.epoch == self.best_epoch), None)


def read_record(file: Path) -> Record:
    """Return the record of a training.

    Raises
    ------
    BadInputError
        It is absent or not a record; names it.
    """
    try:
        return msgspec.json.decode(file.read_bytes(), type=Record)
    except OSError as error:
        raise BadInputError(f"cannot read: {error.strerror}", file=file) from None
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise BadInputError(str(error), file=file) from None


def write_record(record: Record, file: Path) -> None:
    """Write the record of a training, atomically."""
    write_atomically(file, msgspec.json.format(msgspec.json.encode(record), indent=1).decode() + "\n")


def commit_of(folder: Path) -> str | None:
    """Return the commit of a checkout, with ``+`` where its tracked files differ; None outside one."""
    try:
        head = _git(folder, "rev-parse", "HEAD")
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return None
    return head + ("+" if changed else "")


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(  # noqa: S603 - fixed words
        ["git", "-C", str(folder), *words],  # noqa: S607 - git of the PATH
        check=True,
        capture_output=True,
        text=True,
        timeout=20,
    )
    return done.stdout.strip()
