"""A survey as it is published: one zip of its documents and the crop of each finding.

Only the named files may be in it, each once and within its size, so that a bundle can neither write anywhere else nor
fill a disk. Its digest is that of the contents, not of the zip: packed anew it is the same bundle.
"""

import hashlib
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from serayu.models.errors import BadInputError
from serayu.models.survey.finding import Finding
from serayu.models.survey.geojson import field_of
from serayu.models.survey.photo import PhotoBoxes
from serayu.models.survey.read import (
    FEATURES_AT_MOST,
    FINDINGS,
    SEGMENTS,
    SIGHTINGS,
    read_findings,
    read_photos,
    read_segments,
)
from serayu.models.survey.schema import WORDS
from serayu.models.survey.segment import SegmentRecord
from serayu.models.survey.survey_id import check_survey_id
from serayu.models.times import parse_rfc3339

__all__ = [
    "CROPS",
    "CROP_AT_MOST",
    "DOCUMENT_AT_MOST",
    "TOTAL_AT_MOST",
    "Bundle",
    "SurveyHead",
    "pack",
    "read_bundle",
]

SUMMARY, CROPS = "survey.json", "crops"
DOCUMENT_AT_MOST = 64 * 2**20
CROP_AT_MOST = 2 * 2**20
TOTAL_AT_MOST = 2 * 2**30
"""Bytes, unpacked [all: project proposal]: a finding takes 2 KB, a crop of 640 px at most some 200 KB."""
_DOCUMENTS = (SUMMARY, FINDINGS, SEGMENTS, SIGHTINGS)
_NEEDED = (SUMMARY, FINDINGS, SEGMENTS)
_CROP = re.compile(rf"{CROPS}/([0-9a-f-]{{36}})\.jpg")
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED = 0x1
_JPEG = b"\xff\xd8\xff"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say: the same folder gives the same bytes


class HeadCounts(msgspec.Struct, frozen=True):
    """What a survey counted; its document says more."""

    findings: int
    classes: dict[str, int]


class SurveyHead(msgspec.Struct, frozen=True):
    """What the register needs of ``survey.json``; the document says more, and is kept whole."""

    survey: str
    source: str
    kind: str
    detector: str
    first: str | None
    last: str | None
    counts: HeadCounts


@dataclass(frozen=True, slots=True)
class Bundle:
    """A survey, checked.

    Parameters
    ----------
    head, document
        Of ``survey.json``, and the same as it came.
    findings, segments, photos
        Its contents; each segment with its feature.
    crops
        The findings that have a picture, with its size in bytes.
    digest
        SHA-256 of the names and contents of all files, hexadecimal.
    zip
        Where the pictures are; open until the reader's end.
    """

    head: SurveyHead
    document: bytes
    findings: tuple[Finding, ...]
    segments: tuple[tuple[SegmentRecord, dict[str, Any]], ...]
    photos: tuple[PhotoBoxes, ...]
    crops: Mapping[str, int]
    digest: str
    zip: zipfile.ZipFile

    def pictures(self) -> Iterator[tuple[str, bytes]]:
        """Yield the file name and the JPEG of each crop."""
        for id_ in self.crops:
            yield f"{id_}.jpg", _content(self.zip, self.zip.getinfo(f"{CROPS}/{id_}.jpg"), CROP_AT_MOST)


def pack(folder: Path, target: Path | BinaryIO) -> None:
    """Write the bundle of a survey's folder; the same folder gives the same bytes.

    Raises
    ------
    BadInputError
        A document is missing, or a file cannot be read.
    """
    names = [name for name in _DOCUMENTS if name in _NEEDED or (folder / name).is_file()]
    if (folder / CROPS).is_dir():
        names += sorted(f"{CROPS}/{file.name}" for file in (folder / CROPS).glob("*.jpg"))
    with zipfile.ZipFile(target, "w") as packed:
        for name in names:
            entry = zipfile.ZipInfo(name, date_time=_EPOCH)
            entry.compress_type = zipfile.ZIP_STORED if name.endswith(".jpg") else zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            try:
                packed.writestr(entry, (folder / name).read_bytes())
            except OSError as error:
                raise BadInputError(f"cannot read: {error.strerror}", file=folder / name) from None


def read_bundle(source: Path | BinaryIO) -> Bundle:
    """Return a checked survey; close its `zip` when the pictures have been taken.

    Raises
    ------
    BadInputError
        Not a zip, a file in it that does not belong there or is too large, or a wrong document: names the file, the
        feature's number and the field.
    """
    try:
        packed = zipfile.ZipFile(source)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise BadInputError(f"not a zip: {error}", file="bundle") from None
    try:
        return _read(packed)
    except BaseException:
        packed.close()
        raise


