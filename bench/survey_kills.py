"""Kill -9 surveys at moments spread over their whole course, resume them, and compare with an undisturbed one.

The moments lie evenly, each shifted by chance within its part, from the first picture that is done to the last
document. While pictures are looked at, a moment is so many pictures done (and some milliseconds), whatever else the
machine does; after the last one it is a part of the time that merging and writing took undisturbed. Several surveys
are killed so in turn, each further on every time, then let end.
"""

import filecmp
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["different", "killed"]

_SURVEYS = 4
_POLL_S = 0.005


@dataclass(frozen=True, slots=True)
class _Moment:
    """So many pictures done, and so many seconds more."""

    done: int
    seconds: float


def killed(
    command: Sequence[str],
    calm: Path,
    scratch: Path,
    *,
    kills: int,
    seed: int,
    start_s: float,
    look_s: float,
    finish_s: float,
) -> dict[str, Any]:
    """Return where kills fell and which files differ from those of the undisturbed survey in *calm*.

    Parameters
    ----------
    command
        Survey, without ``--out``.
    calm
        Output of the same command, undisturbed.
    scratch
        Folder for the killed ones.
    kills, seed
        How many, and the seed of their moments.
    start_s, look_s, finish_s
        Seconds that the undisturbed one took to start, looked at pictures, and then merged and wrote.
    """
    units = len(list((calm / ".work").glob("*.result")))
    moments = list(_moments(kills, units, seed=seed, look_s=look_s, finish_s=finish_s))
    fell: list[dict[str, Any]] = []
    unlike: set[str] = set()
    for number in range(min(_SURVEYS, kills)):
        out = scratch / f"killed{number}"
        fell.extend(
            _kill([*command, "--out", str(out)], out, moment, start_s=start_s)
            for moment in moments[number :: min(_SURVEYS, kills)]
        )
        subprocess.run([*command, "--out", str(out)], check=True, capture_output=True)
        unlike.update(different(calm, out))
    return {
        "kills": sum(one["killed"] for one in fell),
        "pictures": units,
        "pictures_done_at_each": sorted(one["done"] for one in fell if one["killed"]),
        "while_looking": sum(one["killed"] and one["done"] < units for one in fell),
        "while_merging": sum(one["killed"] and one["done"] == units and not one["writing"] for one in fell),
        "while_writing": sum(one["killed"] and one["writing"] for one in fell),
        "surveys": min(_SURVEYS, kills),
        "files_each": sum(1 for file in calm.rglob("*") if file.is_file() and ".work" not in file.parts),
        "different_files": sorted(unlike),
    }


def _moments(kills: int, units: int, *, seed: int, look_s: float, finish_s: float) -> Iterator[_Moment]:
    chance = random.Random(seed)  # noqa: S311 -- moments, not secrets
    for number in range(kills):
        at_s = (number + chance.random()) / kills * (look_s + finish_s)
        if at_s < look_s:
            done = 1 + int(at_s / look_s * (units - 1))
            yield _Moment(done, chance.uniform(0, look_s / units))
        else:
            yield _Moment(units, at_s - look_s)


def _kill(command: Sequence[str], out: Path, moment: _Moment, *, start_s: float) -> dict[str, Any]:
    """Run a survey until its moment; one that ends before is run again, with half the delay."""
    seconds = moment.seconds
    while True:
        # What was done before is passed over: then the moment comes after the start of the interpreter.
        begins = start_s if _done(out) >= moment.done else 0.0
        going = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while going.poll() is None and _done(out) < moment.done:
            time.sleep(_POLL_S)
        until = time.monotonic() + begins + seconds
        while going.poll() is None and time.monotonic() < until:
            time.sleep(_POLL_S)
        if going.poll() is None:
            os.kill(going.pid, signal.SIGKILL)
            going.wait()
            return {"killed": True, "done": _done(out), "writing": _written(out)}
        if seconds < _POLL_S:
            return {"killed": False, "done": _done(out), "writing": True}
        seconds /= 2


def _done(out: Path) -> int:
    return len(list((out / ".work").glob("*.result"))) if out.is_dir() else 0


def _written(out: Path) -> bool:
    """Return whether any picture or document is there: merging is over."""
    return out.is_dir() and any(file.name != ".work" for file in out.iterdir())


def different(one: Path, two: Path) -> list[str]:
    """Return the documents and pictures that differ by a byte, or that only one has."""
    names = {
        str(file.relative_to(folder))
        for folder in (one, two)
        for file in folder.rglob("*")
        if file.is_file() and ".work" not in file.parts
    }
    return sorted(
        name
        for name in names
        if not ((one / name).is_file() and (two / name).is_file())
        or not filecmp.cmp(one / name, two / name, shallow=False)
    )
