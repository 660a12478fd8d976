"""Whether a folder may take a survey's results: not one with the survey's inputs, nor one with another survey's."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from serayu.models.errors import BadInputError
from serayu.vision.imagery import Unit

__all__ = ["check_no_input", "check_same_survey"]

_INPUTS = ("truth.geojson", "boxes")
_SUMMARY = "survey.json"


def check_no_input(out: Path, units: Iterable[Unit]) -> None:
    """Look whether the pictures of a survey lie in its folder of results, where they could be written over.

    Raises
    ------
    BadInputError
        They do, or the folder holds the truth or the boxes of a flight.
    """
    place = out.resolve()
    inside = next((unit.name for unit in units if unit.file.resolve().is_relative_to(place)), None)
    held = inside or next((name for name in _INPUTS if (out / name).exists()), None)
    if held is not None:
        raise BadInputError(
            f"folder masukan, ada {held} · it holds {held}, an input: give another folder for the results",
            file=out,
        )


def check_same_survey(out: Path, digests: Iterable[str], *, known: Sequence[str] | None, source: str) -> None:
    """Look whether results that lie in a folder are of the same survey: of some of the same pictures.

    Other weights, boxes or roads, photos added or replaced, are the same survey made anew.

    Parameters
    ----------
    out
        The folder of results; nothing is wrong without ``survey.json`` there.
    digests
        SHA-256 of the pictures.
    known
        Those of the survey that lies there; None where that is not recorded: its name tells then.
    source
        Name of the folder of pictures or of the orthophoto.

    Raises
    ------
    BadInputError
        They are another survey's.
    """
    file = out / _SUMMARY
    if not file.is_file():
        return
    same = bool(set(known) & set(digests)) if known is not None else _source(file) == source
    if not same:
        raise BadInputError(
            "berisi hasil survei lain · it holds the results of another survey: give another folder", file=out
        )


def _source(file: Path) -> str | None:
    """Return the name of the pictures of a survey; None where the file does not say it."""
    try:
        told = msgspec.json.decode(file.read_bytes())
    except (OSError, msgspec.DecodeError):
        return None
    return told.get("source") if isinstance(told, dict) else None
