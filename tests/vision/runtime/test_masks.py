"""Outlines of masks lie where the logit is zero, to a fraction of a cell."""

import numpy as np
import pytest
import shapely

from serayu.vision.runtime.masks import mask_outlines, united_outlines

SIDE, CELLS = 160, 40


def disc(x: float, y: float, radius: float, *, hole: float = 0.0) -> np.ndarray:
    """Return prototypes whose only map is above 0 in a ring, in pixels of the tile."""
    centres = (np.arange(CELLS) + 0.5) * SIDE / CELLS
    distance = np.hypot(centres[None, :] - x, centres[:, None] - y)
    return np.minimum(radius - distance, distance - hole)[None].astype(np.float32)


def outlines(prototypes: np.ndarray, box: tuple[float, ...]) -> tuple[np.ndarray, ...]:
    (rings,) = mask_outlines(
        np.ones((1, 1), dtype=np.float32), prototypes, np.array([box], dtype=float), side_px=SIDE
    )
    return rings


def test_a_disc_has_its_area_and_middle() -> None:
    (ring,) = outlines(disc(80, 70, 30), (50, 40, 110, 100))
    polygon = shapely.Polygon(ring)
    assert polygon.area == pytest.approx(np.pi * 30**2, rel=0.01)
    assert (polygon.centroid.x, polygon.centroid.y) == pytest.approx((80, 70), abs=0.1)


def test_a_mask_ends_at_its_box() -> None:
    (ring,) = outlines(disc(80, 70, 30), (80, 0, 160, 160))
    assert shapely.Polygon(ring).area == pytest.approx(np.pi * 30**2 / 2, rel=0.01)
    assert ring[:, 0].min() == 80


def test_a_mask_at_the_edge_of_the_tile_reaches_it() -> None:
    (ring,) = outlines(disc(0, 80, 30), (0, 40, 40, 120))
    assert ring[:, 0].min() == 0
    assert shapely.Polygon(ring).area == pytest.approx(np.pi * 30**2 / 2, rel=0.02)


def test_a_hole_has_no_outline() -> None:
    (ring,) = outlines(disc(80, 80, 40, hole=15), (30, 30, 130, 130))
    assert shapely.Polygon(ring).area == pytest.approx(np.pi * 40**2, rel=0.01)


@pytest.mark.parametrize(
    "box", [pytest.param((100, 100, 100, 100), id="no area"), pytest.param((200, 0, 210, 10), id="outside")]
)
def test_a_box_without_mask_has_no_outline(box: tuple[float, ...]) -> None:
    assert outlines(disc(40, 40, 20), box) == ()


def test_the_union_of_two_discs_is_one_outline() -> None:
    parts = [outlines(disc(x, 80, 20), (0, 0, 160, 160)) for x in (70, 90)]
    (ring,) = united_outlines(parts)
    assert (ring[:, 0].min(), ring[:, 0].max()) == pytest.approx((50, 110), abs=0.2)
    assert united_outlines([]) == ()
