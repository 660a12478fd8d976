"""One box per thing over all tiles: what two tiles both see must agree there, and is then joined by union.

Two tiles that overlap both see the whole of their common region. So boxes of two tiles show one thing when their parts
*inside the common region* agree; how far each goes on outside says nothing. A crack that runs on obliquely gives boxes
that agree little as areas, but a tile's edge cuts both and each reaches from one end of the common region to the other:
they continue one another. A long crack is thus joined piece by piece over any number of tiles, and a neighbour that
lies beside or partly behind is not absorbed. (Suppression instead, or a union judged on whole boxes, must choose
between cut cracks left in pieces and small things swallowed by large ones.) The relation is symmetric and its connected
groups are joined, so that the order of tiles, threads and boxes is without effect.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely

from serayu.vision.runtime.found import Boxes, Found, empty_found, join
from serayu.vision.runtime.masks import united_outlines
from serayu.vision.runtime.tiles import Tiles

__all__ = ["merge_looks", "merge_tiles"]

AGREE_IOU = 0.5
"""Least intersection over union, in the common region, of two boxes of one thing."""

AGREE_ALONG = 0.5
"""Least intersection over union, across the cut (one dimension, in the common region), where a tile's edge cuts one of
two boxes: both must begin at the same place there, or reach through."""

AGREE_ASIDE = 0.6
"""Least share of the smaller extent along the cut where one box is cut: a piece is seen less well than the whole."""

AGREE_ASIDE_THROUGH = 0.1
"""The same where both are cut and reach through the common region: of an oblique crack both boxes hold the same short
piece at opposite corners. The last three are a [project proposal], tried on rendered roads in ``bench.vision``."""

CUT_PX = 6.0
"""A box that ends so near to an edge of its tile, which is not the picture's, goes on beyond [project proposal]."""

WITHIN = 0.8
"""A box of which so much lies within another of its class is a part of it that a tile saw alone [project proposal; on
rendered roads F1 0.47 instead of 0.45, and 0.41 for a greedy union at half of the smaller box]."""

THROUGH = 0.8
"""Two cut boxes that share so much across the cut both reach through the common region."""

_TINY = 1e-9

Rows = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]


def merge_tiles(found: Found, tile_of: Rows, tiles: Tiles, *, sure: float = 0.0) -> Found:
    """Return one detection per thing, in the fixed order.

    Weak detections, which only evaluations ask for, join nothing: united they would chain over the whole picture and
    swallow what is sure. Of several that agree the best remains.

    Parameters
    ----------
    found
        Detections of all tiles, in pixels of the picture, in any order.
    tile_of
        The tile that each was found in, shape (n,).
    tiles
        The plan.
    sure
        Score from which detections are joined.

    Returns
    -------
    Found
        Joined by class: the union of the boxes and of the masks, with the best score.
    """
    if not len(found):
        return empty_found()
    rectangles = tiles.xyxy_px[tile_of].astype(np.float64)
    boxes = np.concatenate(
        [
            np.clip(found.xyxy_px[:, :2], rectangles[:, :2], rectangles[:, 2:]),
            np.clip(found.xyxy_px[:, 2:], rectangles[:, :2], rectangles[:, 2:]),
        ],
        axis=1,
    )
    if len(tiles) == 1:
        # Its boxes were told apart already: joining them would let weak ones widen strong ones.
        return Found(boxes, found.scores, found.labels, found.outlines_px).ordered()
    clipped = Found(boxes, found.scores, found.labels, found.outlines_px)
    strong, weak = np.flatnonzero(found.scores >= sure), np.flatnonzero(found.scores < sure)
    merged = _merged(clipped.taken(strong), rectangles[strong], tile_of[strong], tiles)
    return (_best(join([merged, clipped.taken(weak)])) if len(weak) else merged).ordered()


