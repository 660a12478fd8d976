"""What every benchmark prints: the commit, the machine, the JSON document."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent


def commit_id() -> str | None:
    """Return the commit, ``-dirty`` when tracked files differ from it; ``None`` outside git."""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return described.stdout.strip()


def machine() -> str:
    """Return processor, number of usable cores, system and Python version, without the host's name."""
    cores = len(os.sched_getaffinity(0))
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{_processor()}, {cores} cores, {platform.system()} {platform.release()}, {python}"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() in {"model name", "Model"} and value.strip():
                return value.strip()
    return platform.processor() or platform.machine()


def case(
    name: str,
    *,
    metric: str,
    unit: str,
    ours: float,
    peers: Mapping[str, float | None],
    spread: Sequence[float],
) -> dict[str, Any]:
    """Return one case of a document.

    Parameters
    ----------
    ours
        The median over rounds.
    peers
        The same of others, measured interleaved in the same run.
    spread
        Lowest and highest of ours over rounds.

    Returns
    -------
    dict
        With ``ratio``: ours divided by the peer's, ``None`` where the peer is absent.
    """
    ratio = {peer: None if theirs is None or theirs == 0 else ours / theirs for peer, theirs in peers.items()}
    return {
        "case": name,
        "metric": metric,
        "unit": unit,
        "ours": ours,
        "peers": dict(peers),
        "ratio": ratio,
        "spread": [min(spread), max(spread)],
    }


def document(name: str, *, rounds: int, cases: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the document of one benchmark."""
    return {
        "name": name,
        "commit": commit_id(),
        "machine": machine(),
        "rounds": rounds,
        "cases": [dict(each) for each in cases],
    }


def emit(result: Mapping[str, Any], *, as_json: bool, output: Path | None) -> None:
    """Print a document, as JSON or as a table, and write its JSON to *output* in one step."""
    text = json.dumps(result, indent=2, ensure_ascii=False) + "\n"
    if output is not None:
        partial = output.with_name(f".{output.name}.part")
        partial.write_text(text, encoding="utf-8")
        partial.replace(output)
    if as_json:
        sys.stdout.write(text)
        return
    print(f"{result['name']}  {result['commit']}  {result['machine']}  {result['rounds']} rounds")
    for each in result["cases"]:
        low, high = each["spread"]
        peers = "  ".join(
            f"{peer} {'absent' if value is None else f'{value:.3g}'}" for peer, value in each["peers"].items()
        )
        print(f"{each['case']:<44} {each['ours']:.3g} {each['unit']} ({low:.3g}-{high:.3g})  {peers}")
