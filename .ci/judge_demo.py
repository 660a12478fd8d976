"""Judge the result of ``serayu demo``: nothing lost, nothing doubled, the alerts raised that must be."""

import json
import sys
from pathlib import Path
from typing import Any

# The demo's storm: at least so many stations reach Siaga 2 (or worse), and so many Siaga 1.
SIAGA_2, SIAGA_1 = 3, 1


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
    return found


if __name__ == "__main__":
    problems = faults(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    sys.exit("\n".join(problems) if problems else 0)