def _merged(found: Found, rectangles: Boxes, tile_of: Rows, tiles: Tiles) -> Found:
    """Return one detection per thing, of detections that lie within the rectangles of their tiles."""
    if not len(found):
        return found
    cut = _cut_sides(found.xyxy_px, rectangles, tiles)
    one, other = _pairs(found.xyxy_px, found.labels)
    seen_twice = tile_of[one] != tile_of[other]
    one, other = one[seen_twice], other[seen_twice]
    same = _agree(found.xyxy_px, rectangles, cut, one, other)
    return _settled(_united(found, found.xyxy_px, _groups(len(found), one[same], other[same])))


def _best(found: Found) -> Found:
    """Return what no better detection of its class agrees with."""
    found = found.ordered()
    found = found.taken(np.argsort(-found.scores, kind="stable"))
    one, other = _pairs(found.xyxy_px, found.labels)
    same = _agree_whole(found.xyxy_px, one, other)
    one, other = one[same], other[same]
    order = np.argsort(one, kind="stable")
    one, other = one[order], other[order]
    ends = np.searchsorted(one, np.arange(len(found) + 1))
    alive = np.ones(len(found), dtype=bool)
    for row in range(len(found)):
        if alive[row]:
            alive[other[ends[row] : ends[row + 1]]] = False
    return found.taken(np.flatnonzero(alive))


def _agree_whole(boxes: Boxes, one: Rows, other: Rows) -> Flags:
    """Return which pairs agree as a whole, shape (k,)."""
    shared, areas = _shared(boxes, one, other), _areas(boxes)
    result: Flags = (shared > 0) & (shared >= AGREE_IOU * (areas[one] + areas[other] - shared))
    return result


def _holds(boxes: Boxes, one: Rows, other: Rows) -> Flags:
    """Return of which pairs one lies within the other, shape (k,)."""
    shared, areas = _shared(boxes, one, other), _areas(boxes)
    result: Flags = (shared > 0) & (shared >= WITHIN * np.minimum(areas[one], areas[other]))
    return result


def merge_looks(looks: Sequence[Found], *, sure: float = 0.0) -> Found:
    """Return what several looks at one picture show, each thing once, in the fixed order.

    Parameters
    ----------
    looks
        What each saw, in pixels of the picture.
    sure
        Score from which detections are joined; see :func:`merge_tiles`.
    """
    found = join(looks)
    strong, weak = np.flatnonzero(found.scores >= sure), np.flatnonzero(found.scores < sure)
    merged = _settled(found.taken(strong))
    return (_best(join([merged, found.taken(weak)])) if len(weak) else merged).ordered()


def _settled(found: Found) -> Found:
    """Join what agrees as a whole, or lies within another, until nothing does."""
    while len(found):
        one, other = _pairs(found.xyxy_px, found.labels)
        same = _agree_whole(found.xyxy_px, one, other) | _holds(found.xyxy_px, one, other)
        if not same.any():
            return found
        found = _united(found, found.xyxy_px, _groups(len(found), one[same], other[same]))
    return found


def _pairs(boxes: Boxes, labels: npt.NDArray[np.intp]) -> tuple[Rows, Rows]:
    """Return the pairs of boxes of one class that meet, by a tree: never all against all."""
    figures = shapely.box(*boxes.T)
    one, other = shapely.STRtree(figures).query(figures)
    wanted = (one < other) & (labels[one] == labels[other])
    return one[wanted], other[wanted]


def _cut_sides(boxes: Boxes, rectangles: Boxes, tiles: Tiles) -> Flags:
    """Return which sides of each box lie on an edge of its tile inside the picture, shape (n, 4)."""
    picture = np.array([0, 0, tiles.width_px, tiles.height_px])
    near = np.abs(boxes - rectangles) <= CUT_PX
    result: Flags = near & (rectangles != picture)
    return result


