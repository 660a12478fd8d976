"""``serayu flood backtest`` on an invented chain, with a forecaster of the simplest kind in place of the real ones."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from serayu.models.flood import backtest as backtest_module
from serayu.models.flood.frame import FloatArray, Frame, IntArray
from serayu.models.flood.model import Prediction
from serayu.standalone.flood_cli import app
from tests.flood.chain import write_chain

LEVELS = np.array([0.1, 0.5, 0.9])
SCORES = {"hits", "misses", "false_alarms", "pod", "far", "csi", "lead_median_min", "lead_p10_min"}


@dataclass
class Persistent:
    """Says "as it is now", 0.2 m up or down an hour."""

    horizons_h: tuple[float, ...]
    fit_frame: Frame
    fit_rows: IntArray
    notes: Sequence[str] = ()

    @property
    def method(self) -> Mapping[float, str]:
        return dict.fromkeys(self.horizons_h, "persistence")

    @property
    def shown(self) -> Mapping[float, bool]:
        return dict.fromkeys(self.horizons_h, False)

    @property
    def out_of_fold(self) -> Prediction:
        return self.predict(self.fit_frame, self.fit_rows)

    @property
    def out_of_fold_highest(self) -> Prediction:
        return self.out_of_fold

    def predict(self, frame: Frame, rows: IntArray) -> Prediction:
        mean = np.repeat(frame.level[rows][:, np.newaxis], len(self.horizons_h), axis=1)
        spread = np.array([-0.2, 0.0, 0.2]) * np.array(self.horizons_h)[:, np.newaxis]
        quantiles: FloatArray = mean[:, :, np.newaxis] + spread
        return Prediction(horizons_h=self.horizons_h, mean=mean, probabilities=LEVELS, quantiles=quantiles)

    def predict_both(self, frame: Frame, rows: IntArray) -> tuple[Prediction, Prediction]:
        return self.predict(frame, rows), self.predict(frame, rows)


@pytest.fixture(name="chain", scope="module")
def _chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chain")
    write_chain(folder, seed=3, kind="rain", years=1.0)
    return folder


@pytest.fixture(name="folder")
def _folder(chain: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def fit(frame: Frame, fit_rows: IntArray, horizons_h: Sequence[float]) -> Persistent:
        assert fit_rows[-1] + frame.rows_of(max(horizons_h)) < len(
            frame
        )  # truth of every row in the fit part
        return Persistent(tuple(horizons_h), frame, fit_rows)

    monkeypatch.setattr(backtest_module, "fit_post", fit)
    return chain


def _arguments(folder: Path, *more: str) -> list[str]:
    files = ["--stations", str(folder / "stations.csv"), "--series", str(folder / "series.csv.gz")]
    return ["backtest", *files, "--fit-until", "2021-09-01T00:00:00Z", "--horizons", "1,6", *more]


def test_the_document_has_every_key_that_was_promised(folder: Path) -> None:
    result = CliRunner().invoke(app, _arguments(folder, "--upstream", str(folder / "up.toml"), "--json"))
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert set(document["stations"]) == {"CH-HULU", "CH-TENGAH", "CH-HILIR"}
    post = document["stations"]["CH-HILIR"]
    assert (post["variable"], post["unit"], post["fit_until"]) == ("stage", "m", "2021-09-01T00:00:00Z")
    assert post["upstream"] == ["CH-TENGAH", "CH-HULU"]
    assert len(post["rain"]) == 5
    hour = post["horizons"]["6"]
    assert {"n", "nse", "kge", "pi", "coverage_80", "shown"} <= set(hour)
    assert hour["n"] > 2000
    assert hour["pi"] == 0.0
    assert hour["baselines"]["persistence"]["nse"] == hour["nse"]
    assert set(hour["baselines"]) == {"persistence", "trend"}
    assert list(post["levels"]) == ["alert", "alarm", "critical"]
    level = post["levels"]["alert"]
    assert level["threshold_source"] == "official"
    assert level["events"] > 0
    for rule in (level["warning"], *level["baselines"].values()):
        assert set(rule) >= SCORES
        assert rule["hits"] + rule["misses"] == level["events"]
    assert document["stations"]["CH-HULU"]["levels"]["alert"]["baselines"]["upstream_threshold"] == {}
    assert document["skipped"] == []


def test_a_file_gets_the_document_and_people_a_table(folder: Path) -> None:
    file = folder / "out.json"
    result = CliRunner().invoke(app, _arguments(folder, "--output", str(file)))
    assert result.stdout == ""
    assert result.stderr == f"{file}: 3 pos diuji · posts tested, 0 dilewati · skipped\n"
    assert set(json.loads(file.read_text())) == {"stations", "skipped"}
    table = CliRunner().invoke(app, _arguments(folder)).stdout
    assert "threshold_only" in table
    assert "not shown" in table


def test_a_post_without_a_fit_part_is_left_out_with_the_reason(folder: Path) -> None:
    arguments = _arguments(folder, "--json")
    arguments[arguments.index("--fit-until") + 1] = "2021-01-02T00:00:00Z"
    document = json.loads(CliRunner().invoke(app, arguments).stdout)
    assert document["stations"] == {}
    assert {each["station"] for each in document["skipped"]} == {"CH-HULU", "CH-TENGAH", "CH-HILIR"}


@pytest.mark.parametrize(
    ("option", "value", "word"),
    [
        ("--fit-until", "soon", "--fit-until"),
        ("--horizons", "0,3", "--horizons"),
        ("--horizons", "three", "--horizons"),
        ("--stations", "nowhere.csv", "nowhere.csv"),
        ("--series", ".", "is a folder"),
    ],
)
def test_bad_input_exits_2_in_one_line(folder: Path, option: str, value: str, word: str) -> None:
    arguments = _arguments(folder)
    arguments[arguments.index(option) + 1] = value
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert word in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_an_unknown_post_upstream_exits_2(folder: Path) -> None:
    links = folder / "wrong.toml"
    links.write_text('[stations."CH-HILIR"]\nupstream = ["CH-LOST"]\n', encoding="utf-8")
    result = CliRunner().invoke(app, _arguments(folder, "--upstream", str(links)))
    assert result.exit_code == 2
    assert "CH-LOST" in result.stderr
