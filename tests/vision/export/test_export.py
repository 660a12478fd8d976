"""Exports against the checkpoint they were made of, on a small untrained network; needs the training environment."""

import importlib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import cv2
import msgspec
import numpy as np
import pytest

from serayu.models.errors import BadInputError
from serayu.vision.export.checkpoint import Exported, export_onnx, machine_paths
from serayu.vision.runtime.found import Found
from serayu.vision.runtime.heads import Head, decode
from serayu.vision.runtime.manifest import WeightsEntry, read_manifest
from serayu.vision.runtime.network import Precision, Runtime
from serayu.vision.runtime.scale import Scale
from serayu.vision.runtime.weights import load_detector
from serayu.vision.training.libraries import load_libraries

if TYPE_CHECKING:
    import torch

pytest.importorskip("torch", reason="the training environment has torch, ultralytics, onnx and nncf")
pytest.importorskip("onnx")
pytestmark = pytest.mark.filterwarnings("ignore")  # torch, its exporter and nncf warn of their own insides

SIDE = 160
NAMES = {
    0: "longitudinal_crack",
    1: "transverse_crack",
    2: "alligator_crack",
    3: "pothole",
    4: "patch_repair",
}


@pytest.fixture(scope="module", params=["detect", "segment"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Exported]:
    """Return a network and its export: random weights, scores that spread."""
    folder = tmp_path_factory.mktemp("made")
    libraries = load_libraries(settings=folder / "settings")
    torch = libraries.torch
    tasks: Any = importlib.import_module("ultralytics.nn.tasks")
    torch.manual_seed(5)
    kind, cfg = {
        "detect": (tasks.DetectionModel, "yolo11n.yaml"),
        "segment": (tasks.SegmentationModel, "yolo11n-seg.yaml"),
    }[request.param]
    model = kind(cfg, nc=5, verbose=False)
    model.names = NAMES
    model.args = {"imgsz": SIDE, "task": request.param, "data": "/home/someone/data.yaml"}
    _spread(torch, model)
    checkpoint = folder / "made.pt"
    torch.save({"model": model, "train_args": model.args, "epoch": 1}, checkpoint)
    exported = export_onnx(checkpoint, folder / "made.onnx")
    return (torch, model), exported


def _spread(torch: ModuleType, model: "torch.nn.Module") -> None:
    """Let activations spread as in a trained network, and the scores of :func:`picture` over 0-1, none at an end."""
    outputs: dict[Any, Any] = {}
    with torch.no_grad():
        for part in model.modules():
            if isinstance(part, torch.nn.BatchNorm2d):
                part.momentum = 1.0  # one batch sets the statistics
        model.train()(torch.rand(8, 3, SIDE, SIDE))
        lasts = [branch[-1] for branch in model.eval().model[-1].cv3]
        hooks = [
            last.register_forward_hook(lambda part, _, out: outputs.update({part: out})) for last in lasts
        ]
        model(_input(torch))
        for last, hook in zip(lasts, hooks, strict=True):
            hook.remove()
            last.bias.sub_(outputs[last].mean()).div_(outputs[last].std())
            last.weight.div_(outputs[last].std())


def picture() -> np.ndarray:
    random = np.random.default_rng(11)
    coarse = random.integers(0, 255, (10, 10, 3), dtype=np.uint8)
    return np.kron(coarse, np.ones((16, 16, 1), dtype=np.uint8))


def _input(torch: ModuleType) -> "torch.Tensor":
    return (
        torch.from_numpy(np.ascontiguousarray(picture()[:, :, ::-1].transpose(2, 0, 1)[None])).float() / 255
    )


def by_torch(torch: ModuleType, model: "torch.nn.Module", *, threshold: float) -> Found:
    with torch.no_grad():
        raw = model(_input(torch))
    outputs = [one.numpy() for one in _tensors(raw, torch)]
    head = Head.of([one.shape for one in outputs], classes=5, side_px=SIDE, source="torch")
    found = decode(outputs, head, threshold=threshold)
    return Found(found.xyxy_px.clip(0, SIDE), found.scores, found.labels, found.outlines_px).ordered()


def _tensors(raw: Sequence[Any], torch: ModuleType) -> list["torch.Tensor"]:
    """Return the raw head and, of a segmenter, the prototypes, from the nested output of the checkpoint."""
    first = raw[0]
    if torch.is_tensor(first):
        return [first]
    return [one for one in first if torch.is_tensor(one)]


@pytest.mark.parametrize("runtime", [Runtime.ONNXRUNTIME, Runtime.OPENVINO])
def test_every_runtime_finds_the_boxes_of_the_checkpoint(
    made: tuple[Any, Exported], runtime: Runtime
) -> None:
    (torch, model), exported = made
    theirs = by_torch(torch, model, threshold=0.8)
    with load_detector(exported.file, runtime=runtime, precision=Precision.FP32) as detector:
        ours = detector.find(picture(), threshold=0.8)
    assert len(theirs) > 5
    assert np.ptp(theirs.scores) > 0.05
    assert theirs.scores.max() < 0.999
    assert len(ours) == len(theirs)
    for label, box, score in zip(theirs.labels, theirs.xyxy_px, theirs.scores, strict=True):
        near = np.abs(ours.xyxy_px - box).max(axis=1)
        same = (ours.labels == label) & (near <= 1.0) & (np.abs(ours.scores - score) <= 0.01)
        assert same.any(), (label, box, score)
    assert detector.has_masks == (exported.task == "segment")


@pytest.mark.parametrize("made", ["detect"], indirect=True)
def test_what_the_libraries_tell_does_not_mix_with_the_one_document(
    made: tuple[Any, Exported], tmp_path: Path
) -> None:
    _, exported = made
    (tmp_path / "images" / "held").mkdir(parents=True)
    (tmp_path / "labels" / "held").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "images" / "held" / "a.png"), picture())
    (tmp_path / "labels" / "held" / "a.txt").write_text("3 0.5 0.5 0.5 0.5\n")
    (tmp_path / "data.yaml").write_text(f"names: {[*NAMES.values()]}\nheld: images/held\n")
    words = [str(exported.file.with_suffix(".pt")), "--name", "tried", "--data", str(tmp_path / "data.yaml")]
    words += ["--split", "held", "--gsd", "12", "--gsd-range", "8", "20", "--folder", str(tmp_path / "shelf")]
    done = subprocess.run(
        [sys.executable, "-c", "from serayu.vision.export.export_cli import app; app()", *words, "--json"],
        capture_output=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    document = msgspec.json.decode(done.stdout)
    assert b"ONNX:" in done.stderr
    assert document["int8"]["pictures"] == 1
    (entry,) = read_manifest(tmp_path / "shelf").weights
    assert msgspec.convert(document["entry"], WeightsEntry) == entry
    assert (entry.gsd_mm, entry.gsd_range_mm) == (12.0, (8.0, 20.0))
    assert entry.threshold_choice is not None
    assert (entry.threshold_choice.pictures, entry.threshold_choice.whole) == (1, 1)
    assert (entry.threshold_choice.split, entry.threshold_choice.learnt) == ("held", False)
    assert entry.threshold_source == entry.threshold_choice.said("en")


def test_the_export_says_what_it_is_and_not_where_it_was_made(made: tuple[Any, Exported]) -> None:
    _, exported = made
    assert exported.input_px == SIDE
    assert exported.classes == tuple(NAMES.values())
    assert machine_paths(exported.file.read_bytes()) == ()


def test_int8_is_calibrated_and_finds_boxes(made: tuple[Any, Exported], tmp_path: Path) -> None:
    pytest.importorskip("nncf")
    from serayu.vision.export.int8 import quantise  # noqa: PLC0415 - needs nncf

    _, exported = made
    xml, weights = quantise(exported.file, tmp_path / "a-int8.xml", [picture()] * 3, scale=Scale())
    assert machine_paths(xml.read_bytes()) == ()
    assert weights.stat().st_size < 0.45 * exported.file.stat().st_size
    _, longer = quantise(
        exported.file, tmp_path / "b-int8.xml", [picture()] * 3, scale=Scale(), float_head=True
    )
    assert weights.stat().st_size < longer.stat().st_size < 0.9 * exported.file.stat().st_size


@pytest.mark.parametrize("content", [b"", b"no checkpoint", None])
def test_what_is_no_checkpoint_is_refused_by_name(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "a.pt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(BadInputError, match=r"a\.pt: (not a|no such) checkpoint"):
        export_onnx(file, tmp_path / "a.onnx")
