"""The judge of the demonstration's result: what it must not let pass."""

import copy
import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
GOOD: dict[str, Any] = {
    "lost": 0,
    "duplicates": 0,
    "rejected": 0,
    "stored": 10,
    "published": 10,
    "alerts": {name: [{"to": "siaga"}, {"to": "awas"}] for name in "abc"},
    "warnings": {
        "statuses": ["Exercise"],
        "lead": [{"crossed": "2026-01-10T05:00:00Z", "lead_min": 12.0}],
        "cap": {
            "fetched": 3,
            "valid": 3,
            "statuses": ["Exercise"],
            "feed_valid": True,
            "feed_entries": 1,
        },
        "webhook": {
            "deliveries": 3,
            "arrived": 3,
            "missing": [],
            "bad_signatures": 0,
            "duplicates": 1,
            "duplicates_unmarked": 0,
            "receiver_ends": 2,
            "to_public": 0,
        },
        "escalation": {"moved_on": 1, "chief_told": 1},
        "worst": {"texts": {"id": {}, "en": {}, "jv-banyumas": {}}, "impact": {"areas": [{}]}},
    },
    "survey": {
        "findings": 7,
        "published": 7,
        "fetched": 7,
        "unlike": [],
        "again": False,
        "given_boxes": True,
        "note": "kotak diberikan",
        "matched": 7,
        "recall": 1.0,
        "precision": 1.0,
        "duplicates": 0,
        "position_error_median_m": 1.4,
        "seconds": 31.0,
    },
}


@pytest.fixture(name="judge", scope="module")
def _judge() -> ModuleType:
    spec = importlib.util.spec_from_file_location("judge_demo", ROOT / ".ci" / "judge_demo.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_good_result_has_no_faults(judge: ModuleType) -> None:
    assert judge.faults(GOOD) == []


def test_a_detector_may_miss_and_err(judge: ModuleType) -> None:
    found = {
        "given_boxes": False,
        "note": None,
        "matched": 3,
        "recall": 0.4,
        "precision": 0.6,
        "duplicates": 1,
    }
    assert judge.faults(GOOD | {"survey": GOOD["survey"] | found}) == []


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda one: one.update(lost=1), "lost is 1"),
        (lambda one: one.update(warnings=None), "no warnings"),
        (lambda one: one["warnings"].update(lead=[]), "no limit was crossed"),
        (lambda one: one["warnings"]["lead"][0].update(lead_min=None), "most levels had no lead"),
        (lambda one: one["warnings"]["cap"].update(valid=2), "not every CAP document"),
        (lambda one: one["warnings"]["cap"].update(statuses=["Actual"]), "a CAP status"),
        (lambda one: one["warnings"]["cap"].update(feed_valid=False), "the Atom feed"),
        (lambda one: one["warnings"]["webhook"].update(missing=["b"]), "webhooks are missing"),
        (lambda one: one["warnings"]["webhook"].update(arrived=1), "came to nothing"),
        (lambda one: one["warnings"]["webhook"].update(bad_signatures=1), "a signature was bad"),
        (lambda one: one["warnings"]["webhook"].update(duplicates=0), "nothing came twice"),
        (lambda one: one["warnings"]["webhook"].update(receiver_ends=1), "did not die twice"),
        (lambda one: one["warnings"]["webhook"].update(duplicates_unmarked=1), "not marked"),
        (lambda one: one["warnings"]["webhook"].update(to_public=1), "the public"),
        (lambda one: one["warnings"]["escalation"].update(chief_told=0), "nothing was escalated"),
        (lambda one: one["warnings"]["worst"]["texts"].pop("jv-banyumas"), "lacks a register"),
        (lambda one: one["warnings"]["worst"]["impact"].update(areas=[]), "reaches no area"),
        (lambda one: one["warnings"].update(worst=None), "no worst bulletin"),
        (lambda one: one["warnings"].update(statuses=["Actual"]), "a bulletin is no exercise"),
        (lambda one: one.update(survey=None), "no survey"),
        (lambda one: one["survey"].update(findings=0, published=0, fetched=0), "nothing was published"),
        (lambda one: one["survey"].update(fetched=6), "the api does not give back"),
        (lambda one: one["survey"].update(unlike=["a", "b"]), "does not give back what"),
        (lambda one: one["survey"].update(again=True), "published anew"),
        (lambda one: one["survey"].update(matched=0), "no finding is of a real thing"),
        (lambda one: one["survey"].update(position_error_median_m=40.0), "the position is off"),
        (lambda one: one["survey"].update(recall=0.9), "given boxes were lost"),
        (lambda one: one["survey"].update(precision=0.9), "something that is not there"),
        (lambda one: one["survey"].update(duplicates=1), "one thing twice"),
        (lambda one: one["survey"].update(note=None), "not told"),
    ],
)
def test_each_fault_is_found(judge: ModuleType, spoil: Callable[[dict[str, Any]], None], words: str) -> None:
    result = copy.deepcopy(GOOD)
    spoil(result)
    assert any(words in fault for fault in judge.faults(result))
