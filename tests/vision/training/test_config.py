"""A training's TOML: what ships can be read, and every wrong value is named."""

from pathlib import Path

import pytest

from serayu.models.errors import BadInputError
from serayu.vision.training.config import read_config, shipped_configs

GOOD = """
name = "road"
task = "detect"
classes = ["pothole", "patch_repair"]
holdout = 0.1
[[source]]
folder = "road"
split = "train"
licence = "CC0"
attribution = "us"
[[judge]]
name = "held"
[card]
title = "t"
purpose = "p"
limits = []
never = []
weights_licence = "CC0"
"""


@pytest.mark.parametrize("name", shipped_configs())
def test_what_ships_can_be_read_and_says_no_indonesian_imagery_was_in_training(name: str) -> None:
    config, fingerprint = read_config(Path(name))
    assert config.name == name
    assert len(fingerprint) == 64
    assert any("No Indonesian imagery was in training" in limit for limit in config.card.limits)
    assert all(source.licence and source.attribution for source in config.source)
    # A quarter turn would swap longitudinal and transverse cracks.
    assert "longitudinal_crack" not in config.classes or config.hyper.get("degrees", 0) <= 10


def test_research_only_pictures_make_weights_with_a_restriction() -> None:
    for name in shipped_configs():
        config, _ = read_config(Path(name))
        research = any("research" in source.licence for source in config.source)
        assert bool(config.card.restriction) == research, name


def test_the_baseline_has_the_pictures_size_rounds_and_judges_of_what_it_is_compared_with() -> None:
    road, _ = read_config(Path("road"))
    fine, _ = read_config(Path("road_fine"))
    plain, _ = read_config(Path("road_plain"))
    for field in (
        "classes",
        "size_px",
        "batch",
        "seed",
        "holdout",
        "judge",
        "model",
    ):
        assert getattr(road, field) == getattr(fine, field) == getattr(plain, field), field
    assert plain.epochs == road.epochs + fine.epochs
    assert not plain.hyper
    assert not plain.paste


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param(("", ""), None, id="as it is"),
        pytest.param(('split = "train"', 'split = "train"\nturns = 4'), "turns", id="unknown key"),
        pytest.param(('split = "train"', 'split = "train"\nkeep = ["rut"]'), "'rut'", id="class of no training"),
        pytest.param(('"patch_repair"]', '"pothole"]'), "twice", id="class twice"),
        pytest.param(("holdout = 0.1", "holdout = 0.0"), "holdout", id="judge without pictures"),
        pytest.param(("holdout = 0.1", "holdout = 0.9"), "holdout", id="too much kept back"),
        pytest.param(("holdout = 0.1", "size_px = 400"), "size_px", id="not a multiple of 32"),
        pytest.param(('name = "held"', 'name = "held"\nweight = 0'), "weights are 0", id="nobody judges"),
        pytest.param(("[card]", "[hyper]\nepochs = 3\n[card]"), "hyper.epochs", id="decided elsewhere"),
        pytest.param(("[card]", "[augment]\nzoom = [2.0, 0.5]\n[card]"), "smallest", id="zoom the wrong way"),
        pytest.param(("[card]", "[augment]\ntone_p = 1.5\n[card]"), "tone_p", id="probability above 1"),
        pytest.param(
            ('task = "detect"', 'task = "segment"\npaste = [{folder="", label="pothole", licence="", attribution=""}]'),
            "boxes only",
            id="cut-outs on masks",
        ),
        pytest.param(('task = "detect"', "task = "), "", id="not TOML"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named(tmp_path: Path, change: tuple[str, str], reason: str | None) -> None:
    file = tmp_path / "x.toml"
    file.write_text(GOOD.replace(*change))
    if reason is None:
        assert read_config(file)[0].epochs == 20
        return
    with pytest.raises(BadInputError) as caught:
        read_config(file)
    assert "x.toml" in str(caught.value)
    assert reason in str(caught.value)


def test_an_absent_file_tells_what_ships(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="landslide, masks, road"):
        read_config(tmp_path / "none.toml")
