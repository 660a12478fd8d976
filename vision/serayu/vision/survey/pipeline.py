"""A whole survey: look at every unit that is not done, merge, place, judge segments, write."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from shapely.geometry.base import BaseGeometry

from serayu.models.errors import BadInputError
from serayu.models.survey.finding import Finding
from serayu.vision.documents.facts import facts_of
from serayu.vision.documents.words import meant
from serayu.vision.documents.write import write_reports
from serayu.vision.imagery import Imagery, Unit
from serayu.vision.privacy.coverage import privacy_note
from serayu.vision.runtime.settings import VisionSettings
from serayu.vision.survey.align import Alignment
from serayu.vision.survey.combine import Thing, combined
from serayu.vision.survey.conditions import segment_features
from serayu.vision.survey.confirm import confirmed
from serayu.vision.survey.coverage import coverage_feature
from serayu.vision.survey.documents import CROPS, PHOTOS, keep_only, sweep, write_documents, write_picture
from serayu.vision.survey.engine import looks
from serayu.vision.survey.findings import findings_of
from serayu.vision.survey.frames import frames_of
from serayu.vision.survey.fuse import fuse
from serayu.vision.survey.ids import digest, stable_uuid7
from serayu.vision.survey.out_folder import Wanted, check_no_input, check_same_survey, forget_survey
from serayu.vision.survey.photo_boxes import crop_frames, survey_photos
from serayu.vision.survey.place import SLIDE_LIMIT_M, Roads, slopes
from serayu.vision.survey.recipe import (
    Recipe,
    file_sha256,
    files_sha256,
    imagery_of,
    measured,
    unit_keys,
    weights_told,
)
from serayu.vision.survey.result import UnitResult, UnitStatus
from serayu.vision.survey.segments import SegmentFound, segments_found
from serayu.vision.survey.summary import LeftOut, Summary, summary_of
from serayu.vision.survey.vote import voted
from serayu.vision.survey.work import Gauge, Look
from serayu.vision.survey.workspace import Workspace

__all__ = ["Engine", "Order", "Outcome", "run_survey"]


class Engine(Protocol):
    """Looks at units, here or on other machines."""

    def __call__(self, units: Sequence[Unit], recipe: Recipe) -> Iterator[Look]:
        """Yield what came of each unit, in any order."""
        ...


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be surveyed.

    Parameters
    ----------
    source
        Folder of photos, or an orthophoto.
    out
        Where the documents go.
    ruas
        Roads as GeoJSON; None: findings have no road, and there are no segments.
    dem
        Elevation model; None for flat ground.
    boxes
        Folder of given boxes instead of a detector.
    weights
        Names or files of weights.
    runtime, precision
        Of the detectors; None for the fastest.
    survey
        Id; None for one made from the input.
    people
        Detector of people and vehicles, to hide them; None: that of the setting
        ``SERAYU_VISION_PEOPLE_WEIGHTS``, if any.
    replace
        Whether finished results of another survey in `out` may be replaced.
    """

    source: Path
    out: Path
    ruas: Path | None = None
    dem: Path | None = None
    boxes: Path | None = None
    weights: tuple[str, ...] = ()
    runtime: str | None = None
    precision: str | None = None
    survey: str | None = None
    people: Path | None = None
    replace: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run did.

    Parameters
    ----------
    summary
        The document ``survey.json``.
    out
        Where the documents are.
    looked, resumed
        Units that this run looked at, and those that an earlier one had done.
    look_s, finish_s
        Seconds that looking and the rest took.
    """

    summary: Summary
    out: Path
    looked: int
    resumed: int
    look_s: float
    finish_s: float


Progress = Callable[[int, int], None]
"""Told how many units are done, of how many."""


def run_survey(
    order: Order,
    *,
    engine: Engine | None = None,
    progress: Progress | None = None,
    imagery: Imagery | None = None,
    gauge: Gauge = measured,
) -> Outcome:
    """Survey a folder of photos or an orthophoto; what an interrupted run has done is not done again.

    Parameters
    ----------
    order
        What and where to.
    engine
        Who looks at the units; this process when None.
    progress
        Told after each unit.
    imagery, gauge
        Another kind of pictures, and another way to measure in them.

    Raises
    ------
    BadInputError
        No pictures, none of them usable, no such weights, boxes, roads or elevation model, `out` is not writable,
        another survey is writing to it, or it holds the finished results of another one that may not be replaced.
    """
    began = time.monotonic()
    people = VisionSettings.read().people_weights if order.people is None else order.people
    imagery = imagery or imagery_of(order.source, dem=order.dem)
    with slopes(order.dem):
        pass  # an elevation model that slopes cannot be taken from is refused before anything is looked at
    roads = None if order.ruas is None else Roads.read(order.ruas, plane=imagery.plane)
    recipe = Recipe(imagery, order.boxes, order.weights, order.runtime, order.precision, gauge, people)
    units = imagery.units()
    if not units:
        raise BadInputError("holds no photos", file=order.source)
    check_no_input(order.out, units)
    files = files_sha256(units)
    keys = unit_keys(units, recipe=recipe, base=recipe.base(dem=order.dem), files=files)
    with Workspace.under(order.out) as workspace:
        wanted = Wanted(order.survey, _content(order, keys), set(files.values()), _told(order, recipe))
        if not order.replace:
            check_same_survey(order.out, wanted, made=workspace.made())
        results, resumed = _results(units, keys, recipe, workspace, engine or local_engine, progress)
        looked_s = time.monotonic() - began
        _check_usable(results, order.source)
        head = _head(wanted, recipe, results)
        frames = frames_of(results)
        groups = fuse((one for result in results for one in result.sightings), frames)
        alignment = groups[0].alignment if groups else Alignment()
        groups = voted(groups, [combined(group, frames).figure for group in groups])
        figures = [combined(group, frames).figure for group in groups]
        groups, unconfirmed = confirmed(groups, figures, frames, least=recipe.finder().least)
        things = [combined(group, frames) for group in groups]
        with slopes(order.dem) as slope_of:
            pairs = findings_of(
                things, survey=str(head["survey"]), roads=roads, slope_of=slope_of, plane=imagery.plane
            )
        findings = [finding for finding, _ in pairs]
        footprints = [alignment.moved(u, f.footprint) for u, f in frames.items()]
        segments = _segments(pairs, roads, footprints)
        summary = summary_of(
            results,
            findings,
            head=head,
            residual_m=alignment.residual_m,
            aligned=len(alignment.tied),
            unconfirmed=unconfirmed,
            inputs=_far_roads(order.ruas, roads, footprints),
        )
        content = digest(*wanted.content)
        if (workspace.made() or ("", ()))[0] != content:
            forget_survey(order.out)
        workspace.keep_made(content, wanted.photos)
        _publish(order.out, workspace, keys, results, pairs)
        features = segment_features(segments, survey=summary.survey)
        facts = facts_of(
            findings,
            segments=features,
            summary=summary,
            results=results,
            moved=alignment.moved,
            imagery=imagery,
            roads=() if roads is None else roads.network.ruas,
            frames=crop_frames(pairs, results),
        )
        write_reports(order.out, facts, crops=order.out / CROPS)
        write_documents(
            order.out,
            findings=findings,
            segments=features,
            photos=survey_photos(
                results, pairs, list(zip(things, groups, strict=True)), survey=summary.survey
            ),
            coverage=coverage_feature(footprints, survey=summary.survey, plane=imagery.plane),
            summary=summary,
        )
        workspace.forget_others(keys.items())
        sweep(order.out)
        return Outcome(
            summary, order.out, len(units) - resumed, resumed, looked_s, time.monotonic() - began - looked_s
        )


def local_engine(units: Sequence[Unit], recipe: Recipe) -> Iterator[Look]:
    """Look at units in this process."""
    return looks(
        units, imagery=recipe.imagery, finder=recipe.finder(), gauge=recipe.gauge, guard=recipe.guard()
    )


def _segments(
    pairs: Sequence[tuple[Finding, Thing]], roads: Roads | None, footprints: Sequence[BaseGeometry]
) -> tuple[SegmentFound, ...]:
    return () if roads is None else segments_found(pairs, roads=roads, footprints=footprints)


def _far_roads(file: Path | None, roads: Roads | None, footprints: Sequence[BaseGeometry]) -> list[LeftOut]:
    """Return what is wrong with roads so far away that not even a slide belongs to one."""
    if file is None or roads is None or not footprints:
        return []
    apart_m = roads.apart_m(footprints)
    if apart_m <= SLIDE_LIMIT_M:
        return []
    return [LeftOut(unit=file.name, status="read", code="roads_far", detail=f"{apart_m / 1000:.1f}")]


def _results(
    units: Sequence[Unit],
    keys: Mapping[str, str],
    recipe: Recipe,
    workspace: Workspace,
    engine: Engine,
    progress: Progress | None,
) -> tuple[list[UnitResult], int]:
    """Return the results of all units, by name, and how many of them were there already."""
    kept = {unit.name: workspace.done(unit.name, keys[unit.name]) for unit in units}
    results = {name: one for name, one in kept.items() if one is not None}
    resumed = len(results)
    if progress is not None:
        progress(resumed, len(units))
    todo = [unit for unit in units if unit.name not in results]
    for look in engine(todo, recipe) if todo else ():
        workspace.keep(look, keys[look.result.unit])
        results[look.result.unit] = look.result
        if progress is not None:
            progress(len(results), len(units))
    return [results[name] for name in sorted(results)], resumed


def _check_usable(results: Sequence[UnitResult], source: Path) -> None:
    """Raise BadInputError where no unit can be used, or none be put on a map."""
    read = [one for one in results if one.status is UnitStatus.READ]
    placed = [one for one in read if all(problem.code != "no_pose" for problem in one.problems)]
    if placed:
        return
    if read:
        raise BadInputError(
            f"none of its {len(read)} readable pictures can be put on a map; the first: {_why(read[0])}",
            file=source,
        )
    corrupt = sum(one.status is UnitStatus.CORRUPT for one in results)
    first = _why(results[0])
    raise BadInputError(
        f"none of its {len(results)} pictures can be used: {corrupt} corrupt, {len(results) - corrupt} refused; "
        f"the first: {first}",
        file=source,
    )


def _why(result: UnitResult) -> str:
    """Return in words why a picture cannot be used or placed; keys of the catalogue of texts are translated."""
    details = [key for one in result.problems for key in one.detail.split(", ") if key]
    return f"{result.unit}: {'; '.join(_in_both(key) for key in details) or 'no reason known'}"


def _in_both(key: str) -> str:
    said = meant(key)
    return " · ".join(filter(None, (said.id, said.en)))


def _content(order: Order, keys: Mapping[str, str]) -> list[str]:
    """Return everything that a survey's results depend on: the pictures' bytes, roads, settings, not their folders."""
    return [
        *(f"{name} {key}" for name, key in sorted(keys.items())),
        "" if order.ruas is None else file_sha256(order.ruas),
    ]


def _told(order: Order, recipe: Recipe) -> dict[str, object]:
    """Return the part of the summary that says what is to be surveyed with what."""
    return {
        "source": order.source.resolve().name,
        "kind": "photos" if order.source.is_dir() else "orthophoto",
        "detector": recipe.finder().name,
        "weights": [weights_told(one) for one in order.weights],
        "settings": {
            "runtime": order.runtime,
            "precision": order.precision,
            "boxes": None if order.boxes is None else "given",
        },
        "inputs": {
            "ruas": None if order.ruas is None else file_sha256(order.ruas),
            "dem": None if order.dem is None else file_sha256(order.dem),
        },
    }


def _head(wanted: Wanted, recipe: Recipe, results: Sequence[UnitResult]) -> dict[str, object]:
    """Return the part of the summary that says what was surveyed, with its id.

    The id is made from the time of the first picture and the content.
    """
    times = [one.time_us for one in results if one.time_us is not None]
    return {
        "survey": wanted.survey or stable_uuid7(min(times, default=None), *wanted.content),
        **wanted.told,
        "privacy": privacy_note(recipe.guard(), [one.hidden for one in results if one.hidden is not None]),
    }


def _publish(
    out: Path,
    workspace: Workspace,
    keys: Mapping[str, str],
    results: Sequence[UnitResult],
    pairs: Sequence[tuple[Finding, Thing]],
) -> None:
    """Write annotated pictures and the crop of each finding, opening each unit's pictures once."""
    for folder in (out / PHOTOS, out / CROPS):
        folder.mkdir(exist_ok=True)
    crops: dict[str, list[tuple[int, str]]] = {}
    for finding, thing in pairs:
        crops.setdefault(thing.best.unit, []).append((thing.best.index, f"{finding.id}.jpg"))
    photos = set()
    for result in results:
        if not result.annotated and result.unit not in crops:
            continue
        pictures = workspace.pictures(result.unit, keys[result.unit])
        if pictures.annotated is not None:
            name = f"{Path(result.unit).stem}.jpg"
            write_picture(out / PHOTOS / name, pictures.annotated)
            photos.add(name)
        place = {one.index: number for number, one in enumerate(result.sightings)}
        for index, name in crops.get(result.unit, []):
            write_picture(out / CROPS / name, pictures.crops[place[index]])
    keep_only(out / PHOTOS, photos)
    keep_only(out / CROPS, (name for group in crops.values() for _, name in group))
