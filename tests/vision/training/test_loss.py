"""The loss is silent about classes where they are not labelled: needs the extra ``train``."""

import importlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from serayu.vision.training.libraries import Foreign, load_libraries, suppressed

pytest.importorskip("torch", reason="the extra train is not installed")
pytest.importorskip("ultralytics", reason="the extra train is not installed")


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Foreign:
    libraries = load_libraries(settings=Path(tmp_path_factory.mktemp("settings")))
    libraries.torch.manual_seed(0)
    model = importlib.import_module("ultralytics.nn.tasks").DetectionModel(
        "yolo11n.yaml", nc=2, verbose=False
    )
    model.args = SimpleNamespace(box=7.5, cls=0.5, dfl=1.5)
    return model.train()


def cost(
    network: Foreign, *rows: tuple[float, float, float, float, float], fair: bool = True
) -> tuple[float, Any]:
    """Return the class loss of one grey picture with some labels, and its slope by class bias."""
    import torch  # noqa: PLC0415 - the extra may be absent
    from ultralytics.utils.loss import v8DetectionLoss  # noqa: PLC0415

    from serayu.vision.training.loss import loss_class  # noqa: PLC0415

    table = torch.tensor(rows, dtype=torch.float32).reshape(-1, 5)
    batch = {"batch_idx": torch.zeros(len(table)), "cls": table[:, :1], "bboxes": table[:, 1:]}
    network.zero_grad()
    loss, parts = (loss_class() if fair else v8DetectionLoss)(network)(
        network(torch.full((1, 3, 64, 64), 0.5)), batch
    )
    loss.sum().backward()
    slope = sum(head[-1].bias.grad.numpy() for head in network.model[-1].cv3)
    return float(parts["cls_loss"]), slope


def test_without_muted_boxes_it_is_the_plain_loss(network: Foreign) -> None:
    row = (0.0, 0.5, 0.5, 0.4, 0.4)
    assert cost(network, row)[0] == pytest.approx(cost(network, row, fair=False)[0], rel=1e-5)


def test_a_class_muted_all_over_costs_nothing_and_teaches_nothing(network: Foreign) -> None:
    thing = (0.0, 0.5, 0.5, 0.4, 0.4)
    plain, slope = cost(network, thing)
    muted, fair_slope = cost(network, thing, (3.0, 0.5, 0.5, 1.0, 1.0))
    assert muted < plain
    assert slope[1] > 0
    assert fair_slope[1] == 0
    assert fair_slope[0] == pytest.approx(slope[0], rel=1e-4)


def test_a_muted_class_is_still_learnt_from_its_own_labels(network: Foreign) -> None:
    _, slope = cost(network, (1.0, 0.5, 0.5, 0.4, 0.4), (3.0, 0.5, 0.5, 1.0, 1.0))
    assert slope[1] < 0, "only the labelled thing pulls, and it pulls up"


def test_half_a_picture_muted_costs_less_than_none_and_more_than_all(network: Foreign) -> None:
    none = cost(network)[0]
    half = cost(network, (3.0, 0.25, 0.5, 0.5, 1.0))[0]
    whole = cost(network, (3.0, 0.5, 0.5, 1.0, 1.0))[0]
    assert whole < half < none


def test_boxes_are_suppressed_as_torchvision_does(network: Foreign) -> None:
    import torch  # noqa: PLC0415
    import torchvision  # noqa: PLC0415

    assert network is not None, "the libraries are loaded"
    rng = np.random.default_rng(0)
    boxes = rng.random((200, 4)).astype(np.float32) * 50
    boxes[:, 2:] += boxes[:, :2] + 1
    scores = rng.random(200).astype(np.float32)
    kept = torchvision.ops.nms(torch.tensor(boxes), torch.tensor(scores), 0.5).tolist()
    assert kept == suppressed(boxes, scores, 0.5)
    for row, first in enumerate(kept):
        for second in kept[:row]:
            low, high = (
                np.maximum(boxes[first, :2], boxes[second, :2]),
                np.minimum(boxes[first, 2:], boxes[second, 2:]),
            )
            common = np.prod(np.clip(high - low, 0, None))
            areas = [np.prod(boxes[one, 2:] - boxes[one, :2]) for one in (first, second)]
            assert common <= 0.5001 * (sum(areas) - common)


@pytest.mark.parametrize("count", [0, 1])
def test_few_boxes_are_all_kept(count: int) -> None:
    assert suppressed(np.ones((count, 4), np.float32), np.ones(count, np.float32), 0.5) == list(range(count))
