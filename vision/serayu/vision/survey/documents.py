"""The files of a survey: findings and segments as GeoJSON, the summary, pictures.

Every file is replaced at once and the summary comes last, so that ``survey.json`` stands for a complete survey; what
an earlier survey left in the folders of pictures is removed.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from serayu.models.command import json_text, write_atomically
from serayu.models.survey.feature import finding_feature
from serayu.models.survey.finding import Finding
from serayu.models.survey.photo import SurveyPhotos
from serayu.vision.survey.summary import Summary

__all__ = [
    "COVERAGE",
    "CROPS",
    "PHOTOS",
    "collection",
    "keep_only",
    "sweep",
    "write_documents",
    "write_picture",
]

PHOTOS, CROPS = "photos", "crops"
_FINDINGS, _SEGMENTS, _SUMMARY = "findings.geojson", "segments.geojson", "survey.json"
_SIGHTINGS, COVERAGE = "sightings.json", "coverage.geojson"


def collection(features: Iterable[Mapping[str, Any]]) -> bytes:
    """Return a GeoJSON collection, one feature on each line [RFC 7946]."""
    lines = ",\n".join(msgspec.json.encode(one).decode() for one in features)
    return f'{{"type": "FeatureCollection", "features": [\n{lines}\n]}}\n'.encode()


def write_documents(
    out: Path,
    *,
    findings: Sequence[Finding],
    segments: Sequence[Mapping[str, Any]],
    photos: SurveyPhotos,
    coverage: Mapping[str, Any],
    summary: Summary,
) -> None:
    """Write findings, segments, the boxes in photos, the ground that they show and, last, the summary.

    Raises
    ------
    BadInputError
        A file cannot be written.
    """
    write_atomically(out / _FINDINGS, collection(finding_feature(one) for one in findings))
    write_atomically(out / _SEGMENTS, collection(segments))
    write_atomically(out / _SIGHTINGS, msgspec.json.encode(photos) + b"\n")
    write_atomically(out / COVERAGE, collection([coverage]))
    write_atomically(out / _SUMMARY, json_text(summary))


def write_picture(file: Path, data: bytes) -> None:
    """Write a picture unless the same one is there."""
    if not (file.is_file() and file.stat().st_size == len(data) and file.read_bytes() == data):
        write_atomically(file, data)


def keep_only(folder: Path, names: Iterable[str]) -> None:
    """Remove all files of a folder but those named; what is no file stays."""
    kept = set(names)
    for file in folder.iterdir():
        if file.name not in kept and file.is_file():
            with suppress(OSError):
                file.unlink()


def sweep(folder: Path) -> None:
    """Remove the halves of documents that a killed survey left: ``.<name>.<chance>`` beside the document itself."""
    names = {file.name for file in folder.iterdir() if file.is_file()}
    for name in names:
        whole, _, chance = name[1:].rpartition(".")
        if name.startswith(".") and chance and whole in names:
            with suppress(OSError):
                (folder / name).unlink()
