"""The same network in 8-bit numbers for OpenVINO, its ranges calibrated on training pictures."""

import logging
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from serayu.models.errors import BadInputError
from serayu.vision.detection import Image
from serayu.vision.export.checkpoint import machine_paths
from serayu.vision.runtime.scale import Scale, resized
from serayu.vision.runtime.tiles import DEFAULT_OVERLAP, cut_tile, plan_tiles

if TYPE_CHECKING:
    import nncf as nncf_module
    import openvino

__all__ = ["CALIBRATION_PICTURES", "quantise"]

CALIBRATION_PICTURES = 300
"""Pictures that ranges are taken from [NNCF's own default]."""

_HEAD = re.compile(r"model\.(\d+)[./]")
_LAST_STEPS = ("Add", "Sub", "Mul", "Div")


def quantise(
    file: Path, into: Path, images: Sequence[Image], *, scale: Scale, float_head: bool = False
) -> tuple[Path, Path]:
    """Write an ONNX network as OpenVINO in 8 bit.

    Weights and activations are quantised after training [Jacob et al. 2018]; the arithmetic that turns the head's
    distributions into boxes stays as it is: its values are pixels up to the input's side beside scores below 1, which
    8 bit cannot hold together.

    Parameters
    ----------
    file
        The ONNX file.
    into
        The ``.xml`` to write; the ``.bin`` lies beside it.
    images
        Pictures of the training, in a fixed order.
    scale
        How pictures are brought to the network.
    float_head
        Whether the whole head keeps its numbers, and only the rest is in 8 bit: slower, and nearer to the original.

    Raises
    ------
    BadInputError
        There is no picture, or the network cannot be read.
    """
    os.environ.setdefault("CI", "true")  # OpenVINO's tools then tell nobody that they run
    import nncf  # noqa: PLC0415 - of the training environment
    import openvino  # noqa: PLC0415 - heavy

    if not images:
        raise BadInputError("calibration needs at least one picture", file=file)
    logging.getLogger("nncf").setLevel(logging.WARNING)
    model = openvino.Core().read_model(file)
    side_px = int(model.inputs[0].shape[2])
    tiles = list(_inputs(images, scale=scale, side_px=side_px))
    quantised = nncf.quantize(
        model,
        nncf.Dataset(tiles),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(tiles),
        ignored_scope=_ignored(nncf, model, whole_head=float_head),
    )
    openvino.save_model(quantised, into, compress_to_fp16=True)
    found = machine_paths(into.read_bytes())
    if found:
        raise BadInputError(f"the network names {found[0]!r}", file=into)
    return into, into.with_suffix(".bin")


def _inputs(images: Sequence[Image], *, scale: Scale, side_px: int) -> Iterator[npt.NDArray[np.float32]]:
    """Yield each picture's first tile as the network sees it: red, green, blue, 0-1."""
    for image in images:
        factor = scale.factor(None, longest_px=max(image.shape[:2]), side_px=side_px)
        seen, _ = resized(image, factor)
        tiles = plan_tiles(
            seen.shape[1],
            seen.shape[0],
            side_px=side_px,
            overlap=DEFAULT_OVERLAP,
            margin_px=scale.margin_px,
        )
        tile = np.zeros((side_px, side_px, 3), dtype=np.uint8)
        cut_tile(seen, tiles, 0, into=tile)
        yield np.ascontiguousarray(tile[:, :, ::-1].transpose(2, 0, 1)[None], dtype=np.float32) / np.float32(
            255
        )


def _ignored(nncf: ModuleType, model: "openvino.Model", *, whole_head: bool) -> "nncf_module.IgnoredScope":
    """Return the steps of the head that stay as they are."""
    numbers = [int(found[1]) for node in model.get_ops() if (found := _HEAD.search(node.get_friendly_name()))]
    if not numbers:
        return nncf.IgnoredScope()
    head = rf".*model\.{max(numbers)}"
    if whole_head:
        return nncf.IgnoredScope(patterns=[rf"{head}/.*"], types=["Sigmoid"], validate=False)
    patterns = [rf"{head}/(.*/)?{step}[^/]*$" for step in _LAST_STEPS] + [rf"{head}/dfl.*"]
    return nncf.IgnoredScope(patterns=patterns, types=["Sigmoid"], validate=False)
