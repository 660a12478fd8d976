"""What may be kept of a picture: the one gate for everything that stores or publishes pictures.

A picture of 5 mm ground sampling distance or coarser is kept as it is. Of a finer one the faces, and where the
operator gave a detector the people and vehicles, are hidden first; without a working model of faces its whole is not
kept at all.
"""

import functools
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from serayu.models.errors import BadInputError
from serayu.vision.detection import Image
from serayu.vision.privacy.blur import pixelated
from serayu.vision.privacy.faces import FaceFinder
from serayu.vision.privacy.hidden import Hidden, Storing
from serayu.vision.privacy.people import PeopleFinder

__all__ = ["FINEST_GSD_MM", "NO_GUARD", "WHOLE_SHARE", "Guard", "Kept", "may_store", "open_guard"]

FINEST_GSD_MM = 5.0
"""Finer pictures can show who somebody is: they are kept only blurred [project rule]."""
WHOLE_SHARE = 0.25
"""A crop of more than this of a picture counts as the whole of it [project proposal]."""

_PEOPLE_PADDING = 0.05  # of the longer side [project proposal]

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Kept:
    """What may be kept of a picture.

    Parameters
    ----------
    image
        The picture with what was found hidden; the source of crops also where its whole is withheld.
    hidden
        What was hidden, and what becomes of its whole.
    """

    image: Image
    hidden: Hidden

    @property
    def whole(self) -> Image | None:
        """Return the whole picture, None where it must not be kept."""
        return None if self.hidden.storing is Storing.WITHHELD else self.image

    def for_crop(self, xyxy_px: Box) -> Image:
        """Return the picture that a box may be cut from.

        A box of most of a withheld picture would give it away: it is cut from a picture of coarse cells.
        """
        height, width = self.image.shape[:2]
        left, top, right, bottom = xyxy_px
        if (
            self.hidden.storing is Storing.WITHHELD
            and (right - left) * (bottom - top) > WHOLE_SHARE * height * width
        ):
            return pixelated(self.image, np.array([[0.0, 0.0, width, height]]))
        return self.image


@dataclass(frozen=True, slots=True)
class Guard:
    """The gate, with what it can find.

    Parameters
    ----------
    faces
        Finder of faces; None where there is none that works, `missing` then says why.
    people
        Finder of people and vehicles; None where the operator gave none.
    missing
        Why there is no finder of faces.
    """

    faces: FaceFinder | None
    people: PeopleFinder | None = None
    missing: str | None = None

    @property
    def name(self) -> str:
        """Return what finds faces and people, for the record and for the keys of kept results."""
        faces = "no faces" if self.faces is None else self.faces.name
        return f"{faces}; {'no people' if self.people is None else self.people.name}"

    def kept(self, image: Image, *, gsd_mm: float | None) -> Kept:
        """Return what may be kept of a picture.

        Parameters
        ----------
        image
            Shape (height, width, 3), as it was taken.
        gsd_mm
            Its ground sampling distance, mm per px; None, not known, counts as fine.
        """
        if may_store(gsd_mm):
            return Kept(image, Hidden(Storing.AS_IT_IS))
        none = np.zeros((0, 4))
        people = none if self.people is None else self.people.find(image)
        faces, storing = none, Storing.WITHHELD
        if self.faces is not None:
            with suppress(BadInputError):
                faces, storing = self.faces.find(image, gsd_mm=gsd_mm)[0], Storing.BLURRED
        # Whole bodies and vehicles need less margin than faces, and a wide one would hide the road beside them.
        whole = pixelated(image, people, padding=_PEOPLE_PADDING)
        return Kept(pixelated(whole, faces), Hidden(storing, faces=len(faces), people=len(people)))


NO_GUARD = Guard(None)
"""Finds nothing, so that every fine picture is withheld."""


def may_store(gsd_mm: float | None) -> bool:
    """Return whether a whole picture may be stored or published without blurring.

    Parameters
    ----------
    gsd_mm
        Its ground sampling distance as it was taken, mm per px. None, not known, may not: it could be any.

    Examples
    --------
    >>> may_store(5.0), may_store(4.9), may_store(None)
    (True, False, False)
    """
    return gsd_mm is not None and gsd_mm >= FINEST_GSD_MM


@functools.lru_cache(maxsize=4)
def open_guard(people_weights: Path | None = None) -> Guard:
    """Return the gate of this machine; a process loads each model once.

    A model of faces that is absent is no error: the gate then withholds and says so.

    Parameters
    ----------
    people_weights
        The operator's detector; that of the setting ``SERAYU_VISION_PEOPLE_WEIGHTS`` is the caller's to pass.

    Raises
    ------
    BadInputError
        The operator's weights are none.
    """
    people = None if people_weights is None else PeopleFinder.load(people_weights)
    try:
        return Guard(FaceFinder.load(), people)
    except BadInputError as error:
        return Guard(None, people, missing=str(error))
