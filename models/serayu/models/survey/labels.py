"""Training labels from reviews: YOLO boxes of what people confirmed or corrected; what they rejected is background.

``labels/<survey>/<photo>.txt`` has the photos whose every box was reviewed: they can be trained on as they are, with
the photo of that name beside. ``partial/…`` has those where a box was not reviewed, or where something was detected
that could not be put on the ground: what has no box there may still be something. ``photos.csv`` lists all,
``reviews.csv`` says who said what of each finding. Where two photos differ in their suffix alone, their labels have the
whole name.
"""

import csv
import io
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath

from serayu.models.survey.finding import DefectClass
from serayu.models.survey.photo import PhotoBoxes
from serayu.models.survey.review import Review
from serayu.models.times import rfc3339

__all__ = ["labels_zip", "yolo_lines"]

_CLASSES = tuple(DefectClass)
_EPOCH = (1980, 1, 1, 0, 0, 0)
_README = """\
YOLO labels from reviews / label YOLO dari hasil tinjauan
classes.txt      class numbers / nomor kelas
labels/          every box of the photo was reviewed: ready for training / semua kotak ditinjau: siap dilatih
partial/         some boxes were not reviewed, or not placed: do not train on the whole photo / sebagian belum ditinjau
photos.csv       all photos / semua foto
reviews.csv      last review of each finding / tinjauan terakhir tiap temuan
An empty file is background: everything in it was rejected / berkas kosong: latar belakang.
Reviews judge what the detector found: what it missed has no box / yang luput dari detektor tidak ada di sini.
"""


def labels_zip(
    photos: Iterable[tuple[str, PhotoBoxes]], reviews: Sequence[Review], labels: Mapping[str, DefectClass]
) -> bytes:
    """Return the export; the same reviews give the same bytes.

    Parameters
    ----------
    photos
        Each with its survey.
    reviews
        All of them, oldest first.
    labels
        What the detector called each finding.
    """
    last = {one.finding: one for one in reviews if one.finding in labels}
    files: dict[str, str] = {}
    photos = list(photos)
    stems = Counter((survey, PurePath(photo.photo).stem) for survey, photo in photos)
    rows: list[tuple[object, ...]] = []
    for survey, photo in photos:
        reviewed = sum(box.finding in last for box in photo.boxes)
        if not reviewed:
            continue
        complete = reviewed == len(photo.boxes) and photo.unplaced == 0
        folder = "labels" if complete else "partial"
        path = PurePath(photo.photo)
        name = f"{folder}/{survey}/{path.stem if stems[survey, path.stem] == 1 else path.name}.txt"
        files[name] = "".join(f"{line}\n" for line in yolo_lines(photo, last))
        rows.append(
            (
                survey,
                photo.photo,
                photo.width_px,
                photo.height_px,
                len(photo.boxes),
                reviewed,
                photo.unplaced,
                name,
            )
        )
    head = ("survey", "photo", "width_px", "height_px", "boxes", "reviewed", "unplaced", "file")
    return _zip(
        {
            "README.txt": _README,
            "classes.txt": "".join(f"{one.value}\n" for one in _CLASSES),
            "photos.csv": _table(head, rows),
            "reviews.csv": _reviews(last, labels),
            **files,
        }
    )


def yolo_lines(photo: PhotoBoxes, last: Mapping[str, Review]) -> list[str]:
    """Return a photo's labels: class number, then middle, width and height as shares of the photo's, 6 decimals.

    Parameters
    ----------
    photo
        Its boxes; edges beyond the photo are cut.
    last
        Last review of each finding; rejected ones and those without one have no line.
    """
    lines = []
    for box in photo.boxes:
        review = last.get(box.finding)
        if review is None or review.label is None:
            continue
        left, right = (min(max(x / photo.width_px, 0.0), 1.0) for x in box.xyxy_px[::2])
        top, bottom = (min(max(y / photo.height_px, 0.0), 1.0) for y in box.xyxy_px[1::2])
        shares = ((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)
        lines.append(" ".join([str(_CLASSES.index(review.label)), *(f"{one:.6f}" for one in shares)]))
    return lines


def _reviews(last: Mapping[str, Review], labels: Mapping[str, DefectClass]) -> str:
    rows = [
        (
            one.survey,
            finding,
            labels[finding].value,
            one.judgement.value,
            "" if one.label is None else one.label.value,
            one.name,
            rfc3339(one.at_us),
        )
        for finding, one in sorted(last.items())
    ]
    return _table(("survey", "finding", "detected", "judgement", "class", "by", "time"), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([_plain(cell) for cell in row] for row in rows)
    return text.getvalue()


def _plain(cell: object) -> object:
    """Keep a spreadsheet from reading a name as a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@")) else cell


def _zip(files: Mapping[str, str]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, date_time=_EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            packed.writestr(entry, files[name])
    return data.getvalue()
