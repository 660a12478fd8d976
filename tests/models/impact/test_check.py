import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from serayu.models.region_check import check_region
from serayu.standalone.cli import app
from tests.models.impact.conftest import MADE, Write, box, feature

BANYUMAS = Path(__file__).parents[3] / "regions" / "banyumas"


def test_banyumas_has_a_zone_for_each_post_and_level_and_says_that_all_are_invented() -> None:
    report = check_region(BANYUMAS)
    assert report.impact_layers["flood_zones"] == 33
    assert len(report.invented_zones) == report.posts_with_limits == 11
    assert all("zone" not in line for line in report.warnings)
    assert all(report.impact_layers.values())


@pytest.mark.usefixtures("villages")
def test_zones_that_lack_or_shrink_are_warned_of(folder: Path, write: Write) -> None:
    assert not [line for line in check_region(folder).warnings if "zone" in line], (
        "no impact layers: no lines"
    )
    write(
        "flood_zones",
        [
            feature(box(0, -5, 20, 5), station="hulu", level="waspada", **MADE),
            feature(box(0, -5, 10, 5), station="hulu", level="siaga", **MADE),
            feature(box(0, -9, 20, 9), station="hulu", level="awas", **MADE),
        ],
    )
    report = check_region(folder)
    assert [line for line in report.warnings if "zone" in line] == [
        "hulu: the zone of waspada reaches beyond that of siaga",
        "hilir: no flood zone for waspada, siaga, awas",
    ]
    assert (report.invented_zones, report.impact_layers["people"], report.impact_layers["ruas"]) == (
        [],
        3,
        None,
    )


def test_the_command_names_a_bad_feature_and_ends_with_2(folder: Path, write: Write) -> None:
    write("flood_zones", [feature(box(0, 0, 1, 1), station="hulu", level="siaga", source="uji")])
    result = CliRunner().invoke(app, ["region", "check", str(folder)])
    assert result.exit_code == 2
    assert "flood_zones.geojson, row 1: Object missing required field `invented`" in result.stderr


def test_the_command_tells_the_layers(folder: Path) -> None:
    result = CliRunner().invoke(app, ["region", "check", str(folder), "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout)["impact_layers"]["flood_zones"] is None
