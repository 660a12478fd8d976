"""Where fitted models stand, and what each says of itself: read without scikit-learn, by whoever only shows it."""

import functools
import hashlib
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from serayu.models.errors import BadInputError
from serayu.models.station import Station
from serayu.models.times import US_PER_DAY, rfc3339

__all__ = [
    "FORMAT", "HEAD", "MOST_AGE_DAYS", "HorizonCard", "ModelCard", "digest", "model_file", "model_files", "read_card",
    "refusal", "shelf", "station_digest",
]  # fmt: skip

FORMAT = 2
"""Version of a model's file; another is refused."""
HEAD = "model.json"
"""Part of a model's file that says what it is."""
SUFFIX = ".model"
MOST_AGE_DAYS = 400
"""An older model is refused: a flood season that it has not seen has passed [project proposal]."""
_MOST_HEAD_BYTES = 8 * 2**20
_LIMITS = ("waspada", "siaga", "awas")
_NAME = re.compile(r"^[a-z0-9][a-z0-9-]*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class HorizonCard:
    """What a model says of itself at one horizon.

    Parameters
    ----------
    horizon_h, method
        Hours ahead and the method chosen.
    shown
        Whether it is surely better than persistence on storms that it was not fitted on.
    skill, storms
        Persistence index on those storms, and how many there were; None without one.
    index
        Persistence index over all held-out rows.
    coverage
        Share of held-out rows inside the 10-90 % band.
    """

    horizon_h: float
    method: str
    shown: bool
    skill: float | None
    storms: int
    index: float | None
    coverage: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """What a model says of itself.

    Parameters
    ----------
    station, digest, fit_until_us
        As in `serayu.models.flood.store.Stored`.
    fitted_us
        When it was fitted, microseconds UTC.
    learnt_from
        What it was fitted on: ``stored``, ``given``, ``stored+given`` or ``invented``.
    horizons
        By hours ahead, ascending.
    notes
        What was done without.
    format, sklearn
        Version of the file, and of the scikit-learn that it needs.
    """

    station: str
    digest: str
    fit_until_us: int
    fitted_us: int
    learnt_from: str
    horizons: tuple[HorizonCard, ...]
    notes: tuple[str, ...]
    format: int
    sklearn: str

    @property
    def shown(self) -> bool:
        """Whether any horizon may be shown."""
        return any(one.shown for one in self.horizons)


def shelf(data_dir: Path) -> Path:
    """Return the folder of the fitted flood models of a data folder."""
    return data_dir / "models" / "flood"


def model_file(data_dir: Path, station: str) -> Path:
    """Return the file of a station's model.

    Raises
    ------
    ValueError
        The id is none, and might lead out of the folder.
    """
    if _NAME.match(station) is None:
        raise ValueError(f"not a station id: {station!r}")
    return shelf(data_dir) / f"{station}{SUFFIX}"


def model_files(data_dir: Path) -> Iterator[tuple[str, Path]]:
    """Yield station id and file of every model, by name."""
    for file in sorted(shelf(data_dir).glob(f"*{SUFFIX}")):
        yield file.name.removesuffix(SUFFIX), file


def digest(station: str, limits: Mapping[str, float], *, unit: str) -> str:
    """Return a SHA-256 of what a model was fitted for: when it changes, fit again."""
    facts = {
        "station": station,
        "unit": unit,
        "limits": {name: float(limits[name]) for name in sorted(limits)},
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def station_digest(station: Station) -> str:
    """Return the digest of a river post as the region describes it now."""
    limits = (
        {} if station.thresholds is None else dict(zip(_LIMITS, station.thresholds.bounds_m, strict=True))
    )
    return digest(f"{station.region}/{station.id}", limits, unit=f"m above {station.datum or 'datum'}")


def refusal(card: ModelCard, station: Station, *, now_us: int) -> str | None:
    """Return why a model may not be used; None where it may."""
    if card.station != station.id:
        return f"it was fitted for {card.station}"
    unreadable = _unreadable(card)
    if unreadable is not None:
        return unreadable
    if card.digest != station_digest(station):
        return "limits or datum of the post have changed since it was fitted; fit again"
    if now_us - card.fit_until_us > MOST_AGE_DAYS * US_PER_DAY:
        return (
            f"it knows nothing after {rfc3339(card.fit_until_us)}, over {MOST_AGE_DAYS} days ago; fit again"
        )
    if card.fit_until_us - now_us > US_PER_DAY:
        return f"it learnt from values up to {rfc3339(card.fit_until_us)}, later than now"
    return None


def _unreadable(card: ModelCard) -> str | None:
    """Return why this version cannot load a model; None where it can."""
    if card.format != FORMAT:
        return f"model format {card.format}, this version reads {FORMAT}; fit again"
    here = _sklearn_here()
    if card.sklearn != here:
        return f"fitted with scikit-learn {card.sklearn}, here is {here}; fit again"
    return None


@functools.cache
def _sklearn_here() -> str:
    """Return the version that is installed, without importing it; "none" where there is none."""
    try:
        return metadata.version("scikit-learn")
    except metadata.PackageNotFoundError:
        return "none"


def read_card(file: Path) -> ModelCard:
    """Read what a model says of itself.

    Raises
    ------
    BadInputError
        The file is none of ours.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            if archive.getinfo(HEAD).file_size > _MOST_HEAD_BYTES:
                raise BadInputError(f"{HEAD} of more than {_MOST_HEAD_BYTES} bytes", file=file)
            head = json.loads(archive.read(HEAD))
        return _card(head)
    except (OSError, KeyError, TypeError, AttributeError, zipfile.BadZipFile, ValueError) as error:
        raise BadInputError(f"not a fitted flood model ({error})", file=file) from error


def _card(head: Mapping[str, Any]) -> ModelCard:
    kit = head.get("kit", {})
    coverage = kit.get("coverage", [None] * len(head["horizons_h"]))
    rows = zip(head["horizons_h"], head["method"], head["skill"], head["index"], coverage, strict=True)
    shown = kit.get("shown", [])
    return ModelCard(
        station=head["station"],
        digest=head["digest"],
        fit_until_us=int(head["fit_until_us"]),
        fitted_us=int(kit.get("fitted_us", head["fit_until_us"])),
        learnt_from=str(kit.get("learnt_from", "given")),
        horizons=tuple(
            HorizonCard(
                horizon_h=float(hours),
                method=str(method),
                shown=hours in shown,
                skill=skill["index"],
                storms=int(skill["storms"]),
                index=index,
                coverage=covered,
            )
            for hours, method, skill, index, covered in rows
        ),
        notes=tuple(head["notes"]),
        format=int(head["format"]),
        sklearn=str(head["sklearn"]),
    )
