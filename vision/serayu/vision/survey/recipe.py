"""What a survey is made of: imagery, what finds and measures; small enough to send to a worker."""

import functools
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from serayu.models.errors import BadInputError
from serayu.vision.detection import Detection, Image
from serayu.vision.ground import GroundMap
from serayu.vision.imagery import Imagery, Unit
from serayu.vision.privacy.guard import Guard, open_guard
from serayu.vision.quality import Measure
from serayu.vision.sighting import Measured
from serayu.vision.survey.boxes import CLASSES_FILE, GivenBoxes
from serayu.vision.survey.finders import DetectorFinder, GivenFinder
from serayu.vision.survey.ids import digest
from serayu.vision.survey.work import Gauge

if TYPE_CHECKING:
    from serayu.vision.runtime.manifest import WeightsEntry

__all__ = [
    "Recipe",
    "file_sha256",
    "files_sha256",
    "imagery_of",
    "measured",
    "unit_keys",
    "weights_sha256",
    "weights_told",
]

_PIPELINE = "survey 5"
"""Changes whenever the same input gives another result: kept results of older versions are then made again."""
_CHUNK = 1 << 20


def measured(image: Image, detection: Detection, ground: GroundMap, measures: frozenset[Measure]) -> Measured:
    """Measure one detection: the gauge of every survey."""
    from serayu.vision.measure.measure import measure  # noqa: PLC0415 -- scikit-image only when needed

    return measure(image, detection, ground, measures=measures)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the units of one survey are looked at; picklable.

    Parameters
    ----------
    imagery
        The pictures.
    boxes
        Folder of given boxes; None for a detector.
    weights
        Names or files of weights; empty with given boxes.
    runtime, precision
        Library and numbers of the detectors; None for the fastest of the machine.
    gauge
        What measures a detection; a function of a module, so that workers find it.
    people
        Detector of people and vehicles, to hide them; None hides faces only.
    """

    imagery: Imagery
    boxes: Path | None = None
    weights: tuple[str, ...] = ()
    runtime: str | None = None
    precision: str | None = None
    gauge: Gauge = measured
    people: Path | None = None

    def finder(self) -> GivenFinder | DetectorFinder:
        """Return what finds things; a process loads each detector once.

        Raises
        ------
        BadInputError
            No such boxes or weights.
        """
        return _finder(self.boxes, self.weights, self.runtime, self.precision)

    def guard(self) -> Guard:
        """Return what pictures go through before they are kept; a process loads each model once.

        Raises
        ------
        BadInputError
            No such detector of people.
        """
        return open_guard(self.people)

    def base(self, *, dem: Path | None) -> str:
        """Return a digest of all that every unit's result depends on, the elevation model included."""
        parts = [_PIPELINE, repr(self.imagery.plane), self.finder().key, self.guard().name]
        parts += [weights_sha256(one) for one in self.weights]
        parts += [] if self.people is None else [file_sha256(self.people)]
        parts += [] if self.boxes is None else [file_sha256(self.boxes / CLASSES_FILE)]
        return digest(*parts, "" if dem is None else file_sha256(dem))


@functools.lru_cache(maxsize=4)
def _finder(
    boxes: Path | None, weights: tuple[str, ...], runtime: str | None, precision: str | None
) -> GivenFinder | DetectorFinder:
    if boxes is not None:
        return GivenFinder(GivenBoxes.of(boxes))
    from serayu.vision.runtime.weights import load_detector  # noqa: PLC0415 -- only where something is detected

    return DetectorFinder(
        tuple(load_detector(name, runtime=runtime, precision=precision) for name in weights)
    )


def imagery_of(source: Path, *, dem: Path | None) -> Imagery:
    """Return the imagery of a folder of photos or of an orthophoto.

    Raises
    ------
    BadInputError
        It is neither, holds no pictures or none with a place, or the elevation model does not reach them.
    """
    if dem is not None:
        from serayu.vision.pose.terrain import check_dem  # noqa: PLC0415 -- rasterio only where needed

        check_dem(dem)
    if source.is_dir():
        from serayu.vision.pose.folder import PhotoFolder  # noqa: PLC0415 -- rasterio only for orthophotos

        photos = PhotoFolder(source, dem=dem)
        photos.check()
        return photos
    if not source.is_file():
        raise BadInputError("no such folder or orthophoto", file=source)
    from serayu.vision.pose.ortho import OrthoImagery  # noqa: PLC0415 -- rasterio only for orthophotos

    mosaic: Imagery = OrthoImagery(source)
    return mosaic


def files_sha256(units: Sequence[Unit]) -> dict[Path, str]:
    """Return the SHA-256 of each file of units.

    Raises
    ------
    BadInputError
        A file vanished.
    """
    return {file: file_sha256(file) for file in sorted({unit.file for unit in units})}


def unit_keys(
    units: Sequence[Unit], *, recipe: Recipe, base: str, files: Mapping[Path, str]
) -> dict[str, str]:
    """Return the key of each unit: a digest of its bytes (in *files*), its boxes and what all units depend on.

    Raises
    ------
    BadInputError
        A file vanished.
    """
    labels = GivenBoxes.of(recipe.boxes) if recipe.boxes is not None else None
    keys = {}
    for unit in units:
        name = unit.name if unit.window_px is None else unit.file.name
        given = None if labels is None else labels.file(name)
        boxes = file_sha256(given) if given is not None and given.is_file() else ""
        keys[unit.name] = digest(base, files[unit.file], repr(unit.window_px), boxes)
    return keys


def file_sha256(file: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal.

    Raises
    ------
    BadInputError
        It cannot be read.
    """
    sha = hashlib.sha256()
    try:
        with file.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                sha.update(chunk)
    except OSError as error:
        raise BadInputError(f"cannot read: {error.strerror}", file=file) from None
    return sha.hexdigest()


def weights_told(name: str) -> dict[str, str]:
    """Return what a summary says of weights: their name, SHA-256 and, where there is one, their restriction.

    Raises
    ------
    BadInputError
        No such weights.
    """
    told = {"name": Path(name).name, "sha256": weights_sha256(name)}
    entry = None if Path(name).is_file() else _entry(name)
    if entry is not None and entry.restricted is not None:
        told |= {"restriction_id": entry.restricted.id, "restriction_en": entry.restricted.en}
    return told


def weights_sha256(name: str) -> str:
    """Return the SHA-256 of weights: of a file, or as the manifest has it.

    Raises
    ------
    BadInputError
        No such weights.
    """
    if Path(name).is_file():
        return file_sha256(Path(name))
    return _entry(name).sha256


def _entry(name: str) -> "WeightsEntry":
    from serayu.vision.runtime.weights import available_weights, weights_folder  # noqa: PLC0415 -- as above

    return available_weights().entry(name, folder=weights_folder())
