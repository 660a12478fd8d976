"""torch and ultralytics, imported the way training needs them; nothing else here may import them earlier."""

import importlib
import os
import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from serayu.models.errors import BadInputError

__all__ = ["Foreign", "Libraries", "load_libraries", "suppressed"]

Foreign = Any
"""A thing of torch or ultralytics, which have no types."""

_EXTRA = "pip install 'serayu[train]'"


class Libraries:
    """The two libraries, ready for use.

    Parameters
    ----------
    torch, ultralytics
        The modules.
    """

    def __init__(self, torch: ModuleType, ultralytics: ModuleType) -> None:
        self.torch: Foreign = torch
        self.ultralytics: Foreign = ultralytics

    @property
    def device(self) -> str:
        """Return the first GPU where there is one, else the CPU."""
        return "0" if self.torch.cuda.is_available() else "cpu"

    @property
    def versions(self) -> dict[str, str]:
        """Return their versions."""
        return {"torch": str(self.torch.__version__), "ultralytics": str(self.ultralytics.__version__)}


def load_libraries(*, settings: Path, threads: int | None = None) -> Libraries:
    """Import torch and ultralytics: without telemetry, update checks or downloads, and with all cores.

    ultralytics keeps its settings in a folder of the user and would use all cores but one, half of a small machine.

    Parameters
    ----------
    settings
        Folder for what ultralytics and matplotlib write about themselves.
    threads
        How many torch computes with; None: as many as the process may use cores. One is better on a machine that is
        busy with other things: two that wait for each other are several times slower than one.

    Raises
    ------
    BadInputError
        The extra ``train`` is not installed.
    """
    settings.mkdir(parents=True, exist_ok=True)
    os.environ.update(
        YOLO_OFFLINE="1",
        YOLO_AUTOINSTALL="false",
        YOLO_CONFIG_DIR=str(settings.resolve()),
        MPLCONFIGDIR=str(settings.resolve()),
        ORT_DISABLE_TELEMETRY="1",
    )
    try:
        torch = importlib.import_module("torch")
    except ModuleNotFoundError:
        raise BadInputError(f"training needs torch and ultralytics: {_EXTRA}") from None
    _import_torchvision(torch)
    try:
        ultralytics = importlib.import_module("ultralytics")
    except ModuleNotFoundError:
        raise BadInputError(f"training needs ultralytics: {_EXTRA}") from None
    utilities: Foreign = importlib.import_module("ultralytics.utils.torch_utils")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    utilities.NUM_THREADS = threads or cores
    torch.set_num_threads(utilities.NUM_THREADS)
    return Libraries(torch, ultralytics)


def suppressed(boxes: npt.NDArray[np.float32], scores: npt.NDArray[np.float32], limit: float) -> list[int]:
    """Return which boxes remain when each removes lower ones that it overlaps by more than a limit.

    Parameters
    ----------
    boxes
        Left, top, right, bottom, shape (n, 4).
    scores
        Shape (n,).
    limit
        Intersection over union.

    Returns
    -------
    list
        Row numbers by falling score.
    """
    left, top, right, bottom = boxes.astype(np.float64).T
    area = (right - left) * (bottom - top)
    waiting = np.argsort(-scores, kind="stable")
    kept = []
    while waiting.size:
        best, waiting = waiting[0], waiting[1:]
        kept.append(int(best))
        wide = np.minimum(right[best], right[waiting]) - np.maximum(left[best], left[waiting])
        high = np.minimum(bottom[best], bottom[waiting]) - np.maximum(top[best], top[waiting])
        common = np.clip(wide, 0, None) * np.clip(high, 0, None)
        waiting = waiting[common <= limit * (area[best] + area[waiting] - common)]
    return kept


def _import_torchvision(torch: Foreign) -> None:
    """Import torchvision; where its compiled operators do not load, put the one that YOLO needs in their place.

    The wheels on PyPI are linked to CUDA: beside a CPU build of torch the import ends with ``operator
    torchvision::nms does not exist``. Only ``nms`` is replaced; other compiled operators stay absent.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the image extension, which nothing here uses
        try:
            importlib.import_module("torchvision")
            return  # noqa: TRY300 - the healthy case
        except ModuleNotFoundError:
            raise BadInputError(f"training needs torchvision: {_EXTRA}") from None
        except RuntimeError as error:
            if "nms" not in str(error):
                raise
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "FRAGMENT")
        for name in ("nms", "qnms"):  # the import registers shapes for both; the quantized one is never run
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        library.impl("nms", _nms_operator(torch), "CPU")
        torchvision: Foreign = importlib.import_module("torchvision")
        torchvision._serayu_operators = library  # noqa: SLF001 - the registration lives as long as this object
        boxes: Foreign = importlib.import_module("torchvision.ops.boxes")
        boxes._assert_has_ops = lambda: None  # noqa: SLF001 - it asks for the compiled file, not for the operator


def _nms_operator(torch: Foreign) -> Foreign:
    """Return the operator ``nms`` for tensors on the CPU."""

    def nms(dets: Foreign, scores: Foreign, iou_threshold: float) -> Foreign:
        kept = suppressed(
            dets.detach().float().numpy(), scores.detach().float().numpy(), float(iou_threshold)
        )
        return torch.tensor(kept, dtype=torch.int64)

    return nms
