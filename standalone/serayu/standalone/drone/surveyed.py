"""The survey of the demonstration, seen from outside: started beside the storm, then asked of the API."""

import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import msgspec

from serayu.models.errors import SerayuError
from serayu.standalone.drill.served import operator_key
from serayu.standalone.drone.fly import RESULT_FILE, ROADS_FILE, Flown
from serayu.standalone.processes import ManagedProcess

__all__ = ["Flight", "FlightError", "Survey", "lines_of", "survey_of"]

FOLDER = "drone"
FALSE = "pendeteksi dapat keliru: tinjau di /tinjau sebelum bertindak · detectors err: review at /tinjau before acting"
TIMEOUT_S = 30.0
PAGE = 1000


class FlightError(SerayuError):
    """The flight or its survey came to nothing."""


class Survey(msgspec.Struct, frozen=True, kw_only=True):
    """What came of the survey.

    Parameters
    ----------
    photos, ruas, km_from, km_to
        What was flown over: rendered photos of a road of the region.
    detector, given_boxes, given, note
        What found things; whether all boxes are the truth's, given for want of weights; the classes whose boxes were
        given; and what that means.
    survey, findings, classes, segments
        Id and counts, as its summary says.
    published, fetched
        Findings in the register, and those of them that the API gave back to a key.
    unlike
        Ids that only one of both has: none.
    again
        Whether publishing the same bundle over the API made anything new: false.
    things, matched, recall, precision, duplicates, position_error_median_m
        Against the truth: see `serayu.standalone.drone.truth.Judged`.
    slopes
        Slope units whose assessment counts a slide of the survey by now.
    render_s, survey_s, publish_s, cpu_s, seconds
        Of the machine; the last is their sum without `cpu_s`.
    """

    photos: int
    ruas: str
    km_from: float
    km_to: float
    detector: str
    given_boxes: bool
    given: tuple[str, ...]
    note: str | None
    survey: str
    findings: int
    classes: dict[str, int]
    segments: int
    published: int
    fetched: int
    unlike: tuple[str, ...]
    again: bool
    things: int
    matched: int
    recall: float | None
    precision: float | None
    duplicates: int
    position_error_median_m: float | None
    slopes: tuple[str, ...]
    render_s: float
    survey_s: float
    publish_s: float
    cpu_s: float
    seconds: float


NOTE = (
    "bobot detektor jalan tidak terpasang: kotak dari kebenaran yang diberikan; yang diuji letak, ukuran dan "
    "penerbitan, bukan penemuan · no road detector is installed: boxes of the truth were given; position, size and "
    "publication are shown, not detection"
)
GIVEN = (
    "kotak diberikan untuk kelas tanpa detektor, di luar recall dan presisi · boxes were given for classes without a "
    "detector, left out of recall and precision"
)


class Flight:
    """A flight and its survey in a process beside the storm.

    Parameters
    ----------
    data, region
        The demonstration's data folder, and its copy of the region.
    start
        When the first photo is taken, with zone.
    photos
        How many.
    """

    def __init__(self, data: Path, region: Path, *, start: datetime, photos: int) -> None:
        self._folder = data.resolve() / FOLDER
        self._region = region.resolve()
        argv = [sys.executable, "-m", "serayu.standalone.drone.fly", str(self._folder), str(self._region)]
        argv += [str(data.resolve()), start.isoformat(), str(photos)]
        self._process = ManagedProcess("drone", argv, environment={}, log_folder=data / "logs")
        self.absent: str | None = None

    def __enter__(self) -> Self:
        if (self._region / ROADS_FILE).is_file():
            self._folder.mkdir(parents=True)
            self._process.start()
        else:
            self.absent = f"wilayah ini tidak punya · this region has no {ROADS_FILE}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.stop()

    @property
    def flies(self) -> bool:
        """Whether it is under way."""
        return self.absent is None and self._process.pid is not None

    def flown(self) -> Flown | None:
        """Return what it did, once it has ended; None where it could not be done, `absent` then says why.

        Raises
        ------
        FlightError
            It failed.
        """
        if self.absent is not None:
            return None
        if self.flies:
            raise FlightError("the survey did not finish in time")
        try:
            flown = msgspec.json.decode((self._folder / RESULT_FILE).read_bytes(), type=Flown)
        except FileNotFoundError:
            raise FlightError(f"the survey failed: {self._process.log_tail(1).strip()}") from None
        if flown.missing is None:
            return flown
        self.absent = (
            f"paket {flown.missing} tidak terpasang (extra vision) · the package {flown.missing} is not installed "
            "(extra vision)"
        )
        return None

    @property
    def bundle(self) -> Path:
        """Folder of the survey's documents."""
        return self._folder / "survey"


