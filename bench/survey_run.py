"""Flights to survey that are rendered here, and one survey in a process of its own with what it took."""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.common import ROOT
from serayu.vision.flight.plan import FlightNoise
from serayu.vision.flight.render import render_flight

__all__ = ["FINE", "LARGE", "Made", "Ran", "exact", "made", "noisy", "ran", "survey_command"]

ROADS = ROOT / "regions" / "banyumas" / "ruas.geojson"
OVERLAP = 0.7
_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Made:
    """A flight to render.

    Parameters
    ----------
    name
        Of its folder.
    seed
        Of its scene.
    noise
        Of the recorded poses; None for the renderer's own: 1.5 m GNSS, 2° heading, 0.5° tilt, 0.5 m height.
    gsd_mm, height_m, size_px, per_100_m, landslide
        As :func:`serayu.vision.flight.render.render_flight` has them.
    """

    name: str
    seed: int
    noise: FlightNoise | None = None
    gsd_mm: float = 8.0
    height_m: float = 30.0
    size_px: tuple[int, int] = (1600, 1200)
    per_100_m: float = 28.0
    landslide: bool = True


def exact(name: str = "exact") -> Made:
    """Return a flight whose recorded poses are true."""
    return Made(name, seed=5, noise=FlightNoise.none())


def noisy(name: str = "noisy") -> Made:
    """Return a flight whose recorded poses are wrong as a small drone's are."""
    return Made(name, seed=6)


LARGE = Made("large", seed=7, size_px=(5472, 3648), landslide=False)
"""Photos of 20 megapixels, a one-inch sensor's."""

FINE = Made(
    "fine",
    seed=8,
    noise=FlightNoise.none(),
    gsd_mm=1.0,
    height_m=5.0,
    size_px=(4000, 3000),
    per_100_m=60.0,
    landslide=False,
)
"""The only one fine enough for the width of cracks."""


def made(flight: Made, folder: Path, *, photos: int) -> Path:
    """Render a flight into a folder of its name, unless it is there already, and return that."""
    place = folder / flight.name
    if not place.is_dir():
        render_flight(
            place,
            road=ROADS,
            seed=flight.seed,
            photos=photos,
            gsd_mm=flight.gsd_mm,
            overlap=OVERLAP,
            height_m=flight.height_m,
            size_px=flight.size_px,
            noise=flight.noise,
            per_100_m=flight.per_100_m,
            landslide=flight.landslide,
        )
    return place


@dataclass(frozen=True, slots=True)
class Ran:
    """What a survey told and took.

    Parameters
    ----------
    told
        Its JSON document.
    wall_s, cpu_s
        Of the process and those that it started and waited for.
    peak_mb
        Largest memory of the process: the kernel's high-water mark, read five times a second. (What ``wait4`` tells
        would count the memory of the process that started it.)
    peak_all_mb
        Largest sum over it and all it started, looked at as often; pages they share count twice.
    """

    told: dict[str, Any]
    wall_s: float
    cpu_s: float
    peak_mb: int
    peak_all_mb: int


def survey_command(*options: str) -> list[str]:
    """Return ``serayu vision survey`` with options, in this interpreter."""
    program = [sys.executable, "-c", "from serayu.standalone.cli import main; main()"]
    return [*program, "vision", "survey", *options, "--json"]


def ran(command: list[str]) -> Ran:
    """Run a survey, as a person would.

    Raises
    ------
    SystemExit
        It failed; says what it said.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as error:
        began = time.monotonic()
        going = subprocess.Popen(command, stdout=out, stderr=error)
        most = peak = 0
        while True:
            pid, status, usage = os.wait4(going.pid, os.WNOHANG)
            if pid:
                break
            peak = max(peak, _high_water(going.pid))
            most = max(most, _resident(going.pid))
            time.sleep(_POLL_S)
        wall_s = time.monotonic() - began
        going.returncode = os.waitstatus_to_exitcode(status)
        if going.returncode:
            error.seek(0)
            raise SystemExit(error.read().decode(errors="replace"))
        out.seek(0)
        told: dict[str, Any] = json.loads(out.read())
    return Ran(told, wall_s, usage.ru_utime + usage.ru_stime, round(peak / 1e6), round(max(most, peak) / 1e6))


def _high_water(pid: int) -> int:
    """Return the most bytes that a process had in memory so far; 0 once it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


def _resident(root: int) -> int:
    """Return the bytes in memory of a process and all that it started."""
    parents, pages = {}, {}
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                fields = (place / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue  # it ended meanwhile
            parents[int(place.name)], pages[int(place.name)] = int(fields[1]), int(fields[21])
    family, grown = {root}, True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in family} - family
        family |= more
        grown = bool(more)
    return sum(pages.get(pid, 0) for pid in family) * os.sysconf("SC_PAGE_SIZE")