def _agree(boxes: Boxes, rectangles: Boxes, cut: Flags, one: Rows, other: Rows) -> Flags:
    """Return which pairs agree in the region that both tiles see, shape (k,)."""
    low = np.maximum(rectangles[one, :2], rectangles[other, :2])
    high = np.minimum(rectangles[one, 2:], rectangles[other, 2:])
    common = np.concatenate([low, high], axis=1)
    parts = [_clipped(boxes[rows], common) for rows in (one, other)]
    extents = [np.clip(part[:, 2:] - part[:, :2], 0, None) for part in parts]
    meet = _clipped(*parts)
    shared = np.clip(meet[:, 2:] - meet[:, :2], 0, None)
    area = shared.prod(axis=1)
    result: Flags = area >= AGREE_IOU * (extents[0].prod(axis=1) + extents[1].prod(axis=1) - area)
    least = np.maximum(np.minimum(*extents), _TINY)
    along = shared / np.maximum(extents[0] + extents[1] - shared, _TINY)
    for axis in (0, 1):
        cut_one = _cut_within(rectangles, cut, one, other, axis=axis)
        cut_other = _cut_within(rectangles, cut, other, one, axis=axis)
        through = cut_one & cut_other & (along[:, axis] >= THROUGH)
        aside = shared[:, 1 - axis] / least[:, 1 - axis]
        needed = np.where(through, AGREE_ASIDE_THROUGH, AGREE_ASIDE)
        result |= (cut_one | cut_other) & (along[:, axis] >= AGREE_ALONG) & (aside >= needed)
    result &= area > 0
    return result


def _cut_within(rectangles: Boxes, cut: Flags, one: Rows, other: Rows, *, axis: int) -> Flags:
    """Return whether the edge of its tile that cuts `one`, across an axis, lies inside the tile of `other`."""
    left = cut[one, axis] & (rectangles[one, axis] > rectangles[other, axis])
    right = cut[one, axis + 2] & (rectangles[one, axis + 2] < rectangles[other, axis + 2])
    result: Flags = left | right
    return result


def _groups(count: int, one: Rows, other: Rows) -> Rows:
    """Return the number of the connected group of each of `count` rows, shape (count,)."""
    from scipy.sparse import coo_array  # noqa: PLC0415 - heavy
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415 - heavy

    links = coo_array((np.ones(len(one), dtype=np.int8), (one, other)), shape=(count, count))
    _, groups = connected_components(links, directed=False)
    result: Rows = groups.astype(np.intp)
    return result


def _united(found: Found, boxes: Boxes, groups: Rows) -> Found:
    """Return the union of each group: outer box, union of masks, best score."""
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    low = np.minimum.reduceat(boxes[order, :2], starts)
    high = np.maximum.reduceat(boxes[order, 2:], starts)
    outlines: tuple[tuple[npt.NDArray[np.float64], ...], ...] = ()
    if found.outlines_px:
        members = np.split(order, starts[1:])
        outlines = tuple(_mask(found, rows) for rows in members)
    return Found(
        np.concatenate([low, high], axis=1),
        np.maximum.reduceat(found.scores[order], starts),
        found.labels[order[starts]],
        outlines,
    )


def _mask(found: Found, rows: Rows) -> tuple[npt.NDArray[np.float64], ...]:
    if len(rows) == 1:
        return found.outlines_px[rows[0]]
    # The order in which polygons are united may move a corner by a rounding error: a fixed one keeps bytes equal.
    parts = sorted(
        (found.outlines_px[row] for row in rows), key=lambda rings: [ring.tolist() for ring in rings]
    )
    return united_outlines(parts)


def _clipped(boxes: Boxes, to: Boxes) -> Boxes:
    return np.concatenate([np.maximum(boxes[:, :2], to[:, :2]), np.minimum(boxes[:, 2:], to[:, 2:])], axis=1)


def _areas(boxes: Boxes) -> npt.NDArray[np.float64]:
    result: npt.NDArray[np.float64] = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1)
    return result


def _shared(boxes: Boxes, one: Rows, other: Rows) -> npt.NDArray[np.float64]:
    return _areas(_clipped(boxes[one], boxes[other]))
