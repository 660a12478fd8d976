"""Judge the result of ``serayu demo``: nothing lost, nothing doubled, the alerts raised that must be, and told."""

import json
import sys
from pathlib import Path
from typing import Any

# The demo's storm: at least so many stations reach Siaga 2 (or worse), and so many Siaga 1.
SIAGA_2, SIAGA_1 = 3, 1
DEATHS = 2
REGISTERS = ("id", "en", "jv-banyumas")
POSITION_M = 6.0  # the rendered flight's GNSS errs by 1.5 m on each axis, drifting: four standard deviations


def faults(result: dict[str, Any]) -> list[str]:
    """Return what is wrong with the demo's result; nothing when all is well."""
    found = [f"{key} is {result[key]}, not 0" for key in ("lost", "duplicates") if result[key] != 0]
    if not 0 < result["stored"] == result["published"] - result["rejected"]:
        found.append(f"stored {result['stored']} of {result['published']}, {result['rejected']} rejected")
    reached = {
        station: {str(change["to"]) for change in changes} for station, changes in result["alerts"].items()
    }
    worst = sum("awas" in levels for levels in reached.values())
    severe = sum(bool(levels & {"siaga", "awas"}) for levels in reached.values())
    if severe < SIAGA_2 or worst < SIAGA_1:
        found.append(f"{severe} stations reached Siaga 2 and {worst} Siaga 1: {reached}")
    return [*found, *warning_faults(result["warnings"]), *survey_faults(result["survey"])]


def warning_faults(warnings: dict[str, Any] | None) -> list[str]:
    """Return what is wrong with the warnings of the demo's result."""
    if not warnings:
        return ["no warnings"]
    hook, cap, up = warnings["webhook"], warnings["cap"], warnings["escalation"]
    worst = warnings["worst"] or {"texts": {}, "impact": {"areas": []}}
    crossed = [one for one in warnings["lead"] if one["crossed"] is not None]
    ahead = [one for one in crossed if one["lead_min"] is not None]
    wrong = {
        "a bulletin is no exercise": warnings["statuses"] != ["Exercise"],
        "no limit was crossed": not crossed,
        "most levels had no lead": 2 * len(ahead) <= len(crossed),
        "not every CAP document is valid": not 0 < cap["fetched"] == cap["valid"],
        "a CAP status is no exercise": cap["statuses"] != ["Exercise"],
        "the Atom feed is not valid, or empty": not cap["feed_valid"] or cap["feed_entries"] == 0,
        "webhooks are missing": bool(hook["missing"]),
        "deliveries came to nothing": hook["arrived"] != hook["deliveries"],
        "a signature was bad": hook["bad_signatures"] != 0,
        "a duplicate was not marked": hook["duplicates_unmarked"] != 0,
        "the receiver did not die twice": hook["receiver_ends"] < DEATHS,
        "nothing came twice": hook["duplicates"] == 0,
        "the public was told of an exercise": hook["to_public"] != 0,
        "nothing was escalated": up["moved_on"] == 0 or up["chief_told"] == 0,
        "there is no worst bulletin": not warnings["worst"],
        "the worst bulletin lacks a register": not set(REGISTERS) <= set(worst["texts"]),
        "the worst bulletin reaches no area": not worst["impact"]["areas"],
    }
    return [f"warnings: {fault}" for fault, is_so in wrong.items() if is_so]


def survey_faults(survey: dict[str, Any] | None) -> list[str]:
    """Return what is wrong with the survey of the demo's result. How long it took is shown, not judged."""
    if not survey:
        return ["no survey"]
    error_m = survey["position_error_median_m"]
    given = survey["given_boxes"]
    wrong = {
        "nothing was published": survey["published"] == 0,
        "the api does not give back what was published": survey["fetched"] != survey["published"]
        or survey["findings"] != survey["published"]
        or bool(survey["unlike"]),
        "the same bundle was published anew": survey["again"],
        "no finding is of a real thing": survey["matched"] == 0,
        "the position is off": error_m is not None and not 0 <= error_m <= POSITION_M,
        "given boxes were lost": given and survey["recall"] != 1.0,
        "given boxes gave something that is not there": given and survey["precision"] != 1.0,
        "given boxes gave one thing twice": given and survey["duplicates"] != 0,
        "given boxes are not told": given and not survey["note"],
        "it lasted no time": not survey["seconds"] > 0,
    }
    return [f"survey: {fault}" for fault, is_so in wrong.items() if is_so]


if __name__ == "__main__":
    problems = faults(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    sys.exit("\n".join(problems) if problems else 0)
