"""The whole chain on painted pictures: both runtimes, tiles, scale, order, masks."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import shapely

from serayu.models.errors import BadInputError
from serayu.models.survey.finding import DefectClass
from serayu.vision.runtime.network import Precision, Runtime, open_network
from serayu.vision.runtime.scale import Scale
from serayu.vision.runtime.settings import VisionSettings
from serayu.vision.runtime.tiled import TiledDetector
from serayu.vision.runtime.weights import load_detector
from tests.vision.runtime.pictures import BLUE, DETECT, RED, RED_GREEN, SEGMENT, painted

BOTH = pytest.mark.parametrize("runtime", [Runtime.OPENVINO, Runtime.ONNXRUNTIME])


@pytest.fixture(scope="module", params=[Runtime.OPENVINO, Runtime.ONNXRUNTIME])
def detector(request: pytest.FixtureRequest) -> Iterator[TiledDetector]:
    with load_detector(DETECT, runtime=request.param, precision=Precision.FP32, threshold=0.6) as one:
        yield one


def test_colours_are_the_right_way_round_and_boxes_in_place(detector: TiledDetector) -> None:
    seen = detector.detect(painted(64, 64, (8, 16, RED), (40, 40, BLUE)), gsd_mm=None)
    assert [(one.label, one.xyxy_px) for one in seen] == [
        (DefectClass.POTHOLE, (8, 16, 16, 24)),
        (DefectClass.PATCH_REPAIR, (40, 40, 48, 48)),
    ]
    assert [one.score for one in seen] == pytest.approx([1, 1], abs=1e-6)


@pytest.mark.parametrize("size", [(1, 1), (7, 64), (64, 65), (333, 200)])
def test_a_black_picture_of_any_size_shows_nothing(detector: TiledDetector, size: tuple[int, int]) -> None:
    assert detector.detect(painted(*size), gsd_mm=None) == ()


def test_a_large_picture_shows_every_square_and_nothing_else(detector: TiledDetector) -> None:
    corners = [(x, y) for y in (0, 96, 184) for x in (0, 48, 101, 192, 284)]
    found = detector.find(painted(300, 200, *[(x, y, RED) for x, y in corners], side=16))
    middles = (found.xyxy_px[:, :2] + found.xyxy_px[:, 2:]) / 2
    # A cell of 8 px is red enough with at least 60 % in a square: its middle is less than 1 px outside.
    off = np.array([np.abs(middles - (x + 8, y + 8)).max(axis=1) for x, y in corners])
    assert (off.min(axis=0) < 9).all()
    assert (off.min(axis=1) < 9).all()


def test_many_pictures_come_in_their_order(detector: TiledDetector) -> None:
    pictures = [painted(100, 64, *[(8 * k, 8, RED) for k in range(0, count * 2, 2)]) for count in range(6)]
    alone = [detector.find(picture) for picture in pictures]
    together = list(detector.find_all((picture, None) for picture in pictures))
    assert [one.xyxy_px.tolist() for one in together] == [one.xyxy_px.tolist() for one in alone]
    assert not len(together[0])
    assert len(together[5]) > len(together[1]) > 0


@BOTH
def test_the_number_of_threads_is_without_effect(runtime: Runtime) -> None:
    picture = np.random.default_rng(4).integers(0, 256, (130, 150, 3), dtype=np.uint8)
    results = []
    for threads in (1, 4):
        settings = VisionSettings(threads=threads)
        with load_detector(
            SEGMENT, runtime=runtime, precision="fp32", threshold=0.5, settings=settings
        ) as one:
            results += [one.detect(picture, gsd_mm=None) for _ in range(2)]
    told = [
        [(d.label, d.score, d.xyxy_px, [r.tolist() for r in d.outlines_px]) for d in each] for each in results
    ]
    assert len(told[0]) > 10
    assert told.count(told[0]) == 4


def test_a_lower_threshold_adds_and_changes_nothing_above() -> None:
    picture = np.random.default_rng(6).integers(0, 256, (200, 240, 3), dtype=np.uint8)
    with load_detector(DETECT, runtime="openvino", precision="fp32", threshold=0.55) as one:
        usual, every = one.find(picture), one.find(picture, threshold=0.05)
    assert 10 < len(usual) < len(every)
    above = every.taken(np.flatnonzero(every.scores >= 0.55))
    assert above.xyxy_px.tolist() == usual.xyxy_px.tolist()
    assert above.scores.tolist() == usual.scores.tolist()


def test_masks_are_where_green_is() -> None:
    with load_detector(SEGMENT, threshold=0.6) as detector:
        assert detector.has_masks
        green, plain = detector.detect(painted(64, 64, (8, 16, RED_GREEN), (40, 40, RED)), gsd_mm=None)
    (ring,) = green.outlines_px
    assert shapely.Polygon(ring).area == pytest.approx(64, rel=0.15)
    assert plain.outlines_px == ()


def test_both_runtimes_agree() -> None:
    picture = np.random.default_rng(5).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    found = []
    for runtime in (Runtime.OPENVINO, Runtime.ONNXRUNTIME):
        with load_detector(DETECT, runtime=runtime, precision="fp32", threshold=0.5) as one:
            found.append(one.find(picture))
    assert np.abs(found[0].xyxy_px - found[1].xyxy_px).max() < 1
    assert np.abs(found[0].scores - found[1].scores).max() < 0.01


def test_imagery_is_brought_to_the_training_scale() -> None:
    network = open_network(DETECT, precision=Precision.FP32)
    picture = painted(128, 128, (32, 64, RED), side=16)
    scale = Scale(gsd_mm=10)
    with TiledDetector(
        network, weights="tiny", classes=("pothole", "patch_repair"), threshold=0.9, scale=scale, threads=1
    ) as detector:
        (seen,) = detector.detect(picture, gsd_mm=5)
        assert seen.xyxy_px == (32, 64, 48, 80)
        assert len(detector.detect(picture, gsd_mm=10)) == 4


def test_a_margin_moves_nothing_and_nothing_is_found_in_it() -> None:
    network = open_network(SEGMENT, precision=Precision.FP32)
    picture = painted(40, 40, (0, 8, RED_GREEN), (32, 32, RED_GREEN))
    seen = []
    for margin in (0, 8):
        with TiledDetector(
            network,
            weights="tiny",
            classes=("pothole", "patch_repair"),
            threshold=0.6,
            scale=Scale(margin_px=margin),
            threads=1,
        ) as detector:
            seen.append(detector.detect(picture, gsd_mm=None))
    assert [one.xyxy_px for one in seen[1]] == [one.xyxy_px for one in seen[0]]
    assert len(seen[0]) == 2
    for one in seen[1]:
        for ring in one.outlines_px:
            assert ring.min() >= 0
            assert ring.max() <= 40


def test_a_margin_moves_nothing_in_a_picture_of_many_tiles() -> None:
    # Tiles begin at -8, 40, 88 and 136 px, so that every square fills a cell of the network in each tile it is in.
    corners = [(x, y) for y in (0, 40, 96, 184) for x in (0, 48, 88, 144, 184)]
    with TiledDetector(
        open_network(DETECT, precision=Precision.FP32),
        weights="tiny",
        classes=("pothole", "patch_repair"),
        threshold=0.9,
        scale=Scale(margin_px=8),
        threads=2,
    ) as detector:
        found = detector.find(painted(192, 192, *[(x, y, RED) for x, y in corners]))
    boxes = sorted(tuple(box) for box in found.xyxy_px.tolist())
    assert boxes == sorted((x, y, x + 8, y + 8) for x, y in corners)


@pytest.mark.parametrize(
    ("scale", "gsd_mm", "expected"),
    [
        pytest.param(Scale(), None, 1, id="nothing known"),
        pytest.param(Scale(gsd_mm=10), None, 1, id="picture unknown"),
        pytest.param(Scale(tile_px=100), None, 0.64, id="size of training pictures"),
        pytest.param(Scale(tile_px=40), None, 1.6, id="in squares of the size of training pictures"),
        pytest.param(Scale(tile_px=67), None, 0.64, id="a picture somewhat larger, whole"),
        pytest.param(Scale(tile_px=500), None, 0.64, id="a smaller picture, enlarged as in training"),
        pytest.param(Scale(gsd_mm=10, tile_px=128), 5, 0.5, id="finer"),
        pytest.param(Scale(gsd_mm=10), 15, 1.5, id="coarser"),
        pytest.param(Scale(gsd_mm=10), 100, 2, id="much coarser"),
        pytest.param(Scale(gsd_mm=10), float("nan"), 1, id="NaN"),
        pytest.param(Scale(gsd_mm=10), 0, 1, id="zero"),
        pytest.param(Scale(gsd_mm=700, gsd_range_mm=(300, 1000)), 300, 1, id="in the range of training"),
        pytest.param(Scale(gsd_mm=700, gsd_range_mm=(300, 1000)), 70, 0.1, id="below the range of training"),
        pytest.param(Scale(gsd_mm=10, forced_tile_px=32), 5, 2, id="forced"),
        pytest.param(Scale(tile_px=100, margin_px=7), None, 0.5, id="with a margin"),
        pytest.param(Scale(margin_px=16, forced_tile_px=32), None, 1, id="forced, with a margin"),
    ],
)
def test_the_factor_of_scale(scale: Scale, gsd_mm: float | None, expected: float) -> None:
    assert scale.factor(gsd_mm, longest_px=100, side_px=64) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("gsd_mm", "forced", "expected"),
    [
        pytest.param(8.0, None, (0.02, 0.1), id="fine: at both"),
        pytest.param(80.0, None, (0.2,), id="as fine as the other"),
        pytest.param(None, None, (1.0,), id="unknown"),
        pytest.param(8.0, 32, (2.0,), id="forced"),
    ],
)
def test_fine_imagery_is_looked_at_again(
    gsd_mm: float | None, forced: int | None, expected: tuple[float, ...]
) -> None:
    scale = Scale(gsd_mm=400, also_gsd_mm=(80,), forced_tile_px=forced)
    assert scale.factors(gsd_mm, longest_px=100, side_px=64) == pytest.approx(expected)


def test_looks_at_two_scales_give_each_thing_once() -> None:
    network = open_network(DETECT, precision=Precision.FP32)
    picture = painted(128, 128, (32, 64, RED), side=32)
    picture[96:112, 16:32] = RED
    expected = {0.0: [(16, 96, 32, 112), (32, 64, 64, 96)], 2.0: [(32, 64, 64, 96)]}
    for least, boxes in expected.items():
        scale = Scale(gsd_mm=20, also_gsd_mm=(10,), also_threshold=least)
        with TiledDetector(
            network,
            weights="tiny",
            classes=("pothole", "patch_repair"),
            threshold=0.9,
            scale=scale,
            threads=1,
        ) as detector:
            seen = detector.detect(picture, gsd_mm=5)
        assert [one.xyxy_px for one in seen] == boxes


def test_weights_without_a_class_of_defects_detect_none(tmp_path: Path) -> None:
    del tmp_path
    network = open_network(DETECT)
    with TiledDetector(
        network, weights="coco", classes=("person", "car"), threshold=0.5, scale=Scale(), threads=1
    ) as detector:
        assert len(detector.find(painted(64, 64, (8, 8, RED)))) == 1
        with pytest.raises(BadInputError, match="no class of these weights is a defect: person, car"):
            detector.detect(painted(64, 64), gsd_mm=None)


def test_a_picture_in_grey_is_a_mistake_of_the_caller(detector: TiledDetector) -> None:
    with pytest.raises(ValueError, match="shape"):
        detector.find(np.zeros((10, 10), dtype=np.uint8))