def survey_of(flown: Flown, *, data: Path, page: str, bundle: Path) -> Survey:
    """Ask the API for the survey, publish it once more over it, and return what came of it.

    Parameters
    ----------
    flown
        What the process did.
    data, page
        Data folder with the keys, and the address of the site with a slash at its end.
    bundle
        Folder of the survey's documents.

    Raises
    ------
    SerayuError
        The API refuses, or does not answer.
    """
    key = operator_key(data)
    again = _published_again(bundle, page, key)
    client = httpx.Client(
        base_url=f"{page}api/v1/",
        headers={"Authorization": f"Bearer {key}"},
        timeout=TIMEOUT_S,
        trust_env=False,
    )
    try:
        with client:
            fetched = list(_ids(client, flown.survey))
            slopes = _slopes(client)
    except httpx.HTTPError as error:
        raise SerayuError(f"the api did not serve the survey: {error}") from error
    written = msgspec.json.decode((bundle / "findings.geojson").read_bytes())["features"]
    known = {one["id"] for one in written}
    return Survey(
        photos=flown.photos,
        ruas=flown.ruas,
        km_from=flown.km_from,
        km_to=flown.km_to,
        detector=flown.detector,
        given_boxes=not flown.sought,
        given=flown.given,
        note=_note(flown),
        survey=flown.survey,
        findings=len(written),
        classes=flown.classes,
        segments=flown.segments,
        published=flown.findings,
        fetched=len(fetched),
        unlike=tuple(sorted(known ^ set(fetched))),
        again=again,
        things=flown.things,
        matched=flown.matched,
        recall=flown.recall,
        precision=flown.precision,
        duplicates=flown.duplicates,
        position_error_median_m=flown.position_error_median_m,
        slopes=slopes,
        render_s=flown.render_s,
        survey_s=flown.survey_s,
        publish_s=flown.publish_s,
        cpu_s=flown.cpu_s,
        seconds=round(flown.render_s + flown.survey_s + flown.publish_s, 1),
    )


def _note(flown: Flown) -> str | None:
    if not flown.sought:
        return NOTE
    names = ", ".join(flown.given)
    return f"{GIVEN}: {names}" if names else None


def lines_of(survey: Survey | None, absent: str | None) -> Iterator[str]:
    """Yield what people read, Indonesian first."""
    if survey is None:
        yield f"SURVEI DRONE: tidak ada · DRONE SURVEY: none ({absent or '–'})"
        return
    yield (
        f"SURVEI DRONE (penerbangan buatan) · DRONE SURVEY (a rendered flight): {survey.photos} foto · photos, ruas "
        f"{survey.ruas} km {survey.km_from:.3f}–{survey.km_to:.3f}, {survey.seconds:g} s"
    )
    if not survey.given_boxes:
        yield f"  detektor · detector: {survey.detector}"
    if survey.note:
        yield f"  {survey.note}"
    kinds = ", ".join(f"{name} {count}" for name, count in survey.classes.items() if count)
    yield (
        f"  temuan · findings {survey.findings} ({kinds}); terbit · published {survey.published}, diambil lewat API · "
        f"fetched {survey.fetched}; terbit ulang · published again: {'BARU · NEW' if survey.again else 'sama · same'}"
    )
    yield (
        f"  terhadap kebenaran · against the truth: recall {_number(survey.recall)}, presisi · precision "
        f"{_number(survey.precision)}, ganda · duplicates {survey.duplicates}, galat letak median · median position "
        f"error {_number(survey.position_error_median_m)} m"
    )
    if not survey.given_boxes:
        yield f"  {FALSE}"
    yield f"  lereng yang memakainya · slopes that count its slides: {', '.join(survey.slopes) or '–'}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:g}"


def _published_again(bundle: Path, page: str, key: str) -> bool:
    from serayu.vision.survey.publish import Target, publish_survey  # noqa: PLC0415 -- the extra vision

    return bool(publish_survey(bundle, Target(url=page, key=key))["created"])


def _ids(client: httpx.Client, survey: str) -> Iterator[str]:
    cursor: str | None = None
    while True:
        asked = {"survey": survey, "limit": str(PAGE)} | ({} if cursor is None else {"cursor": cursor})
        answer: dict[str, Any] = client.get("findings", params=asked).raise_for_status().json()
        yield from (one["id"] for one in answer["features"])
        cursor = answer["next"]
        if cursor is None:
            return


def _slopes(client: httpx.Client) -> tuple[str, ...]:
    """Return the slope units whose newest assessment counts a finding; none where slopes are not assessed."""
    answer = client.get("landslide")
    if answer.status_code == httpx.codes.NOT_FOUND:
        return ()
    units: list[dict[str, Any]] = answer.raise_for_status().json()["units"]
    return tuple(unit["id"] for unit in units if unit["findings"])
