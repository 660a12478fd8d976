"""Painted pictures for the tiny networks: red squares are potholes, blue ones patches, green ones have a mask."""

import hashlib
from pathlib import Path

import msgspec
import numpy as np

from serayu.vision.detection import Image

NETWORKS = Path(__file__).parent / "networks"
DETECT = NETWORKS / "tiny_detect.onnx"
SEGMENT = NETWORKS / "tiny_segment.onnx"

RED, BLUE, RED_GREEN = (0, 0, 255), (255, 0, 0), (0, 255, 255)


def painted(width: int, height: int, *squares: tuple[int, int, tuple[int, int, int]], side: int = 8) -> Image:
    """Return a black picture with coloured squares at given corners."""
    image = np.zeros((height, width, 3), dtype=np.uint8)
    for x, y, colour in squares:
        image[y : y + side, x : x + side] = colour
    return image


def shelf(folder: Path, **changes: object) -> Path:
    """Write a folder of weights with one entry, ``tiny``."""
    content = DETECT.read_bytes()
    (folder / "tiny.onnx").write_bytes(content)
    entry = {
        "name": "tiny",
        "task": "detect",
        "file": "tiny.onnx",
        "sha256": hashlib.sha256(content).hexdigest(),
        "licence": "AGPL-3.0-or-later",
        "restriction": None,
        "classes": ["pothole", "patch_repair"],
        "input_px": 64,
        "gsd_mm": 10.0,
        "threshold": 0.6,
        "threshold_source": "made for this test",
        "training_commit": None,
    }
    document = {"weights": [{**entry, **changes}]}
    (folder / "manifest.json").write_bytes(msgspec.json.encode(document))
    return folder
