"""The port of inference back-ends, and the choice among those that this machine has."""

import enum
import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from serayu.models.errors import BadInputError
from serayu.vision.detection import Image

__all__ = ["Network", "Precision", "Runtime", "Worker", "cores", "open_network", "square_side"]

Outputs = Sequence[npt.NDArray[np.float32]]

_GPU_PROVIDERS = ("CUDAExecutionProvider", "ROCMExecutionProvider", "MIGraphXExecutionProvider")

_IMAGE_RANK = 4


class Runtime(enum.StrEnum):
    """Which library runs the network."""

    AUTO = "auto"
    OPENVINO = "openvino"
    ONNXRUNTIME = "onnxruntime"


class Precision(enum.StrEnum):
    """Numbers that the network computes with; fp32 is the reproducible one, auto the fastest of this machine."""

    AUTO = "auto"
    FP32 = "fp32"
    BF16 = "bf16"
    INT8 = "int8"


class Worker(Protocol):
    """One thread's access to a network: a buffer to fill with a tile, and the inference that blocks."""

    @property
    def tile(self) -> Image:
        """Return the buffer, shape (side, side, 3), blue, green, red."""
        ...

    def infer(self) -> Outputs:
        """Return the outputs for what the buffer holds; valid until the next call."""
        ...


class Network(Protocol):
    """A network that is ready to run, batch 1."""

    @property
    def name(self) -> str:
        """Return library, device and precision, e.g. ``openvino-bf16``."""
        ...

    @property
    def side_px(self) -> int:
        """Return the side of its square input."""
        ...

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Return the shapes of its outputs."""
        ...

    @property
    def classes(self) -> tuple[str, ...]:
        """Return the names of its classes as the file says, empty where it does not."""
        ...

    def worker(self) -> Worker:
        """Return access for one more thread."""
        ...


def cores() -> int:
    """Return how many processors this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def open_network(
    file: Path,
    *,
    int8_file: Path | None = None,
    runtime: Runtime = Runtime.AUTO,
    precision: Precision = Precision.AUTO,
    threads: int | None = None,
) -> Network:
    """Open a network with the library that suits this machine best.

    Parameters
    ----------
    file
        ``.onnx``, or an OpenVINO ``.xml`` with its ``.bin`` beside it.
    int8_file
        The same network quantised for OpenVINO (``.xml``), where there is one.
    runtime
        Auto: ONNX Runtime where it has a GPU, else OpenVINO, else ONNX Runtime.
    precision
        Auto, with OpenVINO: int8 where there is a file and the processor has it, else bf16 where that proves to be
        faster, else fp32. ONNX Runtime computes in fp32.
    threads
        How many tiles at once; all usable processors when None.

    Raises
    ------
    BadInputError
        The file is absent or no network, or what was asked for is not installed or not possible.
    """
    if file.suffix == ".pt":
        raise BadInputError("a training checkpoint; export it first: serayu vision export", file=file)
    if not file.is_file():
        raise BadInputError("no such file of weights", file=file)
    threads = threads or cores()
    if _choice(runtime, file=file, precision=precision) is Runtime.OPENVINO:
        from serayu.vision.runtime.openvino_network import OpenVinoNetwork  # noqa: PLC0415 - heavy

        return OpenVinoNetwork.open(file, int8_file=int8_file, precision=precision, threads=threads)
    from serayu.vision.runtime.onnx_network import OnnxNetwork  # noqa: PLC0415 - heavy

    if file.suffix != ".onnx" or precision not in {Precision.AUTO, Precision.FP32}:
        raise BadInputError(f"ONNX Runtime reads .onnx and computes in fp32, not {precision}", file=file)
    return OnnxNetwork.open(file, gpu_providers=_gpu_providers(), threads=threads)


def square_side(shape: Sequence[int | str | None], *, file: Path) -> int:
    """Return the side of an input of shape (1, 3, side, side).

    Raises
    ------
    BadInputError
        It has another shape; names the file.
    """
    if len(shape) != _IMAGE_RANK or list(shape[:2]) != [1, 3] or shape[2] != shape[3]:
        raise BadInputError(
            f"the input must have the fixed shape [1, 3, side, side], not {list(shape)}", file=file
        )
    return int(shape[2] or 0)


def _choice(runtime: Runtime, *, file: Path, precision: Precision) -> Runtime:
    have = {
        Runtime.OPENVINO: importlib.util.find_spec("openvino") is not None,
        Runtime.ONNXRUNTIME: importlib.util.find_spec("onnxruntime") is not None,
    }
    if runtime is not Runtime.AUTO:
        if not have[runtime]:
            raise BadInputError(f"{runtime} is not installed; the extra 'vision' brings it")
        return runtime
    if not any(have.values()):
        raise BadInputError("neither OpenVINO nor ONNX Runtime is installed; the extra 'vision' brings them")
    portable = file.suffix == ".onnx" and precision in {Precision.AUTO, Precision.FP32}
    if have[Runtime.ONNXRUNTIME] and portable and (not have[Runtime.OPENVINO] or _gpu_providers()):
        return Runtime.ONNXRUNTIME
    return Runtime.OPENVINO


def _gpu_providers() -> tuple[str, ...]:
    """Return the GPU providers of the ONNX Runtime that is installed."""
    if importlib.util.find_spec("onnxruntime") is None:
        return ()
    from serayu.vision.runtime.onnx_network import quiet_onnxruntime  # noqa: PLC0415 - heavy

    available = quiet_onnxruntime().get_available_providers()
    return tuple(one for one in _GPU_PROVIDERS if one in available)
