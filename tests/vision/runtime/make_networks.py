"""Makes the two tiny networks of these tests: ``python -m tests.vision.runtime.make_networks``, where onnx is.

They have the outputs of a YOLO head at 64 px, and see colours: each anchor of stride 8 is a box of 8 px around its
cell, scored by the mean red (class pothole) and blue (class patch_repair) of the cell; the mask of the second network
is where green is above one half. So a test can paint a picture and know what must be found where.
"""

import importlib
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent / "networks"
SIDE = 64
STRIDES = (8, 16, 32)
NAMES = {0: "pothole", 1: "patch_repair"}


def boxes() -> np.ndarray:
    """Return centre x, y, width, height of every anchor, shape (1, 4, anchors)."""
    columns = []
    for stride in STRIDES:
        centres = (np.arange(SIDE // stride) + 0.5) * stride
        y, x = np.meshgrid(centres, centres, indexing="ij")
        columns.append(np.stack([x.ravel(), y.ravel(), np.full(x.size, stride), np.full(x.size, stride)]))
    return np.concatenate(columns, axis=1)[None].astype(np.float32)


def make(*, segment: bool) -> bytes:
    """Return one network as the bytes of an ONNX file."""
    onnx: Any = importlib.import_module("onnx")  # of the training environment
    helper = onnx.helper
    image = onnx.TensorProto.FLOAT

    cells, coarse = (SIDE // 8) ** 2, sum((SIDE // stride) ** 2 for stride in STRIDES[1:])
    constants = {
        "boxes": boxes(),
        "colours": np.eye(3, dtype=np.float32)[[0, 2]].reshape(2, 3, 1, 1),
        "flat": np.array([1, 2, cells], dtype=np.int64),
        "coarse": np.zeros((1, 2, coarse), dtype=np.float32),
    }
    nodes = [
        helper.make_node("AveragePool", ["images"], ["cells"], kernel_shape=[8, 8], strides=[8, 8]),
        helper.make_node("Conv", ["cells", "colours"], ["red_blue"], kernel_shape=[1, 1]),
        helper.make_node("Reshape", ["red_blue", "flat"], ["fine"]),
        helper.make_node("Concat", ["fine", "coarse"], ["scores"], axis=2),
    ]
    rows, outputs = ["boxes", "scores"], [("output0", [1, 6, cells + coarse])]
    if segment:
        constants["ones"] = np.ones((1, 1, cells + coarse), dtype=np.float32)
        constants["green"] = np.array([0, 1, 0], dtype=np.float32).reshape(1, 3, 1, 1)
        constants["half"] = np.array([-0.5], dtype=np.float32)
        nodes += [
            helper.make_node("AveragePool", ["images"], ["small"], kernel_shape=[4, 4], strides=[4, 4]),
            helper.make_node("Conv", ["small", "green", "half"], ["output1"], kernel_shape=[1, 1]),
        ]
        rows.append("ones")
        outputs = [("output0", [1, 7, cells + coarse]), ("output1", [1, 1, SIDE // 4, SIDE // 4])]
    nodes.append(helper.make_node("Concat", rows, ["output0"], axis=1))
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("images", image, [1, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info(name, image, shape) for name, shape in outputs],
        [onnx.numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {"names": repr(NAMES)})
    onnx.checker.check_model(model)
    data: bytes = model.SerializeToString()
    return data


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "tiny_detect.onnx").write_bytes(make(segment=False))
    (FOLDER / "tiny_segment.onnx").write_bytes(make(segment=True))
