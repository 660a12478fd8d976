"""The detector of pictures of any size: scaled, cut into tiles, looked at by all cores, joined."""

import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np

from serayu.models.errors import BadInputError
from serayu.models.survey.finding import DefectClass
from serayu.vision.detection import Detection, Image
from serayu.vision.runtime.found import Found, gather, join
from serayu.vision.runtime.heads import Head, decode
from serayu.vision.runtime.merge import merge_looks, merge_tiles
from serayu.vision.runtime.network import Network, Worker
from serayu.vision.runtime.scale import Scale, resized
from serayu.vision.runtime.tiles import DEFAULT_OVERLAP, Tiles, cut_tile, plan_tiles

__all__ = ["TiledDetector"]

_LOOK_AHEAD = 2
"""Pictures whose tiles wait while an earlier one is finished: enough that no core is idle at a picture's end."""

_DEFECTS = frozenset(DefectClass)


@dataclass(frozen=True, slots=True)
class _Started:
    """A picture whose tiles are being looked at, at one scale."""

    tiles: Tiles
    scale: tuple[float, float]
    parts: tuple[Future[Found], ...]

    def finished(self, *, sure: float) -> Found:
        """Wait for the tiles, and return what they show in pixels of the picture as it was given."""
        parts = [part.result() for part in self.parts]
        return merge_tiles(join(parts), gather(parts), self.tiles, sure=sure).rescaled(self.scale)


