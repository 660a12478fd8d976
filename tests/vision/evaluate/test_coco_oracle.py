"""Our precision against the COCO evaluation's own program, where it is installed (training environment)."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serayu.vision.evaluate.matching import Pairs, box_ious
from serayu.vision.evaluate.precision import average_precisions

COCO = pytest.importorskip("pycocotools.coco", reason="pycocotools is only in the training environment").COCO
COCOeval = pytest.importorskip("pycocotools.cocoeval").COCOeval


def scene(seed: int, pictures: int) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return truth, found boxes and scores of pictures: shaken copies of the truth, some missed, some invented."""
    random = np.random.default_rng(seed)
    drawn = []
    for _ in range(pictures):
        corner = random.uniform(0, 300, (random.integers(0, 6), 2))
        truth = np.concatenate([corner, corner + random.uniform(15, 120, corner.shape)], axis=1)
        copies = truth[random.random(len(truth)) < 0.8].repeat(random.integers(1, 3), axis=0)
        copies = copies + random.normal(0, 6, copies.shape)
        corner = random.uniform(0, 300, (random.integers(0, 4), 2))
        invented = np.concatenate([corner, corner + random.uniform(15, 120, corner.shape)], axis=1)
        found = np.concatenate([copies, invented])
        order = np.argsort(-(scores := random.permutation(1000)[: len(found)] / 1000), kind="stable")
        drawn.append((truth, found[order], scores[order]))
    return drawn


def coco_precision(pictures: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> np.ndarray:
    def wide(box: np.ndarray) -> list[float]:
        return [float(box[0]), float(box[1]), float(box[2] - box[0]), float(box[3] - box[1])]

    labels = [(k, box) for k, (truth, _, _) in enumerate(pictures) for box in truth]
    truth = COCO()
    truth.dataset = {
        "info": {},
        "images": [{"id": k} for k in range(len(pictures))],
        "categories": [{"id": 1}],
        "annotations": [
            {
                "id": number + 1,
                "image_id": k,
                "category_id": 1,
                "bbox": wide(box),
                "area": wide(box)[2] * wide(box)[3],
                "iscrowd": 0,
            }
            for number, (k, box) in enumerate(labels)
        ],
    }
    truth.createIndex()
    found = truth.loadRes(
        [
            {"image_id": k, "category_id": 1, "bbox": wide(box), "score": float(score)}
            for k, (_, boxes, scores) in enumerate(pictures)
            for box, score in zip(boxes, scores, strict=True)
        ]
    )
    run = COCOeval(truth, found, "bbox")
    run.params.areaRng, run.params.areaRngLbl = [[0, 1e10]], ["all"]
    run.params.maxDets = [100]
    run.evaluate()
    run.accumulate()
    precision: np.ndarray = run.eval["precision"][:, :, 0, 0, 0].mean(axis=1)
    return precision


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_precision_is_that_of_the_coco_program(seed: int, pictures: int) -> None:
    drawn = scene(seed, pictures)
    # One thing that is found for certain: the COCO program cannot load an empty result.
    drawn.append((np.array([[0.0, 0, 50, 50]]), np.array([[0.0, 0, 50, 48]]), np.array([0.5005])))
    ours = average_precisions(
        [Pairs(scores, len(truth), box_ious(found, truth)) for truth, found, scores in drawn]
    )
    assert ours is not None
    np.testing.assert_allclose(ours, coco_precision(drawn), atol=1e-9)
