"""CenterFace at tiles of a fixed size, by OpenVINO, or by OpenCV where that is absent; and the meaning of its outputs.

The model's file has a fixed input of 10 pictures of 32 px, which both libraries can change and ONNX Runtime cannot.
"""

import importlib.util
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from serayu.models.errors import BadInputError
from serayu.vision.detection import Image
from serayu.vision.runtime.found import Boxes, Scores
from serayu.vision.runtime.heads import suppressed

__all__ = ["OUTPUTS", "TILE_PX", "FaceNetwork", "decode_faces", "open_faces"]

Floats = npt.NDArray[np.float32]

TILE_PX = 640
OUTPUTS = ("537", "538", "539", "540")
"""Names in the file: heat, logarithm of height and width, offset down and right, landmarks."""
_STRIDE = 4
_SAME_IOU = 0.3


class FaceNetwork(Protocol):
    """Looks at one tile; may be called by several threads."""

    @property
    def name(self) -> str:
        """Return library and precision."""
        ...

    def __call__(self, tile: Image) -> Sequence[Floats]:
        """Return heat, size and offset for a tile of shape (TILE_PX, TILE_PX, 3), blue, green, red."""
        ...


def decode_faces(outputs: Sequence[Floats], *, threshold: float) -> tuple[Boxes, Scores]:
    """Return the faces of one tile, the surest first.

    Each cell of the heat map (stride 4) above the threshold is the middle of a face: its centre is moved by the
    offset, its size is e to the power of the scale, in strides [Xu et al. 2019, section 3.2].

    Parameters
    ----------
    outputs
        Heat (1, 1, h, w), scale (1, 2, h, w: height, width) and offset (1, 2, h, w: down, right).
    threshold
        Least heat, 0-1.

    Returns
    -------
    tuple
        Boxes, shape (n, 4), pixels of the tile and inside it; scores, shape (n,).
    """
    heat, scale, offset = (np.asarray(one[0], dtype=np.float64) for one in outputs[:3])
    rows, columns = np.nonzero(heat[0] > threshold)
    scores = heat[0, rows, columns]
    order = np.argsort(-scores, kind="stable")
    rows, columns, scores = rows[order], columns[order], scores[order]
    half = np.exp(np.minimum(scale[::-1, rows, columns].T, 12.0)) * (_STRIDE / 2)
    centre = (np.column_stack((columns, rows)) + offset[::-1, rows, columns].T + 0.5) * _STRIDE
    limit = np.array([heat.shape[2], heat.shape[1]]) * _STRIDE
    boxes = np.concatenate((np.clip(centre - half, 0, limit), np.clip(centre + half, 0, limit)), axis=1)
    kept = suppressed(boxes, np.zeros(len(boxes), dtype=np.intp), iou=_SAME_IOU)
    return boxes[kept], scores[kept]


def open_faces(file: Path, *, threads: int) -> FaceNetwork:
    """Return the model for OpenVINO, or OpenCV where that is not installed; both compute in fp32.

    It is read at the first tile, which raises BadInputError where the library cannot: most surveys are too coarse to
    need it.
    """
    if importlib.util.find_spec("openvino") is not None:
        return _OpenVinoFaces(file, threads=threads)
    return _OpenCvFaces(file)


class _OpenVinoFaces:
    name = "openvino-fp32"

    def __init__(self, file: Path, *, threads: int) -> None:
        self._file, self._threads = file, threads
        self._lock, self._local = threading.Lock(), threading.local()
        self._compiled: Any = None

    def __call__(self, tile: Image) -> Sequence[Floats]:
        request = getattr(self._local, "request", None)
        if request is None:
            request = self._local.request = self._opened().create_infer_request()
        request.infer([_blob(tile)])
        return [request.get_tensor(name).data for name in OUTPUTS[:3]]

    def _opened(self) -> Any:  # noqa: ANN401 -- openvino has no types
        with self._lock:
            if self._compiled is None:
                self._compiled = self._compile()
            return self._compiled

    def _compile(self) -> Any:  # noqa: ANN401 -- as above
        import openvino  # noqa: PLC0415 - heavy

        core = openvino.Core()
        try:
            model = core.read_model(self._file)
            model.reshape([1, 3, TILE_PX, TILE_PX])
            settings = {"INFERENCE_NUM_THREADS": self._threads, "INFERENCE_PRECISION_HINT": "f32"}
            return core.compile_model(model, "CPU", settings)
        except RuntimeError as error:
            last = " ".join(str(error).strip().splitlines()[-1:])
            raise BadInputError(
                f"not a model of faces that OpenVINO reads: {last}", file=self._file
            ) from None


class _OpenCvFaces:
    name = "opencv-fp32"

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._net: Any = None

    def __call__(self, tile: Image) -> Sequence[Floats]:
        import cv2  # noqa: PLC0415 - heavy

        with self._lock:
            if self._net is None:
                try:
                    self._net = cv2.dnn.readNetFromONNX(str(self._file))
                except cv2.error as error:
                    raise BadInputError(
                        f"not a model of faces that OpenCV reads: {error.err}", file=self._file
                    ) from None
            self._net.setInput(_blob(tile))
            outputs: Sequence[Floats] = self._net.forward(list(OUTPUTS))
        return outputs


def _blob(tile: Image) -> Floats:
    """Return red, green, blue planes with levels 0-255, which the model expects."""
    planes: Floats = np.ascontiguousarray(tile[:, :, ::-1].transpose(2, 0, 1)[None], dtype=np.float32)
    return planes