class TiledDetector:
    """A network that looks at pictures of any size, tile by tile; a :class:`serayu.vision.detection.Detector`.

    Parameters
    ----------
    network
        What looks at a tile.
    weights
        Name of the weights, for the record.
    classes
        Names of the classes, in the network's order.
    threshold
        Least score.
    scale
        The scale that the weights were trained at.
    overlap
        Least share of a tile's side in common with the next.
    threads
        How many tiles at once.

    Raises
    ------
    BadInputError
        The network's outputs are not those of a head with these classes, or the margin leaves nothing of its input.
    """

    def __init__(
        self,
        network: Network,
        *,
        weights: str,
        classes: Sequence[str],
        threshold: float,
        scale: Scale,
        overlap: float = DEFAULT_OVERLAP,
        threads: int,
    ) -> None:
        self.classes = tuple(classes)
        self.threshold = threshold
        self.name = f"{weights} {network.name}"
        self._network = network
        self._head = Head.of(network.shapes, classes=len(classes), side_px=network.side_px, source=weights)
        if not 0 <= 2 * scale.margin_px < network.side_px:
            raise BadInputError(
                f"{scale.margin_px} px on both sides leave nothing of an input of {network.side_px} px",
                file=weights,
                field="margin_px",
            )
        self._scale = scale
        self._overlap = overlap
        self._local = threading.local()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="serayu-vision-tile")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def settings(self) -> str:
        """Return everything but network and numbers that decides on what is found, in one line."""
        return repr((self.classes, self.threshold, self._scale, self._overlap))

    @property
    def defects(self) -> tuple[DefectClass, ...]:
        """Return those of its classes that are damage."""
        return tuple(DefectClass(name) for name in self.classes if name in _DEFECTS)

    @property
    def has_masks(self) -> bool:
        """Return whether detections have outlines."""
        return self._head.coefficients > 0

    def close(self) -> None:
        """End the threads; tiles that wait are dropped."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def detect(self, image: Image, *, gsd_mm: float | None) -> tuple[Detection, ...]:
        """Return what is in a picture, by class, then box; classes that are no defects are left out.

        Raises
        ------
        BadInputError
            None of the classes of these weights is a defect.
        """
        if _DEFECTS.isdisjoint(self.classes):
            raise BadInputError(f"no class of these weights is a defect: {', '.join(self.classes[:5])} …")
        found = self.find(image, gsd_mm=gsd_mm)
        return tuple(
            Detection(
                label=DefectClass(self.classes[found.labels[row]]),
                score=float(found.scores[row]),
                xyxy_px=tuple(float(side) for side in found.xyxy_px[row]),  # type: ignore[arg-type]
                outlines_px=found.outlines_px[row] if found.outlines_px else (),
            )
            for row in range(len(found))
            if self.classes[found.labels[row]] in _DEFECTS
        )

    def find(self, image: Image, *, gsd_mm: float | None = None, threshold: float | None = None) -> Found:
        """Return what is in a picture, of all classes, as arrays.

        Parameters
        ----------
        image
            Shape (height, width, 3).
        gsd_mm
            Its ground sampling distance, mm per px; None: not known.
        threshold
            Least score; the detector's own when None.
        """
        return self._finished(self._started(image, gsd_mm, threshold))

    def find_all(
        self, images: Iterable[tuple[Image, float | None]], *, threshold: float | None = None
    ) -> Iterator[Found]:
        """Look at many pictures, each with its ground sampling distance, while the next ones are read.

        All cores stay busy where a picture ends, or is no more than one tile. Yields in the order of the pictures.
        """
        waiting: deque[tuple[_Started, ...]] = deque()
        tiles = 0
        most = _LOOK_AHEAD * self._pool._max_workers  # noqa: SLF001 - the pool tells its size nowhere else
        for image, gsd_mm in images:
            waiting.append(self._started(image, gsd_mm, threshold))
            tiles += _tiles(waiting[-1])
            while len(waiting) > 1 and tiles - _tiles(waiting[0]) >= most:
                tiles -= _tiles(waiting[0])
                yield self._finished(waiting.popleft())
        while waiting:
            yield self._finished(waiting.popleft())

    def _started(self, image: Image, gsd_mm: float | None, threshold: float | None) -> tuple[_Started, ...]:
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:  # noqa: PLR2004
            raise ValueError(
                f"expected bytes of shape (height, width, 3), not {image.dtype} of {image.shape}"
            )
        least = self.threshold if threshold is None else threshold
        first, *others = self._scale.factors(
            gsd_mm, longest_px=max(image.shape[:2]), side_px=self._head.side_px
        )
        further = max(least, self._scale.also_threshold)
        return (
            self._started_at(image, first, least),
            *(self._started_at(image, factor, further) for factor in others),
        )

    def _started_at(self, image: Image, factor: float, threshold: float) -> _Started:
        seen, scale = resized(image, factor)
        tiles = plan_tiles(
            seen.shape[1],
            seen.shape[0],
            side_px=self._head.side_px,
            overlap=self._overlap,
            margin_px=self._scale.margin_px,
        )
        parts = (self._pool.submit(self._look, seen, tiles, index, threshold) for index in range(len(tiles)))
        return _Started(tiles, scale, tuple(parts))

    def _finished(self, looks: tuple[_Started, ...]) -> Found:
        """Return what all looks at a picture show; from the detector's threshold up it is the same without the rest."""
        found = [look.finished(sure=self.threshold) for look in looks]
        return found[0].ordered() if len(found) == 1 else merge_looks(found, sure=self.threshold)

    def _look(self, image: Image, tiles: Tiles, index: int, threshold: float) -> Found:
        """Return what one tile shows, in pixels of the picture as it was scaled; runs in a thread of the pool."""
        worker: Worker | None = getattr(self._local, "worker", None)
        if worker is None:
            worker = self._local.worker = self._network.worker()
        cut_tile(image, tiles, index, into=worker.tile)
        shift = tiles.xyxy_px[index, :2] - tiles.inset_px[index]
        shown = (tiles.xyxy_px[index] - np.tile(shift, 2)).astype(np.float64)
        found = decode(worker.infer(), self._head, threshold=threshold, within_px=shown)
        return found.moved((float(shift[0]), float(shift[1])))


def _tiles(looks: tuple[_Started, ...]) -> int:
    return sum(len(look.tiles) for look in looks)
