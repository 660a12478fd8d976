"""All that the documents of a survey are made from, gathered once."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from serayu.models.errors import BadInputError
from serayu.models.plane import LocalPlane
from serayu.models.roads.line import Ruas
from serayu.models.survey.finding import DefectClass, Finding
from serayu.models.survey.photo import CropFrame
from serayu.vision.documents.weights import Model, models_of
from serayu.vision.imagery import Imagery, Unit
from serayu.vision.survey.result import UnitResult
from serayu.vision.survey.summary import Summary

__all__ = ["Equipment", "Facts", "PhotoFact", "facts_of"]

_DEGREES = 8  # decimals: 1 mm


@dataclass(frozen=True, slots=True)
class PhotoFact:
    """One photo, or window of an orthophoto.

    Parameters
    ----------
    unit, status
        Name, and what became of it: ``read``, ``refused``, ``corrupt``.
    verdict, reasons
        Of the quality gate; None and empty of a corrupt one.
    gsd_mm, position_error_m
        Ground sampling distance, and standard error of its middle; None where not known.
    time_us
        When it was taken; None where it does not say.
    findings
        How many findings it shows.
    footprint
        The ground that it shows, degrees, after alignment; None without a pose.
    """

    unit: str
    status: str
    verdict: str | None
    reasons: tuple[str, ...]
    gsd_mm: float | None
    position_error_m: float | None
    time_us: int | None
    findings: int
    footprint: BaseGeometry | None


@dataclass(frozen=True, slots=True)
class Equipment:
    """A camera as its photos name it.

    Parameters
    ----------
    name
        Maker and model; empty where the photos do not say.
    size_px
        Width and height.
    focal_mm
        Focal length; None where the photos do not say.
    photos
        How many photos are of it.
    """

    name: str
    size_px: tuple[int, int]
    focal_mm: float | None
    photos: int


@dataclass(frozen=True, slots=True)
class Facts:
    """A survey as its documents tell it.

    Parameters
    ----------
    findings, segments, summary
        The documents ``findings.geojson``, ``segments.geojson`` (its features), ``survey.json``.
    photos
        All units by name.
    plane
        Of the survey.
    roads
        The roads that were given.
    equipment
        Cameras, the one of most photos first.
    models
        The detectors' weights.
    frames
        Where the picture of each finding shows it, by its id.
    """

    findings: tuple[Finding, ...]
    segments: tuple[Mapping[str, Any], ...]
    summary: Summary
    photos: tuple[PhotoFact, ...]
    plane: LocalPlane
    roads: tuple[Ruas, ...] = ()
    equipment: tuple[Equipment, ...] = ()
    models: tuple[Model, ...] = field(default=())
    frames: Mapping[str, CropFrame] = field(default_factory=dict)

    @property
    def slides(self) -> tuple[Finding, ...]:
        """The landslides among the findings."""
        return tuple(one for one in self.findings if one.label is DefectClass.LANDSLIDE)

    @property
    def ruas(self) -> tuple[str, ...]:
        """Numbers of the roads that were surveyed or that have a finding, in order."""
        shown = {one["properties"]["ruas"] for one in self.segments}
        return tuple(sorted(shown | {one.ruas for one in self.findings if one.ruas is not None}))

    @property
    def looked_for(self) -> frozenset[DefectClass] | None:
        """The classes that the detectors know and those that were found: a person may have given boxes of more.

        None where that is not recorded: boxes alone, and weights of one's own.
        """
        entries = [one.entry for one in self.models if one.entry is not None]
        if not entries or len(entries) < len(self.models) or self.summary.settings.get("boxes") is not None:
            return None
        known = {name for one in entries for name in one.classes} | {one.label.value for one in self.findings}
        return frozenset(one for one in DefectClass if one.value in known)

    def road(self, number: str) -> Ruas | None:
        """Return a road by its number; None where it was not given."""
        return next((one for one in self.roads if one.number == number), None)


def facts_of(
    findings: Sequence[Finding],
    *,
    segments: Sequence[Mapping[str, Any]],
    summary: Summary,
    results: Sequence[UnitResult],
    moved: Callable[[str, BaseGeometry], BaseGeometry],
    imagery: Imagery,
    roads: Sequence[Ruas] = (),
    frames: Mapping[str, CropFrame] | None = None,
) -> Facts:
    """Gather the facts of a survey.

    Parameters
    ----------
    findings, segments, summary
        What was found, in the order of ``findings.geojson``; features of segments; the summary.
    results
        Of all units.
    moved
        Moves what a unit shows to where it lies after alignment, metres.
    imagery
        The pictures; opened only for the tags that name the camera.
    roads
        The network.
    frames
        Where the picture of each finding shows it.
    """
    shows = Counter(name for one in findings for name in one.photos)
    photos = [
        _photo(one, shows[one.unit], moved, imagery.plane) for one in sorted(results, key=lambda r: r.unit)
    ]
    return Facts(
        findings=tuple(findings),
        segments=tuple(segments),
        summary=summary,
        photos=tuple(photos),
        plane=imagery.plane,
        roads=tuple(sorted(roads, key=lambda one: one.number)),
        equipment=_equipment(imagery.units()),
        models=models_of(summary.weights),
        frames=frames or {},
    )


def _photo(
    result: UnitResult,
    findings: int,
    moved: Callable[[str, BaseGeometry], BaseGeometry],
    plane: LocalPlane,
) -> PhotoFact:
    shown = None
    if result.footprint is not None:
        degrees = plane.to_degrees(moved(result.unit, result.footprint))
        shown = shapely.transform(degrees, lambda points: points.round(_DEGREES) + 0.0)
    quality = result.quality
    return PhotoFact(
        unit=result.unit,
        status=result.status.value,
        verdict=None if quality is None else quality.verdict.value,
        reasons=() if quality is None else quality.reasons,
        gsd_mm=result.gsd_mm,
        position_error_m=result.centre_sigma_m,
        time_us=result.time_us,
        findings=findings,
        footprint=shown,
    )


def _equipment(units: Sequence[Unit]) -> tuple[Equipment, ...]:
    """Return what the photos say of their cameras; no serial numbers."""
    from serayu.vision.pose.jpeg import read_tags  # noqa: PLC0415 -- Pillow only where there are photos

    cameras = Counter[tuple[str, tuple[int, int], float | None]]()
    for file in sorted({unit.file for unit in units if unit.window_px is None}):
        try:
            tags = read_tags(file)
        except BadInputError:
            continue  # it is among the corrupt ones already
        cameras[_name(tags.exif), (tags.width, tags.height), _focal_mm(tags.exif)] += 1
    ordered = sorted(cameras.items(), key=lambda item: (-item[1], repr(item[0])))
    return tuple(Equipment(*camera, photos=n) for camera, n in ordered)


def _name(exif: Mapping[str, Any]) -> str:
    maker, model = (str(exif.get(tag) or "").strip("\0 ") for tag in ("Make", "Model"))
    return model if model.startswith(maker) else f"{maker} {model}".strip()


def _focal_mm(exif: Mapping[str, Any]) -> float | None:
    value = exif.get("FocalLength")
    return round(float(value), 2) if isinstance(value, int | float) and value > 0 else None
