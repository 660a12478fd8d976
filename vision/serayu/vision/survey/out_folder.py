"""Whether a folder may take a survey's results: not one with the survey's inputs, nor one with another survey's."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from serayu.models.errors import BadInputError
from serayu.vision.imagery import Unit
from serayu.vision.survey.ids import digest, has_content

__all__ = ["Wanted", "check_no_input", "check_same_survey", "forget_survey"]

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


@dataclass(frozen=True, slots=True)
class Wanted:
    """The survey that is to be written to a folder.

    Parameters
    ----------
    survey
        Id that was given to it; None for one made from its content.
    content
        Texts of everything that its results depend on.
    photos
        SHA-256 of the pictures.
    told
        What ``survey.json`` will say of detector, weights, settings and other inputs.
    """

    survey: str | None
    content: Sequence[str]
    photos: Collection[str]
    told: Mapping[str, object]


def check_same_survey(out: Path, wanted: Wanted, *, made: tuple[str, Sequence[str]] | None) -> None:
    """Look whether finished results that lie in a folder are of the very same survey.

    Parameters
    ----------
    out
        The folder of results; nothing is wrong without ``survey.json`` there.
    wanted
        What is to be written to it.
    made
        Digest of the content and SHA-256 of the pictures of the survey that lies there; None where that is not
        recorded.

    Raises
    ------
    BadInputError
        They are another survey's, or it cannot be told; names what differs.
    """
    file = out / _SUMMARY
    if not file.is_file():
        return
    there = _read(file)
    id_ = str(there.get("survey", "?"))
    if wanted.survey is None:
        same = has_content(id_, *wanted.content)
    else:
        same = id_ == wanted.survey and made is not None and made[0] == digest(*wanted.content)
    if not same:
        raise BadInputError(
            f"berisi hasil survei lain yang selesai · it holds the finished results of another survey, {id_}; "
            f"{_differing(there, wanted, () if made is None else made[1])}: give another folder, or --replace",
            file=out,
        )


def forget_survey(out: Path) -> None:
    """Take the mark of complete results away, before they are replaced by another survey's.

    Raises
    ------
    BadInputError
        It cannot be removed.
    """
    try:
        (out / _SUMMARY).unlink(missing_ok=True)
    except OSError as error:
        raise BadInputError(f"cannot remove: {error.strerror}", file=out / _SUMMARY) from None


def _differing(there: Mapping[str, Any], wanted: Wanted, known: Collection[str]) -> str:
    """Return in words what two surveys differ in, as far as it is recorded."""
    found = []
    if known and set(known) != set(wanted.photos):
        shared = len(set(known) & set(wanted.photos))
        found.append(
            f"foto · photos ({len(set(known))} di sana · there, {len(set(wanted.photos))} di sini · here, "
            f"{shared} sama · shared)"
        )
    if wanted.survey is not None and there.get("survey") != wanted.survey:
        found.append("--survey")
    for group in ("inputs", "settings"):
        here, other = _mapping(wanted.told.get(group)), _mapping(there.get(group))
        found += [f"--{name}" for name in here if here[name] != other.get(name)]
    found += [name for name in ("detector", "weights") if wanted.told.get(name) != there.get(name)]
    others = "kotak, foto, penyamaran, atau rilis · boxes, photos, privacy or release"
    return f"berbeda · differs in: {', '.join(found) or others}"


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _read(file: Path) -> Mapping[str, Any]:
    """Return a summary; empty where it cannot be read."""
    try:
        told = msgspec.json.decode(file.read_bytes())
    except (OSError, msgspec.DecodeError):
        return {}
    return told if isinstance(told, dict) else {}
