"""OpenVINO on the processor: tiles go in as they lie in the picture, one stream per thread.

Batch 1 with a static shape and blocking inference in own threads: a larger batch gains nothing on processors, and
asynchronous queues with dynamic shapes have hung (ultralytics issue 25923).
"""

import functools
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from serayu.models.errors import BadInputError
from serayu.vision.detection import Image
from serayu.vision.runtime.network import Precision, square_side

if TYPE_CHECKING:
    import openvino

__all__ = ["OpenVinoNetwork"]

_WORTH = 0.9
"""bf16 is taken where it needs less than this share of the time of fp32 [project proposal]: machines are far from it on
either side (0.56 on one with AVX-512 BF16, 1.5 on another that names the same instructions), so that the choice does
not change from run to run."""

_PROBE_RUNS = 8
_PROBE_SHAPE = (1, 64, 52, 52)
_PROBE_LAYERS = 4


class OpenVinoWorker:
    """One thread's inference request, with a buffer that it reads in place."""

    def __init__(self, compiled: "openvino.CompiledModel", side_px: int) -> None:
        import openvino  # noqa: PLC0415 - heavy

        self._buffer = np.zeros((1, side_px, side_px, 3), dtype=np.uint8)
        self._request = compiled.create_infer_request()
        self._request.set_input_tensor(openvino.Tensor(self._buffer, shared_memory=True))

    @property
    def tile(self) -> Image:
        """Return the buffer."""
        buffer: Image = self._buffer[0]
        return buffer

    def infer(self) -> list[npt.NDArray[np.float32]]:
        """Return the outputs for what the buffer holds; valid until the next call."""
        self._request.infer(share_outputs=True)  # by default it copies them, masks' prototypes too
        return [tensor.data for tensor in self._request.output_tensors]


class OpenVinoNetwork:
    """A network compiled by OpenVINO for the processor; see :class:`serayu.vision.runtime.network.Network`."""

    def __init__(
        self, compiled: "openvino.CompiledModel", *, name: str, side_px: int, classes: tuple[str, ...]
    ) -> None:
        self._compiled = compiled
        self.name = name
        self.side_px = side_px
        self.classes = classes

    @classmethod
    def open(
        cls, file: Path, *, int8_file: Path | None, precision: Precision, threads: int
    ) -> "OpenVinoNetwork":
        """Read and compile a network.

        Raises
        ------
        BadInputError
            The file is no network of this kind, or the processor has no such precision.
        """
        import openvino  # noqa: PLC0415 - heavy

        core = openvino.Core()
        able = set(core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"))
        precision = _usable(precision, able=able, int8_file=int8_file, file=file)
        source = int8_file if precision is Precision.INT8 and int8_file is not None else file
        try:
            model = core.read_model(source)
        except RuntimeError as error:
            raise BadInputError(f"not a network that OpenVINO reads: {_reason(error)}", file=source) from None
        if len(model.inputs) != 1 or not model.inputs[0].partial_shape.is_static:
            raise BadInputError("the network must have one input of a fixed shape", file=source)
        side_px = square_side(list(model.inputs[0].shape), file=source)
        classes = _classes(model)
        # What is not quantised in an int8 network runs in bf16 where that pays.
        short = precision is Precision.BF16 or (precision is Precision.INT8 and _bf16_pays())
        compiled = core.compile_model(
            _fed_with_pixels(model),
            "CPU",
            {
                "NUM_STREAMS": threads,
                "INFERENCE_NUM_THREADS": threads,
                "INFERENCE_PRECISION_HINT": "bf16" if short else "f32",
            },
        )
        return cls(compiled, name=f"openvino-{precision}", side_px=side_px, classes=classes)

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Return the shapes of its outputs."""
        return tuple(tuple(output.shape) for output in self._compiled.outputs)

    def worker(self) -> OpenVinoWorker:
        """Return access for one more thread."""
        return OpenVinoWorker(self._compiled, self.side_px)


def _usable(precision: Precision, *, able: set[str], int8_file: Path | None, file: Path) -> Precision:
    if precision is Precision.AUTO:
        if int8_file is not None and "INT8" in able:
            return Precision.INT8
        return Precision.BF16 if _bf16_pays() else Precision.FP32
    if precision is Precision.INT8 and int8_file is None:
        raise BadInputError("there is no int8 file of these weights", file=file)
    if precision is Precision.BF16 and "BF16" not in able:
        raise BadInputError("this processor has no bf16; use fp32 or auto")
    return precision


@functools.cache
def _bf16_pays() -> bool:
    """Return whether this machine computes convolutions faster in bf16 than in fp32, by timing some.

    That a processor names the instructions does not say so: OpenVINO also emulates them, and some virtual machines take
    longer over them. The least processor time of several turns counts, so that other work beside has little say.
    """
    import openvino  # noqa: PLC0415 - heavy

    core = openvino.Core()
    if "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        return False
    model = _convolutions()
    ones = openvino.Tensor(
        np.ones(_PROBE_SHAPE, dtype=np.float32)
    )  # memory as it lies holds denormal numbers: slow
    requests = [
        core.compile_model(
            model, "CPU", {"NUM_STREAMS": 1, "INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": hint}
        ).create_infer_request()
        for hint in ("bf16", "f32")
    ]
    for request in requests:
        request.set_input_tensor(ones)
    least = [float("inf")] * len(requests)
    for turn in range(_PROBE_RUNS + 1):
        for number, request in enumerate(requests):
            began = time.process_time()
            request.infer(share_outputs=True)
            if turn:  # the first call prepares
                least[number] = min(least[number], time.process_time() - began)
    return least[0] < _WORTH * least[1]


def _convolutions() -> "openvino.Model":
    """Return some layers as wide as the middle of the networks: 0.8 billion operations."""
    import openvino  # noqa: PLC0415 - heavy
    from openvino import opset8  # noqa: PLC0415 - heavy

    channels = _PROBE_SHAPE[1]
    weights = np.full((channels, channels, 3, 3), 1 / (9 * channels), dtype=np.float32)
    entry = layer = opset8.parameter(list(_PROBE_SHAPE), dtype=np.float32)
    for _ in range(_PROBE_LAYERS):
        layer = opset8.relu(
            opset8.convolution(layer, opset8.constant(weights), [1, 1], [1, 1], [1, 1], [1, 1])
        )
    return openvino.Model([layer], [entry], "probe")


def _fed_with_pixels(model: "openvino.Model") -> "openvino.Model":
    """Return the model with input blue, green, red bytes, rows first: what a picture is, so that nothing is copied."""
    import openvino  # noqa: PLC0415 - heavy
    from openvino.preprocess import ColorFormat, PrePostProcessor  # noqa: PLC0415 - heavy

    steps = PrePostProcessor(model)
    tensor = steps.input().tensor()
    tensor.set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC")).set_color_format(
        ColorFormat.BGR
    )
    to_model = steps.input().preprocess()
    to_model.convert_element_type(openvino.Type.f32).convert_color(ColorFormat.RGB).scale([255.0] * 3)
    steps.input().model().set_layout(openvino.Layout("NCHW"))
    for index in range(len(model.outputs)):
        steps.output(index).tensor().set_element_type(openvino.Type.f32)
    return steps.build()


def _classes(model: "openvino.Model") -> tuple[str, ...]:
    """Return the names that an OpenVINO file made by ultralytics holds; none in an ONNX file read by OpenVINO."""
    place = ["model_info", "labels"]
    return tuple(str(model.get_rt_info(place).value).split()) if model.has_rt_info(place) else ()


def _reason(error: RuntimeError) -> str:
    """Return the last line that says something of OpenVINO's many."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"
