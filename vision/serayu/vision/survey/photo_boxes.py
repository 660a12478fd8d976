"""Which findings each picture shows, and where: the document ``sightings.json``, and boxes in crops."""

from collections.abc import Iterable, Sequence

from serayu.models.survey.finding import Finding
from serayu.models.survey.photo import CropFrame, FindingBox, PhotoBoxes, SurveyPhotos, crop_frame
from serayu.vision.survey.combine import Thing
from serayu.vision.survey.fuse import Group
from serayu.vision.survey.result import UnitResult

__all__ = ["crop_frames", "survey_photos"]

_DECIMALS = 1  # of a pixel


def survey_photos(
    results: Iterable[UnitResult],
    pairs: Sequence[tuple[Finding, Thing]],
    groups: Sequence[tuple[Thing, Group]],
    *,
    survey: str,
) -> SurveyPhotos:
    """Return the boxes of findings in each picture that shows anything, by name.

    Parameters
    ----------
    results
        Of all units.
    pairs, groups
        Each thing with its finding, and with the sightings that it was made of.
    survey
        Id of the survey.
    """
    ids = {id(thing): finding.id for finding, thing in pairs}
    shown: dict[str, list[tuple[int, FindingBox]]] = {}
    for thing, group in groups:
        for seen in (*group.seen, *group.others):
            left, top, right, bottom = (round(float(value), _DECIMALS) for value in seen.sighting.xyxy_px)
            box = FindingBox(ids[id(thing)], (left, top, right, bottom))
            shown.setdefault(seen.sighting.unit, []).append((seen.sighting.index, box))
    photos = []
    for result in sorted(results, key=lambda one: one.unit):
        if result.size_px is None or not result.n_detections:
            continue
        boxes = tuple(box for _, box in sorted(shown.get(result.unit, []), key=lambda pair: pair[0]))
        unplaced = result.n_detections - len(boxes)
        photos.append(PhotoBoxes(result.unit, result.size_px[0], result.size_px[1], unplaced, boxes))
    return SurveyPhotos(survey, tuple(photos))


def crop_frames(
    pairs: Sequence[tuple[Finding, Thing]], results: Iterable[UnitResult]
) -> dict[str, CropFrame]:
    """Return where the crop of each finding, cut from its best picture, shows it, by the finding's id."""
    sizes = {one.unit: one.size_px for one in results}
    frames = {}
    for finding, thing in pairs:
        size = sizes[thing.best.unit]
        if size is not None:
            frames[finding.id] = crop_frame(thing.best.xyxy_px, width_px=size[0], height_px=size[1])
    return frames
