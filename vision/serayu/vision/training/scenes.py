"""Scenes of pictures, and which of them to keep back: a split by chance would put frames of one place on both sides."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from serayu.vision.evaluate.scenes import Overlap
from serayu.vision.runtime.pictures import read_picture

__all__ = ["hold_out", "scene_numbers"]

_LARGEST_PART = 4


def scene_numbers(files: Sequence[Path]) -> npt.NDArray[np.int64]:
    """Return the number of the scene of each picture, from 0 in the order in which scenes first occur.

    Raises
    ------
    BadInputError
        A picture cannot be read.
    """
    overlap = Overlap()
    for file in files:
        overlap.add(read_picture(file, upright=True))
    return np.array(overlap.scenes(), dtype=np.int64)


def hold_out(scenes: npt.NDArray[np.int64], *, share: float, seed: int) -> npt.NDArray[np.bool_]:
    """Return which pictures to keep back: whole scenes, drawn until they hold a share of all pictures.

    A scene larger than a quarter of that share is never drawn, so that a few long flights do not fill it.

    Parameters
    ----------
    scenes
        Scene of each picture, shape (n,).
    share
        Share of the pictures, 0-1.
    seed
        Of the draw.
    """
    wanted = round(share * len(scenes))
    chosen = np.zeros(len(scenes), dtype=bool)
    for scene in np.random.default_rng(seed).permutation(np.unique(scenes)):
        members = scenes == scene
        if chosen.sum() + members.sum() <= wanted and members.sum() <= max(1, wanted // _LARGEST_PART):
            chosen |= members
    return chosen
