"""What the benchmark of sliced inference runs: Serayu, the raw back-ends, SAHI and supervision on one network.

SAHI runs with what its documentation shows and its defaults: slices of the network's side, overlap 0.2, greedy
non-maximum merging of boxes of one class at an intersection over the smaller of 0.5, one slice at a time. Only its
extra look at the whole picture (``perform_standard_pred``) is off while time is taken, which spares it one inference;
``sahi openvino standard`` has it on, so that the better of both can be compared in score. OpenVINO computes in bf16
wherever a processor names it, faster or not: ``sahi openvino fp32`` has that switched off, so that nothing but the work
around the network is compared. supervision's slicer has the same slices, overlap and merging. ultralytics computes with
all cores but one (as many threads as it takes by itself); ``sahi pt all cores`` is given every core.
"""

import importlib.util
import os
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from serayu.models.errors import BadInputError, SerayuError
from serayu.vision.detection import Image
from serayu.vision.runtime.network import Network, Precision, Runtime, cores, open_network
from serayu.vision.runtime.scale import Scale
from serayu.vision.runtime.tiled import TiledDetector
from serayu.vision.runtime.tiles import cut_tile, plan_tiles

__all__ = ["OVERLAP", "Files", "Seen", "Subject", "side_of", "subjects", "usual_threads"]

OVERLAP = 0.2

Seen = tuple[np.ndarray, np.ndarray, list[str]]
"""Boxes (n, 4), scores (n,), names of classes."""

Subject = Callable[[Image], Seen]

_NEEDS = {"sahi": ("sahi", "ultralytics", "torch"), "supervision": ("supervision", "ultralytics", "torch")}


@dataclass(frozen=True, slots=True)
class Files:
    """One network in the forms that the subjects read.

    Parameters
    ----------
    checkpoint, onnx, openvino
        Of ultralytics: ``.pt``, ``.onnx``, folder of OpenVINO with ``metadata.yaml``.
    int8
        Folder with the same network quantised for OpenVINO (one ``.xml``); None without.
    """

    checkpoint: Path
    onnx: Path
    openvino: Path
    int8: Path | None = None

    @property
    def int8_file(self) -> Path | None:
        """Return the quantised network.

        Raises
        ------
        BadInputError
            The folder has none, or several.
        """
        if self.int8 is None:
            return None
        found = sorted(self.int8.glob("*.xml"))
        if len(found) != 1:
            raise BadInputError(f"expected one .xml of OpenVINO, found {len(found)}", file=self.int8)
        return found[0]


def usual_threads() -> int:
    """Return how many threads ultralytics gives torch by itself: one core is left free, eight are the most."""
    return min(8, max(1, (os.cpu_count() or 1) - 1))


def side_of(files: Files) -> int:
    """Return the side of the network's input."""
    return open_network(files.onnx, runtime=Runtime.ONNXRUNTIME).side_px


def subjects(
    files: Files, *, threshold: float, wanted: set[str] | None, scratch: Path
) -> tuple[dict[str, Subject], dict[str, str]]:
    """Return what can run here by name, and why the rest cannot."""
    ready: dict[str, Subject] = {}
    absent: dict[str, str] = {}
    for name, maker in _makers(files, threshold=threshold, scratch=scratch).items():
        if wanted is not None and name not in wanted:
            absent[name] = "left out by --only"
            continue
        reason = _missing(name, files)
        if reason is None:
            try:
                ready[name] = maker()
            except (ImportError, OSError, SerayuError) as error:
                reason = str(error)
        if reason is not None:
            absent[name] = reason
    return ready, absent


def _makers(files: Files, *, threshold: float, scratch: Path) -> dict[str, Callable[[], Subject]]:
    network = open_network(files.onnx, runtime=Runtime.ONNXRUNTIME)
    side, classes = network.side_px, network.classes
    opened = partial(_network, files)
    mine = partial(_ours, classes=classes, threshold=threshold)
    torch = partial(_sahi, files.checkpoint, side=side, threshold=threshold)
    compiled = partial(_sahi, files.openvino, side=side, threshold=threshold)
    made: dict[str, Callable[[], Subject]] = {
        "ours openvino": lambda: mine(opened(Runtime.OPENVINO, Precision.AUTO)),
        "ours openvino bf16": lambda: mine(opened(Runtime.OPENVINO, Precision.BF16)),
        "ours openvino fp32": lambda: mine(opened(Runtime.OPENVINO, Precision.FP32)),
        "ours onnxruntime": lambda: mine(opened(Runtime.ONNXRUNTIME, Precision.AUTO)),
        "limit openvino": lambda: _limit(opened(Runtime.OPENVINO, Precision.AUTO)),
        "sahi pt": torch,
        "sahi pt all cores": partial(torch, threads=cores()),
        "sahi onnx": partial(_sahi, files.onnx, side=side, threshold=threshold),
        "sahi openvino": compiled,
        "sahi openvino fp32": lambda: _in_fp32(compiled, side=side),
        "sahi openvino standard": partial(compiled, standard=True),
        "supervision pt": partial(_slicer, files.checkpoint, side=side, threshold=threshold),
    }
    if files.int8_file is not None:
        made["ours openvino int8"] = lambda: mine(opened(Runtime.OPENVINO, Precision.INT8))
        made["limit openvino int8"] = lambda: _limit(opened(Runtime.OPENVINO, Precision.INT8))
        made["sahi openvino int8"] = lambda: _sahi(
            _with_metadata(files, scratch), side=side, threshold=threshold
        )
    return made


