"""The manifest of the weights that Serayu carries: what each is, may be used for, and was trained on."""

import hashlib
from pathlib import Path
from typing import Literal

import msgspec

from serayu.models.errors import BadInputError
from serayu.models.texts import decimal, text

__all__ = [
    "MANIFEST_FILE",
    "Manifest",
    "Restriction",
    "ThresholdChoice",
    "WeightsEntry",
    "WeightsFile",
    "check_entry",
    "read_manifest",
    "verified",
]

_RESEARCH = "weights.restriction.research"
MANIFEST_FILE = "manifest.json"

MOST_BYTES = 12 * 1024 * 1024
"""Size of a file of weights at most, so that the package stays small."""


class WeightsFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file beside the manifest.

    Parameters
    ----------
    file
        Its name.
    sha256
        Of its content, 64 lower-case hexadecimal digits.
    """

    file: str
    sha256: str


class ThresholdChoice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """On what a threshold was chosen: where the micro F1 of all classes is highest.

    Parameters
    ----------
    f1
        What it reaches there, 0-1.
    pictures, whole
        How many pictures of how many of the split.
    split
        Of the data set.
    learnt
        Whether the network saw them in training.
    """

    f1: float
    pictures: int
    whole: int
    split: str
    learnt: bool

    def said(self, lang: str) -> str:
        """Return it as a sentence in a language of the catalogue."""
        return text(
            "report.threshold.learnt" if self.learnt else "report.threshold.kept",
            lang,
            f1=decimal(self.f1, 3, lang),
            pictures=self.pictures,
            whole=self.whole,
            split=self.split,
        )


class Restriction(msgspec.Struct, frozen=True):
    """What weights must not be used for, in Indonesian and English; both alike where it is not in the catalogue."""

    id: str
    en: str

    def both(self) -> str:
        """Return Indonesian and English on one line; once where they are alike."""
        return " · ".join(dict.fromkeys((self.id, self.en)))


class WeightsEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One set of weights.

    Parameters
    ----------
    name
        What commands call it, e.g. ``road``.
    task
        Boxes, or boxes with masks.
    file, sha256
        The ONNX file, which every runtime reads.
    int8
        Files of the same network quantised for OpenVINO: the ``.xml`` first, then its ``.bin``; empty without.
    licence
        Of the weights, SPDX or a short name.
    restriction
        What they must not be used for, a sentence that is printed at each use; null without one. Weights with a
        restriction are for research only and can be switched off.
    classes
        Names in the network's order.
    input_px
        Side of the square input.
    gsd_mm, gsd_range_mm, tile_px, margin_px, also_gsd_mm, also_threshold
        The scale of training, see :class:`serayu.vision.runtime.scale.Scale`.
    threshold
        The one global threshold.
    threshold_source
        How and on which data it was chosen, in English.
    threshold_choice
        The same in figures, for texts in other languages; null where it was chosen in another way.
    training_commit
        The commit that trained them; null where that is not known.
    card
        Name of the model card.
    """

    name: str
    task: Literal["detect", "segment"]
    file: str
    sha256: str
    licence: str
    restriction: str | None
    classes: tuple[str, ...]
    input_px: int
    gsd_mm: float | None
    threshold: float
    threshold_source: str
    training_commit: str | None
    int8: tuple[WeightsFile, ...] = ()
    gsd_range_mm: tuple[float, float] | None = None
    tile_px: int | None = None
    margin_px: int = 0
    also_gsd_mm: tuple[float, ...] = ()
    also_threshold: float = 0.0
    card: str | None = None
    threshold_choice: ThresholdChoice | None = None

    @property
    def restricted(self) -> Restriction | None:
        """Return the restriction in both languages; None without one."""
        if self.restriction is None:
            return None
        known = self.restriction == text(_RESEARCH, "en")
        return Restriction(text(_RESEARCH, "id") if known else self.restriction, self.restriction)

    def files(self) -> tuple[WeightsFile, ...]:
        """Return all files, the ONNX file first."""
        return (WeightsFile(file=self.file, sha256=self.sha256), *self.int8)


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All weights of a folder."""

    weights: tuple[WeightsEntry, ...]

    def entry(self, name: str, *, folder: Path) -> WeightsEntry:
        """Return the weights of a name.

        Raises
        ------
        BadInputError
            There are none; names those that there are.
        """
        for one in self.weights:
            if one.name == name:
                return one
        known = ", ".join(one.name for one in self.weights) or "none"
        raise BadInputError(f"no weights named {name!r}; there are: {known}", file=folder / MANIFEST_FILE)


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a folder of weights.

    Raises
    ------
    BadInputError
        It is absent or not valid; names file and field.
    """
    file = folder / MANIFEST_FILE
    try:
        manifest = msgspec.json.decode(file.read_bytes(), type=Manifest)
    except OSError as error:
        raise BadInputError(error.strerror or str(error), file=file) from None
    except msgspec.DecodeError as error:
        raise BadInputError(f"not a manifest of weights: {error}", file=file) from None
    for one in manifest.weights:
        check_entry(one, file=file)
    return manifest


