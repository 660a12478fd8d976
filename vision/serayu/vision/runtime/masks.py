"""Outlines of masks from prototypes: the level 0 of the mask's logit, found between the prototypes' cells.

The usual way enlarges each mask to the input's size, cuts it at one half and follows its pixels; the outline lies then
half a pixel inside. Marching squares on the small grid gives the same level without enlarging, at sub-pixel position.
"""

import numpy as np
import numpy.typing as npt
import shapely

from serayu.vision.detection import Points
from serayu.vision.runtime.found import Boxes

__all__ = ["mask_outlines", "united_outlines"]

Floats = npt.NDArray[np.float32]

_SMALLEST_PX2 = 4.0
"""Islands below this area (px² of the network's input) are noise of the mask [project proposal]."""

_RING = 4
_NO_MASK = -1.0


def mask_outlines(
    weights: Floats, prototypes: Floats, xyxy_px: Boxes, *, side_px: int
) -> tuple[tuple[Points, ...], ...]:
    """Return the outlines of each detection's mask, cut to its box.

    Parameters
    ----------
    weights
        Coefficients, shape (n, k).
    prototypes
        Shape (k, height, width), a regular grid over the tile.
    xyxy_px
        Boxes in pixels of the tile, shape (n, 4).
    side_px
        Side of the tile.

    Returns
    -------
    tuple
        For each detection its outlines, each of shape (m, 2), in pixels of the tile; empty where the mask is.
    """
    cell = side_px / prototypes.shape[2]
    height, width = prototypes.shape[1:]
    outlines = []
    for row, box in zip(weights, xyxy_px, strict=True):
        low = np.clip(np.floor(box[:2] / cell).astype(int) - 1, 0, None)
        high = np.minimum(np.ceil(box[2:] / cell).astype(int) + 1, (width, height))
        window = prototypes[:, low[1] : high[1], low[0] : high[0]]
        logits = np.tensordot(row, window, axes=1) if window.size else np.zeros((0, 0), dtype=np.float32)
        outlines.append(_rings(_level_zero(logits, offset=low, cell=cell), box))
    return tuple(outlines)


def united_outlines(parts: list[tuple[Points, ...]]) -> tuple[Points, ...]:
    """Return the outlines of the union of masks, in a fixed order."""
    polygons = [shapely.make_valid(shapely.Polygon(ring)) for rings in parts for ring in rings]
    return _exteriors(shapely.union_all(polygons)) if polygons else ()


def _level_zero(logits: Floats, *, offset: npt.NDArray[np.int_], cell: float) -> list[Points]:
    """Return closed rings around logits above 0, in pixels of the tile; rings around holes are left out."""
    from skimage.measure import find_contours  # noqa: PLC0415 - heavy, and detection alone needs no masks

    if min(logits.shape) < 1:
        return []
    # At the tile's edge the grid ends half a cell inside: the last value is repeated outwards, then closed.
    padded = np.pad(np.pad(logits, 1, mode="edge"), 1, constant_values=_NO_MASK)
    contours = find_contours(padded, 0.0, positive_orientation="high")  # type: ignore[no-untyped-call]
    rings = [((ring[:, ::-1] - 2 + offset + 0.5) * cell) for ring in contours]
    return [ring for ring in rings if len(ring) >= _RING and _signed_area(ring) < 0]


def _rings(rings: list[Points], box: npt.NDArray[np.float64]) -> tuple[Points, ...]:
    """Return rings cut to a box, without specks."""
    if not rings:
        return ()
    shape = shapely.union_all([shapely.make_valid(shapely.Polygon(ring)) for ring in rings])
    return _exteriors(shapely.clip_by_rect(shape, *box))


def _exteriors(shape: shapely.Geometry) -> tuple[Points, ...]:
    """Return the outer rings of the polygons in a geometry, the largest first, each closed."""
    polygons = [
        part for part in shapely.get_parts(shape) if shapely.get_type_id(part) == shapely.GeometryType.POLYGON
    ]
    polygons = [shapely.normalize(part) for part in polygons if part.area >= _SMALLEST_PX2]
    polygons.sort(key=lambda part: (-part.area, *part.bounds))
    return tuple(np.asarray(part.exterior.coords, dtype=np.float64) for part in polygons)


def _signed_area(ring: Points) -> float:
    x, y = ring.T
    return float(np.dot(x[:-1], y[1:]) - np.dot(x[1:], y[:-1])) / 2
