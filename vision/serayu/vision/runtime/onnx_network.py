"""ONNX Runtime: the portable back-end (a Raspberry Pi, graphics processors)."""

import ast
import importlib
import os
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from serayu.models.errors import BadInputError
from serayu.vision.detection import Image
from serayu.vision.runtime.network import square_side

if TYPE_CHECKING:
    import onnxruntime

__all__ = ["OnnxNetwork", "names_in", "quiet_onnxruntime"]


def quiet_onnxruntime() -> ModuleType:
    """Return ONNX Runtime with its telemetry off, which must be said before it is imported first."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    return importlib.import_module("onnxruntime")


class OnnxWorker:
    """One thread's access: the session itself may be called by several at once."""

    def __init__(self, session: "onnxruntime.InferenceSession", side_px: int) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name
        self.tile: Image = np.zeros((side_px, side_px, 3), dtype=np.uint8)

    def infer(self) -> list[npt.NDArray[np.float32]]:
        """Return the outputs for what the buffer holds."""
        import cv2  # noqa: PLC0415 - heavy

        blob = cv2.dnn.blobFromImage(self.tile, 1 / 255, swapRB=True)
        outputs: list[npt.NDArray[np.float32]] = self._session.run(None, {self._input: blob})
        return outputs


class OnnxNetwork:
    """A session of ONNX Runtime; see :class:`serayu.vision.runtime.network.Network`."""

    def __init__(
        self, session: "onnxruntime.InferenceSession", *, name: str, side_px: int, classes: tuple[str, ...]
    ) -> None:
        self._session = session
        self.name = name
        self.side_px = side_px
        self.classes = classes

    @classmethod
    def open(cls, file: Path, *, gpu_providers: Sequence[str], threads: int) -> "OnnxNetwork":
        """Open a network; each call of the session uses one thread, `threads` of them run side by side.

        Raises
        ------
        BadInputError
            The file is no network of this kind.
        """
        del threads  # the callers' threads are the parallelism
        session = _session(file, providers=[*gpu_providers, "CPUExecutionProvider"])
        inputs = session.get_inputs()
        if len(inputs) != 1:
            raise BadInputError(f"the network must have one input, not {len(inputs)}", file=file)
        side_px = square_side(inputs[0].shape, file=file)
        provider = session.get_providers()[0].removesuffix("ExecutionProvider").lower()
        return cls(session, name=f"onnxruntime-{provider}-fp32", side_px=side_px, classes=_classes(session))

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Return the shapes of its outputs."""
        return tuple(tuple(output.shape) for output in self._session.get_outputs())

    def worker(self) -> OnnxWorker:
        """Return access for one more thread."""
        return OnnxWorker(self._session, self.side_px)


def names_in(file: Path) -> tuple[str, ...]:
    """Return the names of the classes that an ONNX file made by ultralytics holds, empty where it does not.

    Raises
    ------
    BadInputError
        The file is no network.
    """
    return _classes(_session(file, providers=["CPUExecutionProvider"]))


def _session(file: Path, *, providers: Sequence[str]) -> "onnxruntime.InferenceSession":
    library = quiet_onnxruntime()
    options = library.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return library.InferenceSession(file, options, providers=list(providers))
    except Exception as error:  # its errors have no common base but Exception
        if not type(error).__module__.startswith("onnxruntime"):
            raise
        raise BadInputError(f"not a network that ONNX Runtime reads: {error}", file=file) from None


def _classes(session: "onnxruntime.InferenceSession") -> tuple[str, ...]:
    text = session.get_modelmeta().custom_metadata_map.get("names", "{}")
    try:
        names = ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return ()
    return tuple(str(names[index]) for index in sorted(names)) if isinstance(names, dict) else ()
