"""What is painted has the place and the size that the truth says."""

import numpy as np
import pytest
import shapely

from serayu.models.survey.finding import DefectClass
from serayu.vision.flight.defects import _add_crack, _cover
from serayu.vision.flight.ground import Ground
from serayu.vision.flight.noise import Noise, Raster
from serayu.vision.flight.road import Road
from serayu.vision.flight.scene import lay_out
from serayu.vision.flight.shapes import alligator, blob, crack_line, crack_widths_mm
from serayu.vision.flight.thing import Crack, crack_outline

RASTER = Raster(-100, 40, 300, 0.006)


@pytest.mark.parametrize("width_mm", [3.0, 6.0, 12.0, 40.0])
def test_a_crack_covers_its_width_times_its_length(width_mm: float) -> None:
    ends = np.array([[-0.4, 0.5], [0.7, 1.1]])
    line = ends[0] + np.linspace(0, 1, 80)[:, None] * (ends[1] - ends[0])
    cover = np.zeros((300, 300), np.float32)
    _add_crack(cover, Crack(line, np.full(80, width_mm)), RASTER)
    area = float(cover.sum()) * RASTER.texel_m**2
    assert area == pytest.approx(np.hypot(1.1, 0.6) * width_mm / 1000, rel=0.03)


def test_a_ring_covers_its_area_about_its_middle() -> None:
    rng = np.random.default_rng(4)
    ring = blob(rng, length_m=0.9, width_m=0.6, roughness=0.1) + np.array([0.3, 1.1])
    cover = _cover(ring, RASTER)
    figure = shapely.Polygon(ring)
    assert float(cover.sum()) * RASTER.texel_m**2 == pytest.approx(figure.area, rel=0.01)
    x, y = RASTER.centres()
    middle = ((x * cover).sum() / cover.sum(), (y * cover).sum() / cover.sum())
    assert np.allclose(middle, figure.centroid.coords[0], atol=0.002)


@pytest.mark.parametrize("across", [False, True])
def test_a_crack_runs_the_way_and_the_length_asked_for(*, across: bool) -> None:
    line = crack_line(np.random.default_rng(1), length_m=3.0, across=across)
    spans = np.ptp(line, axis=0)
    assert np.hypot(*np.diff(line, axis=0).T).sum() == pytest.approx(3.0)
    assert (spans[1] > 3 * spans[0]) == across


def test_a_cracks_width_stays_about_the_one_asked_for() -> None:
    widths = crack_widths_mm(np.random.default_rng(2), 400, width_mm=9.0)
    assert np.median(widths) == pytest.approx(9.0, rel=0.25)
    assert widths.min() > 0


def test_alligator_cracks_lie_in_their_area() -> None:
    outline, lines = alligator(np.random.default_rng(3), length_m=2.0, width_m=1.0, cell_m=0.2)
    assert len(lines) > 20
    assert outline.is_valid
    assert all(outline.buffer(0.12).contains(shapely.LineString(line)) for line in lines)


def test_a_cracks_outline_has_its_width_everywhere() -> None:
    line = np.column_stack((np.linspace(0, 1, 51), np.zeros(51)))
    outline = crack_outline(Crack(line, np.linspace(4, 8, 51)))
    assert np.allclose(outline[:51, 1] - outline[51:, 1][::-1], np.linspace(0.004, 0.008, 51))


def test_noise_is_the_same_wherever_a_raster_begins() -> None:
    noise = Noise(7)
    whole = Raster(0, 0, 64, 0.01)
    part = Raster(20, 30, 16, 0.01)
    cut = np.s_[30:46, 20:36]
    assert np.allclose(
        noise.field("a", whole, cell_m=0.3)[cut], noise.field("a", part, cell_m=0.3), atol=0.08
    )
    assert np.array_equal(noise.grain("b", whole, sigma=1.0)[cut], noise.grain("b", part, sigma=1.0))


def test_things_keep_apart_and_on_the_pavement(road: Road) -> None:
    scene = lay_out(road, seed=5, per_100_m=40, landslide=True, base_m=50)
    labels = {thing.label for thing in scene.things}
    assert labels == set(DefectClass)
    pavement = road.line.buffer(road.width_m / 2)
    for i, thing in enumerate(scene.things):
        assert all(thing.figure.distance(other.figure) >= 0.5 for other in scene.things[:i])
        assert thing.label is DefectClass.LANDSLIDE or pavement.contains(thing.drawn())


def test_more_trees_or_photos_do_not_move_the_things(road: Road) -> None:
    one = lay_out(road, seed=5, per_100_m=30, landslide=True, base_m=50)
    other = lay_out(road, seed=5, per_100_m=30, landslide=True, base_m=90)
    assert [thing.figure.wkb for thing in one.things] == [thing.figure.wkb for thing in other.things]


def test_a_pothole_is_drawn_where_it_lies(road: Road) -> None:
    """The ground with it and the ground without it differ in its outline, and hardly beyond its crumbs."""
    scene = lay_out(road, seed=5, per_100_m=40, landslide=False, base_m=50)
    hole = next(thing for thing in scene.things if thing.label is DefectClass.POTHOLE)
    bare = type(scene)(scene.road, scene.terrain, (), scene.trees, scene.shadow, scene.sun_deg, scene.seed)
    spot = np.array([[hole.figure.centroid.coords[0]]])
    one, other = (Ground(s).mosaic(spot, texel_m=0.01) for s in (scene, bare))
    change = np.abs(one.picture.astype(float) - other.picture).mean(axis=2)
    raster = Raster(one.column, one.row, one.picture.shape[0], 0.01)
    rows, columns = np.mgrid[: one.picture.shape[0], : one.picture.shape[1]]
    inside = shapely.contains_xy(
        hole.figure, (columns + raster.column + 0.5) * 0.01, (rows + raster.row + 0.5) * 0.01
    )
    others = shapely.union_all([thing.figure for thing in scene.things]).buffer(0.4)
    away = ~shapely.contains_xy(
        others, (columns + raster.column + 0.5) * 0.01, (rows + raster.row + 0.5) * 0.01
    )
    assert change[inside].mean() > 8
    assert change[away].mean() < 0.1