def _network(files: Files, runtime: Runtime, precision: Precision) -> Network:
    int8_file = files.int8_file if precision is Precision.INT8 else None
    return open_network(files.onnx, int8_file=int8_file, runtime=runtime, precision=precision)


def _ours(network: Network, *, classes: tuple[str, ...], threshold: float) -> Subject:
    import scipy.sparse.csgraph  # noqa: F401, PLC0415 - merging imports it when it first joins something

    detector = TiledDetector(
        network,
        weights="bench",
        classes=classes,
        threshold=threshold,
        scale=Scale(),
        overlap=OVERLAP,
        threads=cores(),
    )

    def look(image: Image) -> Seen:
        found = detector.find(image)
        return found.xyxy_px, found.scores, [classes[label] for label in found.labels]

    return look


def _limit(network: Network) -> Subject:
    """Return the raw back-end on as many tiles, by all cores; nothing is cut, decoded or merged."""
    pool, local = ThreadPoolExecutor(cores()), threading.local()

    def look(image: Image) -> Seen:
        tiles = plan_tiles(image.shape[1], image.shape[0], side_px=network.side_px, overlap=OVERLAP)

        def one(_: int) -> None:
            if not hasattr(local, "worker"):
                local.worker = network.worker()
                cut_tile(image, tiles, 0, into=local.worker.tile)
            local.worker.infer()

        list(pool.map(one, range(len(tiles))))
        return np.zeros((0, 4)), np.zeros(0), []

    return look


def _sahi(
    model: Path, *, side: int, threshold: float, standard: bool = False, threads: int | None = None
) -> Subject:
    import torch  # noqa: PLC0415 - in an environment of its own
    from sahi import AutoDetectionModel  # noqa: PLC0415
    from sahi.predict import get_sliced_prediction  # noqa: PLC0415

    detector = AutoDetectionModel.from_pretrained(
        model_type="ultralytics",
        model_path=str(model),
        confidence_threshold=threshold,
        device="cpu",
        image_size=side,
    )

    def look(image: Image) -> Seen:
        torch.set_num_threads(threads or usual_threads())
        result = get_sliced_prediction(
            image[:, :, ::-1],
            detector,
            slice_height=side,
            slice_width=side,
            overlap_height_ratio=OVERLAP,
            overlap_width_ratio=OVERLAP,
            perform_standard_pred=standard,
            verbose=0,
        )
        rows = result.object_prediction_list
        boxes = np.array([row.bbox.to_xyxy() for row in rows], dtype=float).reshape(-1, 4)
        return boxes, np.array([row.score.value for row in rows]), [row.category.name for row in rows]

    return look


def _in_fp32(maker: Callable[[], Subject], *, side: int) -> Subject:
    """Return a subject whose network OpenVINO compiles for fp32, which ultralytics has no setting for."""
    import openvino  # noqa: PLC0415 - heavy

    usual = openvino.Core.compile_model

    def compile_model(
        self: openvino.Core, model: object, device_name: str = "CPU", config: object = None
    ) -> object:
        del device_name  # "AUTO", which is the processor here but takes no such hint
        wanted = {**(config if isinstance(config, dict) else {}), "INFERENCE_PRECISION_HINT": "f32"}
        return usual(self, model, "CPU", wanted)

    openvino.Core.compile_model = compile_model
    try:
        subject = maker()
        subject(np.zeros((side, side, 3), dtype=np.uint8))
    finally:
        openvino.Core.compile_model = usual
    return subject


def _slicer(model: Path, *, side: int, threshold: float) -> Subject:
    import supervision  # noqa: PLC0415 - in an environment of its own
    import torch  # noqa: PLC0415
    from ultralytics import YOLO  # noqa: PLC0415

    network = YOLO(str(model), task="detect")

    def callback(tile: Image) -> object:
        result = network.predict(tile, imgsz=side, conf=threshold, device="cpu", verbose=False)[0]
        return supervision.Detections.from_ultralytics(result)

    tool = supervision.InferenceSlicer(
        callback=callback,
        slice_wh=(side, side),
        overlap_wh=(round(side * OVERLAP), round(side * OVERLAP)),
        overlap_filter=supervision.OverlapFilter.NON_MAX_MERGE,
        iou_threshold=0.5,
        overlap_metric=supervision.OverlapMetric.IOS,
        thread_workers=1,
    )

    def look(image: Image) -> Seen:
        torch.set_num_threads(usual_threads())
        found = tool(image)
        return found.xyxy, found.confidence, list(found.data.get("class_name", []))

    return look


def _with_metadata(files: Files, scratch: Path) -> Path:
    """Return a folder with the quantised network as ultralytics opens it: under its name, with its metadata."""
    xml = files.int8_file
    assert xml is not None  # noqa: S101 - asked before
    folder = scratch / "int8_openvino_model"
    folder.mkdir(exist_ok=True)
    for file in (xml, xml.with_suffix(".bin"), files.openvino / "metadata.yaml"):
        shutil.copyfile(file, folder / file.name)
    return folder


def _missing(name: str, files: Files) -> str | None:
    kind, form, *_ = name.split()
    for module in _NEEDS.get(kind, ()):
        if importlib.util.find_spec(module) is None:
            return f"{module} is not installed"
    file = {"pt": files.checkpoint, "onnx": files.onnx, "openvino": files.openvino}.get(form)
    if kind in _NEEDS and file is not None and not file.exists():
        return f"no file {file.name}"
    return None
