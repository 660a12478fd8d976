"""Which pictures show the same scene, so that intervals count places, not frames.

A column `scene` of a ``manifest.csv`` beside the data decides where it names every picture. Otherwise pictures belong
to one scene when their contents overlap: drone sets are full of repeated video frames, and their numbers do not tell
(in RDD2022's drone part the frames of one place are numbered hundreds apart). Two pictures overlap when at least
`_INLIERS` matched ORB corners [Rublee et al. 2011] agree on one shift, turn and scale; overlap is passed on, so a
chain of frames is one scene. Above `MOST` pictures every picture is its own scene.
"""

import csv
from collections.abc import Hashable, Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, triu

from serayu.models.errors import BadInputError, plain
from serayu.vision.detection import Image, Points

__all__ = ["MOST", "Overlap", "manifest_scenes", "numbered"]

Descriptors = npt.NDArray[np.uint8]

MOST = 2500
"""Pictures above which overlap is not looked for: the work grows with the square."""

_SIDE = 512
_CORNERS = 300
_NEAR = 48
_VOTES = 7
_COMMON = 40
_INLIERS = 15
_SHIFT_PX = 4.0
_SCALE = (0.8, 1.25)
# Sizes and limits of the overlap are [project proposal], set on pairs of the RDD2022 drone pictures looked at by eye.


class Overlap:
    """Collects pictures one by one and tells which overlap."""

    def __init__(self) -> None:
        self._orb = cv2.ORB.create(nfeatures=_CORNERS, fastThreshold=10)
        self._matcher = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True)
        self._corners: list[tuple[Points, Descriptors]] = []
        self._count = 0

    def add(self, image: Image) -> None:
        """Take the next picture."""
        self._count += 1
        if self._count <= MOST:
            self._corners.append(self._described(image))

    def scenes(self) -> tuple[int, ...]:
        """Return the scene of each picture, numbered from 0 in the order of first sight."""
        if self._count > MOST:
            return tuple(range(self._count))
        scene = list(range(self._count))
        for first, second in _candidates([descriptors for _, descriptors in self._corners]):
            roots = sorted((_root(scene, first), _root(scene, second)))
            if roots[0] != roots[1] and self._agree(first, second):
                scene[roots[1]] = roots[0]
        return numbered([_root(scene, index) for index in range(self._count)])

    def _described(self, image: Image) -> tuple[Points, Descriptors]:
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        scale = _SIDE / max(grey.shape)
        if scale < 1.0:
            size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
            grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
        keypoints, descriptors = self._orb.detectAndCompute(grey, None)
        if descriptors is None:
            return np.zeros((0, 2)), np.zeros((0, 32), dtype=np.uint8)
        return np.asarray([point.pt for point in keypoints], dtype=np.float64), np.asarray(
            descriptors, dtype=np.uint8
        )

    def _agree(self, first: int, second: int) -> bool:
        points, descriptors = self._corners[first]
        other_points, other_descriptors = self._corners[second]
        matches = [
            match for match in self._matcher.match(descriptors, other_descriptors) if match.distance < _NEAR
        ]
        if len(matches) < _INLIERS:
            return False
        source = points[[match.queryIdx for match in matches]]
        target = other_points[[match.trainIdx for match in matches]]
        motion, inliers = cv2.estimateAffinePartial2D(source, target, ransacReprojThreshold=_SHIFT_PX)
        if motion is None or int(np.count_nonzero(inliers)) < _INLIERS:
            return False
        return _SCALE[0] <= float(np.hypot(motion[0, 0], motion[1, 0])) <= _SCALE[1]


def _candidates(descriptors: Sequence[Descriptors]) -> list[tuple[int, int]]:
    """Return pairs of pictures that share words: equal 24 bits of a descriptor at one place of it.

    Two descriptors of one corner differ in few of their 256 bits, so that some of their words are equal; words that
    many pictures have are left out. This only proposes, :meth:`Overlap._agree` decides.
    """
    rows = np.repeat(np.arange(len(descriptors)), [len(one) for one in descriptors])
    if not len(rows):
        return []
    every = np.concatenate(descriptors).astype(np.int64)
    pictures, words = [], []
    for place, offset in enumerate(range(0, 30, 3)):
        part = every[:, offset : offset + 3]
        words.append((place << 24) | (part[:, 0] << 16) | (part[:, 1] << 8) | part[:, 2])
        pictures.append(rows)
    _, columns = np.unique(np.concatenate(words), return_inverse=True)
    ones = np.ones(len(columns), dtype=np.int32)
    table = csr_array(
        (ones, (np.concatenate(pictures), columns)), shape=(len(descriptors), columns.max() + 1)
    )
    table.data[:] = 1
    spread = np.asarray(table.sum(axis=0)).ravel()
    table = table[:, np.flatnonzero((spread > 1) & (spread <= _COMMON))]
    votes = triu(table @ table.T, k=1).tocoo()
    chosen = votes.data >= _VOTES
    order = np.lexsort((votes.col[chosen], votes.row[chosen], -votes.data[chosen]))
    pairs = np.stack([votes.row[chosen], votes.col[chosen]], axis=1)[order]
    return [(int(first), int(second)) for first, second in pairs]


def _root(scene: list[int], index: int) -> int:
    while scene[index] != index:
        scene[index] = scene[scene[index]]
        index = scene[index]
    return index


def manifest_scenes(images: Sequence[Path]) -> tuple[int, ...] | None:
    """Return the scenes that a ``manifest.csv`` (columns `file`, `scene`) tells; None where it does not for all.

    The manifest is looked for in the folders above the first picture, up to three. Pictures are known by their names:
    where one name (in two splits) has two scenes, it tells nothing.

    Raises
    ------
    BadInputError
        The manifest cannot be read as UTF-8 CSV.
    """
    for folder in images[0].resolve().parents[:3] if images else ():
        manifest = folder / "manifest.csv"
        if not manifest.is_file():
            continue
        try:
            with manifest.open(newline="", encoding="utf-8-sig") as stream:
                rows = list(csv.DictReader(stream))
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise BadInputError(f"cannot be read: {plain(error)}", file=manifest) from None
        scenes: dict[str, set[str]] = {}
        for row in rows:
            if row.get("file") and row.get("scene"):
                scenes.setdefault(Path(row["file"]).name, set()).add(row["scene"])
        if all(len(scenes.get(image.name, ())) == 1 for image in images):
            return numbered([next(iter(scenes[image.name])) for image in images])
        return None
    return None


def numbered(keys: Sequence[Hashable]) -> tuple[int, ...]:
    """Return keys as numbers from 0 in the order of first sight."""
    numbers: dict[Hashable, int] = {}
    return tuple(numbers.setdefault(key, len(numbers)) for key in keys)
