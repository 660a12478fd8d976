"""What is kept of a survey, and what workers send, is of one detector: its threshold and scale count like its bytes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from serayu.models.errors import BadInputError
from serayu.vision.imagery import Unit
from serayu.vision.survey import recipe as module
from serayu.vision.survey.cluster import looked
from serayu.vision.survey.recipe import Recipe
from tests.vision.runtime.pictures import shelf
from tests.vision.survey.pictures import FlatFolder


@pytest.fixture(autouse=True)
def _no_detectors_of_other_tests() -> Iterator[None]:
    yield
    module._finder.cache_clear()


def _base(folder: Path, monkeypatch: pytest.MonkeyPatch, **changes: object) -> str:
    """Return what kept results are of, with a manifest that says so, in a process that has just begun."""
    monkeypatch.setenv("SERAYU_VISION_WEIGHTS", str(shelf(folder, **changes)))
    module._finder.cache_clear()
    return Recipe(FlatFolder(folder), weights=("tiny",), precision="fp32").base(dem=None)


@pytest.mark.parametrize(
    "changes",
    [
        {"threshold": 0.61},
        {"gsd_mm": 11.0},
        {"gsd_range_mm": [5.0, 20.0]},
        {"tile_px": 80},
        {"margin_px": 8},
        {"also_gsd_mm": [40.0]},
        {"also_gsd_mm": [40.0], "also_threshold": 0.7},
        {"classes": ["patch_repair", "pothole"]},
    ],
    ids=str,
)
def test_results_are_not_kept_where_the_manifest_says_otherwise_of_the_same_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    before = _base(tmp_path, monkeypatch)
    assert _base(tmp_path, monkeypatch, **changes) != before
    assert _base(tmp_path, monkeypatch, threshold_source="told otherwise", card="new.md") == before


def test_a_worker_that_would_look_otherwise_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _base(tmp_path, monkeypatch)
    recipe = Recipe(FlatFolder(tmp_path), weights=("tiny",), precision="fp32")
    here = recipe.finder().key
    assert "openvino-fp32" in here
    with pytest.raises(BadInputError, match=r"a worker would look with tiny .*; give --precision fp32"):
        looked(Unit("a.jpg", tmp_path / "a.jpg"), recipe, expected=here.replace("fp32", "bf16"))
