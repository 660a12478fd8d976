"""What is kept of one unit after it was looked at: enough to finish the survey without opening it again."""

import enum
from dataclasses import dataclass
from typing import TypeVar

import msgspec
import shapely
from shapely.geometry.base import BaseGeometry

from serayu.models.errors import BadInputError
from serayu.vision.privacy.hidden import Hidden
from serayu.vision.quality import Quality
from serayu.vision.sighting import Sighting
from serayu.vision.survey.marks import Marks

T = TypeVar("T", "UnitResult", "Pictures")
__all__ = ["Pictures", "Problem", "UnitResult", "UnitStatus", "decode", "encode"]


class UnitStatus(enum.StrEnum):
    """What became of a unit."""

    READ = "read"
    REFUSED = "refused"
    CORRUPT = "corrupt"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something in a unit was left out.

    Parameters
    ----------
    code
        Stable word: ``corrupt``, ``no_pose``, ``off_ground``, ``labels``.
    detail
        For people: the file and the reason, or how many; of ``refused`` and ``no_pose`` keys of the catalogue of
        texts, separated by commas.
    """

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class UnitResult:
    """One unit.

    Parameters
    ----------
    unit, status
        Its name and what became of it.
    sightings
        What it shows, on the ground, in the detector's order.
    n_detections
        How many things were detected, those that could not be put on the ground among them.
    size_px
        Width and height; None of a corrupt unit.
    footprint
        The ground that it shows, metres in the survey's plane; None without a pose.
    centre_sigma_m, edge_sigma_m
        Standard errors of the position in its middle and, on average, at its corners; None without a pose.
    gsd_mm, time_us, quality
        As opened.
    annotated
        Whether an annotated picture of it was kept; with things on it and False, privacy forbade it.
    hidden
        What became of its pictures on their way to being kept; None with nothing on it.
    marks
        Points of its ground that can be known again in other pictures; None without a pose.
    problems
        What was left out and why.
    """

    unit: str
    status: UnitStatus
    sightings: tuple[Sighting, ...] = ()
    n_detections: int = 0
    size_px: tuple[int, int] | None = None
    footprint: BaseGeometry | None = None
    centre_sigma_m: float | None = None
    edge_sigma_m: float | None = None
    gsd_mm: float | None = None
    time_us: int | None = None
    quality: Quality | None = None
    annotated: bool = False
    hidden: Hidden | None = None
    marks: Marks | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Pictures:
    """JPEG files of one unit.

    Parameters
    ----------
    annotated
        The whole unit with boxes and sizes; None where nothing is on it or privacy forbids it.
    crops
        One of each sighting, in their order.
    """

    annotated: bytes | None
    crops: tuple[bytes, ...]


def encode(value: UnitResult | Pictures) -> bytes:
    """Return MessagePack; geometries as well-known binary."""
    return msgspec.msgpack.encode(value, enc_hook=_to_wkb, order="deterministic")


def decode(data: bytes, kind: type[T], *, file: str) -> T:
    """Return what `encode` wrote.

    Raises
    ------
    BadInputError
        Not such a document; names the file.
    """
    try:
        return msgspec.msgpack.decode(data, type=kind, dec_hook=_from_wkb)
    except (msgspec.DecodeError, shapely.errors.ShapelyError) as error:
        raise BadInputError(f"not a kept result: {error}", file=file) from None


def _to_wkb(value: object) -> object:
    if isinstance(value, BaseGeometry):
        return shapely.to_wkb(value)
    raise NotImplementedError(f"{type(value).__name__} is not kept")


def _from_wkb(kind: type, value: object) -> object:
    if issubclass(kind, BaseGeometry) and isinstance(value, bytes):
        return shapely.from_wkb(value)
    raise NotImplementedError(f"{kind.__name__} is not kept")
