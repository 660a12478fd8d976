"""What finds things in the demonstration's photos: the installed detectors; given boxes for what none of them knows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from serayu.models.survey.finding import DefectClass
from serayu.vision.detection import Detection
from serayu.vision.imagery import Opened, Unit
from serayu.vision.runtime.weights import available_weights
from serayu.vision.survey.boxes import GivenBoxes
from serayu.vision.survey.engine import looks
from serayu.vision.survey.finders import GivenFinder
from serayu.vision.survey.pipeline import Engine
from serayu.vision.survey.recipe import Recipe
from serayu.vision.survey.work import Finder, Look

__all__ = ["Eyes", "helped", "installed"]

DETECTORS = ("road", "landslide")


class Eyes(NamedTuple):
    """Who looks for what.

    Parameters
    ----------
    weights
        Installed detectors; none without one for roads.
    sought
        Classes that they know.
    given
        Classes whose boxes are given.
    """

    weights: tuple[str, ...]
    sought: tuple[str, ...]
    given: tuple[str, ...]


def installed() -> Eyes:
    """Return what the installed weights know; without a detector for roads all boxes are given."""
    classes = {one.name: one.classes for one in available_weights().weights}
    names = tuple(name for name in DETECTORS if name in classes) if DETECTORS[0] in classes else ()
    known = {label for name in names for label in classes[name]}
    every = tuple(label.value for label in DefectClass)
    return Eyes(
        names, tuple(one for one in every if one in known), tuple(one for one in every if one not in known)
    )


def helped(eyes: Eyes, boxes: Path) -> Engine:
    """Return an engine whose detectors are given the boxes of what they do not know.

    Parameters
    ----------
    eyes
        Who looks for what.
    boxes
        Folder with the boxes of every class.
    """
    every = GivenBoxes.of(boxes)
    rest = GivenBoxes(boxes, tuple(name if name in eyes.given else "" for name in every.classes))

    def engine(units: Sequence[Unit], recipe: Recipe) -> Iterator[Look]:
        finder = _Both(recipe.finder(), GivenFinder(rest))
        return looks(units, imagery=recipe.imagery, finder=finder, gauge=recipe.gauge, guard=recipe.guard())

    return engine


@dataclass(frozen=True, slots=True)
class _Both:
    """Two finders that look for different classes."""

    one: Finder
    other: Finder

    @property
    def name(self) -> str:
        return f"{self.one.name} + {self.other.name}"

    def find(self, unit: Unit, opened: Opened) -> tuple[Detection, ...]:
        found = (*self.one.find(unit, opened), *self.other.find(unit, opened))
        return tuple(sorted(found, key=lambda one: (one.label.value, one.xyxy_px)))