def verified(folder: Path, wanted: WeightsFile) -> Path:
    """Return the place of a file of weights, whose content is what the manifest says.

    Raises
    ------
    BadInputError
        It is absent, too large, or has another content.
    """
    file = folder / wanted.file
    try:
        content = file.read_bytes()
    except OSError as error:
        raise BadInputError(error.strerror or str(error), file=file) from None
    if len(content) > MOST_BYTES:
        raise BadInputError(f"{len(content)} bytes; weights have at most {MOST_BYTES}", file=file)
    found = hashlib.sha256(content).hexdigest()
    if found != wanted.sha256:
        raise BadInputError(f"its SHA-256 is {found}, the manifest says {wanted.sha256}", file=file)
    return file


def check_entry(entry: WeightsEntry, *, file: Path) -> None:
    """Refuse an entry whose values make no sense or leave the folder.

    Raises
    ------
    BadInputError
        They do; names the manifest, the weights and the field.
    """
    for one in entry.files():
        if Path(one.file).name != one.file:
            raise BadInputError(f"{one.file!r} is not the name of a file beside it", file=file, field="file")
    if not 0 < entry.threshold < 1:
        raise BadInputError(
            f"{entry.name}: must be between 0 and 1, not {entry.threshold}", file=file, field="threshold"
        )
    if not entry.classes or len(set(entry.classes)) != len(entry.classes):
        raise BadInputError(f"{entry.name}: names must be given, each once", file=file, field="classes")
    _check_scale(entry, file=file)


def _check_scale(entry: WeightsEntry, *, file: Path) -> None:
    sizes: dict[str, tuple[float | None, ...]] = {
        "input_px": (entry.input_px,),
        "gsd_mm": (entry.gsd_mm,),
        "gsd_range_mm": entry.gsd_range_mm or (),
        "tile_px": (entry.tile_px,),
        "also_gsd_mm": entry.also_gsd_mm,
    }
    for field, values in sizes.items():
        for value in values:
            if value is not None and value <= 0:
                raise BadInputError(f"{entry.name}: must be above 0, not {value}", file=file, field=field)
    if entry.gsd_range_mm is not None and entry.gsd_range_mm[0] > entry.gsd_range_mm[1]:
        raise BadInputError(
            f"{entry.name}: must be least and most, not {entry.gsd_range_mm}", file=file, field="gsd_range_mm"
        )
    if not 0 <= entry.also_threshold < 1:
        raise BadInputError(
            f"{entry.name}: must be 0 to less than 1, not {entry.also_threshold}",
            file=file,
            field="also_threshold",
        )
    if not 0 <= 2 * entry.margin_px < entry.input_px:
        raise BadInputError(
            f"{entry.name}: must be 0 to less than half of input_px, not {entry.margin_px}",
            file=file,
            field="margin_px",
        )
