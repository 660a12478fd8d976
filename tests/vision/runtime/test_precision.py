"""Which numbers a network computes with where nobody says so: the faster ones of this machine, found by timing."""

from pathlib import Path

import numpy as np
import pytest

from serayu.models.errors import BadInputError
from serayu.vision.runtime import openvino_network
from serayu.vision.runtime.network import Precision

HERE = Path("road.onnx")
INT8 = Path("road-int8.xml")
ALL = {"FP32", "BF16", "INT8"}


@pytest.mark.parametrize(
    ("asked", "able", "pays", "int8", "expected"),
    [
        pytest.param("auto", ALL, True, None, "bf16", id="bf16 where it pays"),
        pytest.param(
            "auto", ALL, False, None, "fp32", id="fp32 where the processor names bf16 and is slow at it"
        ),
        pytest.param("auto", ALL, True, INT8, "int8", id="int8 where there is a file"),
        pytest.param("auto", {"FP32"}, False, INT8, "fp32", id="a processor without int8"),
        pytest.param("bf16", ALL, False, None, "bf16", id="what is asked for is done, slow or not"),
        pytest.param("fp32", ALL, True, INT8, "fp32", id="fp32 beside an int8 file"),
    ],
)
def test_precision(
    monkeypatch: pytest.MonkeyPatch,
    asked: str,
    able: set[str],
    pays: bool,  # noqa: FBT001
    int8: Path | None,
    expected: str,
) -> None:
    monkeypatch.setattr(openvino_network, "_bf16_pays", lambda: pays)
    found = openvino_network._usable(Precision(asked), able=able, int8_file=int8, file=HERE)
    assert found is Precision(expected)


@pytest.mark.parametrize("asked", [Precision.BF16, Precision.INT8])
def test_what_is_not_possible_is_refused(asked: Precision) -> None:
    with pytest.raises(BadInputError):
        openvino_network._usable(asked, able={"FP32"}, int8_file=None, file=HERE)


def test_the_probe_computes_with_ordinary_numbers_and_answers_once() -> None:
    import openvino  # noqa: PLC0415 - heavy

    model = openvino_network._convolutions()
    compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    shown = compiled(np.ones(openvino_network._PROBE_SHAPE, dtype=np.float32))[0]
    assert shown[0, :, 4:-4, 4:-4] == pytest.approx(
        1.0, abs=1e-5
    )  # away from the edges: no denormals, no overflow
    openvino_network._bf16_pays.cache_clear()
    assert openvino_network._bf16_pays() is openvino_network._bf16_pays()
    assert openvino_network._bf16_pays.cache_info().misses == 1
