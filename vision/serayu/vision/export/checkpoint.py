"""A training checkpoint as ONNX: batch 1 of a fixed size, nothing in it that tells of the machine it was made on."""

import importlib
import math
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Literal

from serayu.models.errors import BadInputError, plain
from serayu.vision.training.libraries import load_libraries

if TYPE_CHECKING:
    from ultralytics import YOLO

__all__ = ["OPSET", "Exported", "export_onnx", "machine_paths"]

OPSET = 17
"""ONNX operator set: the newest that the oldest ONNX Runtime of the requirements reads in full."""

_KEPT = frozenset({"author", "channels", "imgsz", "license", "names", "stride", "task", "version"})
_PATHS = re.compile(
    rb"(?:/(?:home|root|work|tmp|usr|opt|mnt|Users|content|kaggle)/|[A-Z]:\\Users\\)[\x20-\x7e]{0,60}"
)
_STRIDE = 32


@dataclass(frozen=True, slots=True)
class Exported:
    """An ONNX file and what it is.

    Parameters
    ----------
    file
        The file.
    task
        Boxes, or boxes with masks.
    classes
        Names in the network's order.
    input_px
        Side of the square input.
    """

    file: Path
    task: Literal["detect", "segment"]
    classes: tuple[str, ...]
    input_px: int


def export_onnx(checkpoint: Path, file: Path, *, input_px: int | None = None, margin_px: int = 0) -> Exported:
    """Write a checkpoint of ultralytics as ONNX.

    Batch 1 and a fixed square input: what the runtimes here are fed with, and what OpenVINO compiles best. The
    network itself stays in fp32; boxes and classes are decoded here, not in the graph.

    Parameters
    ----------
    checkpoint
        The ``.pt`` file; it is code (pickle): open only what you trained yourself.
    file
        Where to write.
    input_px
        Side of the input, a multiple of 32; that of the training, and the margin on both sides, when None.
    margin_px
        Width of the grey margin that pictures get.

    Raises
    ------
    BadInputError
        The libraries are absent, or the file is no checkpoint of a detector or segmenter.
    """
    if not checkpoint.is_file():
        raise BadInputError("no such checkpoint", file=checkpoint)
    if input_px is not None and (input_px < _STRIDE or input_px % _STRIDE):
        raise BadInputError(f"must be a multiple of {_STRIDE} px, not {input_px}", field="imgsz")
    with tempfile.TemporaryDirectory(prefix="serayu-export-") as name:
        folder = Path(name)
        libraries = load_libraries(settings=folder / "settings")
        copy = Path(shutil.copyfile(checkpoint, folder / "network.pt"))
        network = _opened(libraries.ultralytics, copy, checkpoint)
        side = input_px or _STRIDE * math.ceil((_trained_at(network) + 2 * margin_px) / _STRIDE)
        network.export(format="onnx", imgsz=side, opset=OPSET, dynamic=False, simplify=True, device="cpu")
        _cleaned(copy.with_suffix(".onnx"), file)
    names = network.names
    return Exported(file, network.task, tuple(str(names[index]) for index in range(len(names))), side)


def machine_paths(content: bytes) -> tuple[str, ...]:
    """Return what looks like a path of a machine in a file, each once."""
    return tuple(dict.fromkeys(match.decode("ascii", "replace") for match in _PATHS.findall(content)))


def _opened(ultralytics: ModuleType, file: Path, checkpoint: Path) -> "YOLO":
    try:
        network = ultralytics.YOLO(str(file))
    except (AttributeError, EOFError, KeyError, OSError, RuntimeError, TypeError, ValueError) as error:
        raise BadInputError(f"not a checkpoint of ultralytics: {plain(error)}", file=checkpoint) from None
    if network.task not in {"detect", "segment"}:
        raise BadInputError(f"its task is {network.task!r}; expected detect or segment", file=checkpoint)
    return network


def _trained_at(network: "YOLO") -> int:
    size = network.overrides.get("imgsz", 640)
    return int(max(size) if isinstance(size, list | tuple) else size)


def _cleaned(source: Path, target: Path) -> None:
    """Copy an ONNX file without its training data's place, its date and its remarks."""
    onnx = importlib.import_module("onnx")  # of the training environment

    model = onnx.load(str(source))
    kept = [(one.key, one.value) for one in model.metadata_props if one.key in _KEPT]
    del model.metadata_props[:]
    for key, value in sorted(kept):
        model.metadata_props.add(key=key, value=value)
    model.doc_string = ""
    for node in model.graph.node:
        node.doc_string = ""
    content: bytes = model.SerializeToString(deterministic=True)
    found = machine_paths(content)
    if found:
        raise BadInputError(f"the network still names {found[0]!r}", file=source)
    target.write_bytes(content)
