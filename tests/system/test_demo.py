"""The whole chain on a storm of our own: agents, broker, ingest, alerts, API, in processes of their own."""

import json
import subprocess
import sys
from typing import Any

import pytest

RANKS = {"normal": 0, "waspada": 1, "siaga": 2, "awas": 3}


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The storm's wet part, three times as fast as `make demo` plays it."""
    folder = tmp_path_factory.mktemp("demo")
    argv = [sys.executable, "-m", "serayu.standalone", "demo", "--hours", "18", "--speed", "3600"]
    argv += [
        "--exit-when-done",
        "--json",
        "--output",
        str(folder / "out.json"),
        "--data",
        str(folder / "data"),
    ]
    # More than the demo itself waits for its survey.
    done = subprocess.run(argv, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    written: dict[str, Any] = json.loads((folder / "out.json").read_text("utf-8"))
    assert json.loads(done.stdout) == written
    return written


def test_every_accepted_reading_is_stored_once(outcome: dict[str, Any]) -> None:
    assert outcome["stations"] >= 20
    assert outcome["published"] > 20_000
    assert outcome["stored"] == outcome["published"]
    fates = {name: outcome[name] for name in ("lost", "duplicates", "rejected", "dead_letters")}
    assert fates == {"lost": 0, "duplicates": 0, "rejected": 0, "dead_letters": {}}


def test_the_storm_brings_three_posts_to_siaga_and_one_to_awas(outcome: dict[str, Any]) -> None:
    highest = {
        station: max(RANKS[one["to"]] for one in changes) for station, changes in outcome["alerts"].items()
    }
    assert sum(rank >= 2 for rank in highest.values()) >= 3
    assert sum(rank == 3 for rank in highest.values()) >= 1


def test_levels_rise_and_fall_in_order_without_flapping(outcome: dict[str, Any]) -> None:
    for station, changes in outcome["alerts"].items():
        assert changes[0]["from"] == "normal", station
        assert [one["from"] for one in changes[1:]] == [one["to"] for one in changes[:-1]], station
        ups = [RANKS[one["to"]] > RANKS[one["from"]] for one in changes]
        assert ups == sorted(ups, reverse=True), f"{station} rose again after it had fallen"
        assert changes[-1]["to"] == "normal", station


def test_latencies_are_measured_and_what_is_not_built_is_null(outcome: dict[str, Any]) -> None:
    assert outcome["latency_ms"]["commit"]["count"] == outcome["published"]
    assert outcome["latency_ms"]["alert"]["p99"] > 0
    assert [outcome[name] for name in ("work_orders", "detours")] == [None] * 2


def test_the_rendered_flight_is_surveyed_and_the_api_gives_its_findings_back(outcome: dict[str, Any]) -> None:
    survey = outcome["survey"]
    assert outcome["survey_absent"] is None
    assert (
        survey["findings"] == survey["published"] == survey["fetched"] == sum(survey["classes"].values()) > 0
    )
    assert survey["unlike"] == []
    assert not survey["again"], "the same bundle over the API makes nothing new"
    assert 0 <= survey["position_error_median_m"] < 6, "the flight's GNSS errs by 1.5 m on each axis"
    if survey["given_boxes"]:
        assert (survey["recall"], survey["precision"], survey["duplicates"]) == (1.0, 1.0, 0)
        assert survey["classes"]["landslide"] == 1


def test_most_levels_were_warned_of_before_the_crossing(outcome: dict[str, Any]) -> None:
    """At this speed a second of the machine is an hour of the storm, so what counts is the value that decided."""
    warnings = outcome["warnings"]
    crossed = [one for one in warnings["lead"] if one["crossed"] is not None]
    assert len(crossed) >= 8
    assert sum(one["real_speed_min"] is not None for one in crossed) > len(crossed) / 2
    assert all(one["lead_min"] > 0 for one in crossed if one["lead_min"] is not None)
    assert any(one["lead_min"] is not None for one in crossed)
    assert warnings["without_lead"] == sum(one["lead_min"] is None for one in crossed)


def test_every_bulletin_is_served_as_valid_cap_and_the_feed_is_valid(outcome: dict[str, Any]) -> None:
    cap, issued = outcome["warnings"]["cap"], outcome["warnings"]["issued"]
    assert cap["fetched"] == cap["valid"] == sum(issued.values()) > 0
    assert 0 < issued["Cancel"] <= issued["Alert"]
    assert cap["feed_valid"]
    assert cap["feed_entries"] > 0


def test_webhooks_arrive_while_the_receiver_is_killed_and_repetitions_are_known(
    outcome: dict[str, Any],
) -> None:
    hook = outcome["warnings"]["webhook"]
    assert hook["receiver_ends"] == 2
    assert hook["failed_attempts"] > 0
    assert hook["missing"] == []
    assert hook["arrived"] == hook["deliveries"]
    assert hook["duplicates"] >= 1
    assert (hook["duplicates_unmarked"], hook["bad_signatures"]) == (0, 0)


def test_nobody_acknowledges_so_the_chief_is_told_and_the_public_hears_no_exercise(
    outcome: dict[str, Any],
) -> None:
    warnings = outcome["warnings"]
    assert warnings["escalation"]["moved_on"] > 0
    assert warnings["escalation"]["chief_told"] > 0
    assert warnings["statuses"] == warnings["cap"]["statuses"] == ["Exercise"]
    assert warnings["webhook"]["to_public"] == 0


def test_the_worst_bulletin_is_there_in_three_registers_with_its_impact(outcome: dict[str, Any]) -> None:
    worst = outcome["warnings"]["worst"]
    assert worst["level"] == "awas"
    assert set(worst["texts"]) == {"id", "en", "jv-banyumas"}
    assert worst["texts"]["id"]["headline"].startswith("LATIHAN")
    assert worst["sms"]["id"].startswith("LATIHAN")
    assert len(worst["sms"]["id"]) <= 160
    assert worst["impact"]["people"] > 0
    assert worst["impact"]["areas"]
