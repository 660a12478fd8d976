"""One rendered flight, surveyed and published: a process of its own, at a lower priority.

``python -m serayu.standalone.drone.fly FOLDER REGION DATA START PHOTOS`` makes ``flight``, ``survey`` and, at its end,
`RESULT_FILE` in FOLDER. START is the time of the first photo, RFC 3339. What waits for the network and for the clock
of the storm leaves it time enough: alerts must not wait for pictures.
"""

import contextlib
import os
import resource
import sys
import time
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import msgspec

from serayu.models.command import json_text, write_atomically
from serayu.models.parent import leave_with_parent

__all__ = ["RESULT_FILE", "ROADS_FILE", "Flown"]

RESULT_FILE, ROADS_FILE = "flown.json", "ruas.geojson"
PER_100_M = 45.0  # defects asked for: a bad road, so that a few metres of it show every class [invented]
STEP_M = 2.88  # between photos: 1,200 px of 8 mm, of which the next photo shows 70 % again
NICE = 5
"""A third of the usual weight: the storm's processes go first, and a busy machine still lets the survey finish."""


class Flown(msgspec.Struct, frozen=True, kw_only=True):
    """What the process did.

    Parameters
    ----------
    missing
        Package without which nothing was done; None: all was.
    survey, detector, photos, findings, classes, segments
        As ``survey.json`` and the publication say.
    sought
        Classes that detectors looked for.
    given
        Classes whose boxes, those of the truth, were given for want of a detector.
    ruas, km_from, km_to
        What was flown over.
    things, matched, duplicates, recall, precision, position_error_median_m
        See `serayu.standalone.drone.truth.Judged`.
    render_s, survey_s, publish_s, cpu_s
        Seconds; the last of the processor, over all.
    """

    missing: str | None = None
    survey: str = ""
    detector: str = ""
    photos: int = 0
    findings: int = 0
    segments: int = 0
    classes: dict[str, int] = {}
    sought: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    ruas: str = ""
    km_from: float = 0.0
    km_to: float = 0.0
    things: int = 0
    matched: int = 0
    duplicates: int = 0
    recall: float | None = None
    precision: float | None = None
    position_error_median_m: float | None = None
    render_s: float = 0.0
    survey_s: float = 0.0
    publish_s: float = 0.0
    cpu_s: float = 0.0


def main() -> None:
    """Fly, survey, publish, and write the result."""
    folder, region, data, start, photos = sys.argv[1:]
    leave_with_parent()
    step_back()
    try:
        flown = _fly(Path(folder), Path(region), Path(data), datetime.fromisoformat(start), int(photos))
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "serayu":
            raise
        flown = Flown(missing=error.name)
    write_atomically(Path(folder) / RESULT_FILE, json_text(flown))


def step_back() -> None:
    """Let others go first; also where the kernel shares time among sessions first (`sched_autogroup`)."""
    os.nice(NICE)
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(NICE), encoding="ascii")


def _fly(folder: Path, region: Path, data: Path, start: datetime, photos: int) -> Flown:
    from serayu.standalone.drone.eyes import helped, installed  # noqa: PLC0415 -- the extra vision
    from serayu.standalone.drone.place import place_over  # noqa: PLC0415 -- the extra vision
    from serayu.standalone.drone.truth import judged  # noqa: PLC0415 -- the same
    from serayu.vision.flight.render import render_flight  # noqa: PLC0415 -- the same
    from serayu.vision.survey.pipeline import Order, run_survey  # noqa: PLC0415 -- the same
    from serayu.vision.survey.publish import Target, publish_survey  # noqa: PLC0415 -- the same

    flight, out = folder / "flight", folder / "survey"
    times = [time.monotonic()]
    place = place_over(region, length_m=photos * STEP_M)
    rendered = render_flight(
        flight,
        road=region / ROADS_FILE,
        ruas=place.ruas,
        start_m=place.start_m,
        photos=photos,
        per_100_m=PER_100_M,
        start=start,
    )
    times.append(time.monotonic())
    eyes = installed()
    order = Order(
        flight / "photos",
        out,
        ruas=flight / ROADS_FILE,
        dem=flight / "dem.tif",
        boxes=None if eyes.weights else flight / "boxes",
        weights=eyes.weights,
    )
    summary = run_survey(order, engine=helped(eyes, flight / "boxes") if eyes.weights else None).summary
    times.append(time.monotonic())
    published = publish_survey(out, Target(region=region, data=data))
    times.append(time.monotonic())
    found = judged(flight / "truth.geojson", out / "findings.geojson", classes=eyes.sought or eyes.given)
    render_s, survey_s, publish_s = (round(b - a, 1) for a, b in pairwise(times))
    return Flown(
        survey=summary.survey,
        detector=summary.detector,
        photos=rendered.photos,
        findings=published["findings"],
        segments=published["segments"],
        classes=dict(summary.counts.classes),
        sought=eyes.sought,
        given=eyes.given,
        ruas=rendered.ruas,
        km_from=round(rendered.start_km, 3),
        km_to=round(rendered.end_km, 3),
        **found._asdict(),
        render_s=render_s,
        survey_s=survey_s,
        publish_s=publish_s,
        cpu_s=round(_cpu_s(), 1),
    )


def _cpu_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


if __name__ == "__main__":
    main()