def _read(packed: zipfile.ZipFile) -> Bundle:
    entries = _entries(packed)
    contents = {
        name: _content(packed, entries[name], DOCUMENT_AT_MOST) for name in _DOCUMENTS if name in entries
    }
    head = _head(contents[SUMMARY])
    findings = read_findings(contents[FINDINGS], survey=head.survey)
    _check_counts(head, findings)
    ids = frozenset(one.id for one in findings)
    segments = read_segments(contents[SEGMENTS], survey=head.survey)
    boxes = contents.get(SIGHTINGS)
    photos = () if boxes is None else read_photos(boxes, survey=head.survey, findings=ids).photos
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    crops: dict[str, int] = {}
    for name in sorted(entries.keys() - contents.keys()):
        id_ = name.removeprefix(f"{CROPS}/").removesuffix(".jpg")
        if id_ not in ids:
            raise BadInputError("the picture of no finding", file=name)
        picture = _content(packed, entries[name], CROP_AT_MOST)
        if not picture.startswith(_JPEG):
            raise BadInputError("not a JPEG", file=name)
        sums[name], crops[id_] = hashlib.sha256(picture).hexdigest(), len(picture)
    digest = hashlib.sha256("\n".join(f"{name} {sums[name]}" for name in sorted(sums)).encode()).hexdigest()
    return Bundle(head, contents[SUMMARY], findings, segments, photos, crops, digest, packed)


def _entries(packed: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the files of a zip by name.

    Raises
    ------
    BadInputError
        One that does not belong in a bundle, is there twice, is no plain file, or is too large; or one is missing.
    """
    found: dict[str, zipfile.ZipInfo] = {}
    listed = packed.infolist()
    if len(listed) > FEATURES_AT_MOST + len(_DOCUMENTS) + 1:
        raise BadInputError(f"more than {FEATURES_AT_MOST} files", file="bundle")
    for entry in listed:
        name = entry.orig_filename
        if name == f"{CROPS}/":
            continue
        _check_entry(entry, name)
        if name in found:
            raise BadInputError("is in the bundle twice", file=name)
        found[name] = entry
    if sum(entry.file_size for entry in found.values()) > TOTAL_AT_MOST:
        raise BadInputError(f"more than {TOTAL_AT_MOST} bytes unpacked", file="bundle")
    for name in _NEEDED:
        if name not in found:
            raise BadInputError("is not in the bundle", file=name)
    return found


def _check_entry(entry: zipfile.ZipInfo, name: str) -> None:
    crop = _CROP.fullmatch(name)
    if name not in _DOCUMENTS and crop is None:
        raise BadInputError("does not belong in a bundle", file=ascii(name)[1:81])
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
        raise BadInputError("is no plain file", file=name)
    if entry.flag_bits & _ENCRYPTED or entry.compress_type not in _METHODS:
        raise BadInputError("is encrypted, or packed in another way than stored or deflated", file=name)
    most = DOCUMENT_AT_MOST if crop is None else CROP_AT_MOST
    if entry.file_size > most:
        raise BadInputError(f"larger than {most} bytes unpacked", file=name)


def _content(packed: zipfile.ZipFile, entry: zipfile.ZipInfo, at_most: int) -> bytes:
    """Return a file's bytes; never unpacks more than `at_most`, whatever the zip says of its size."""
    try:
        with packed.open(entry) as stream:
            data = stream.read(at_most + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
        raise BadInputError(f"damaged: {error}", file=entry.filename) from None
    if len(data) > at_most:
        raise BadInputError(f"larger than {at_most} bytes unpacked", file=entry.filename)
    return data


def _head(data: bytes) -> SurveyHead:
    try:
        data.decode()  # what is kept whole is text, unread fields too
        head = msgspec.json.decode(data, type=SurveyHead)
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError) as error:
        raise BadInputError(str(error), file=SUMMARY, field=field_of(error)) from None
    check_survey_id(head.survey, file=SUMMARY, field="survey")
    for name in ("source", "kind", "detector"):
        if re.fullmatch(WORDS, getattr(head, name)) is None:
            raise BadInputError(
                "not 1 to 1000 characters, none of them control characters", file=SUMMARY, field=name
            )
    for name in ("first", "last"):
        _check_time(getattr(head, name), name)
    return head


def _check_time(time: str | None, field: str) -> None:
    try:
        if time is not None:
            parse_rfc3339(time)
    except ValueError as error:
        raise BadInputError(f"not a time: {error}", file=SUMMARY, field=field) from None


def _check_counts(head: SurveyHead, findings: tuple[Finding, ...]) -> None:
    """Raise BadInputError where the documents are not of one survey."""
    if head.counts.findings != len(findings):
        reason = f"says {head.counts.findings}, {FINDINGS} has {len(findings)}"
        raise BadInputError(reason, file=SUMMARY, field="counts.findings")
