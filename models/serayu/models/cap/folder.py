"""BMKG's nowcast files where an operator's cron job puts them: a folder, or one file. Nothing is fetched here.

A file that is half written, no CAP, too large or unreadable is named and left out; the others count.
"""

from pathlib import Path

import msgspec

from serayu.models.cap.nowcast import read_nowcasts
from serayu.models.cap.rss import CENTRAL_JAVA, RssItem, read_rss
from serayu.models.cap.safe import MAX_BYTES, XmlRefusedError
from serayu.models.cap.structs import CapAlert
from serayu.models.times import US_PER_S

FILES_AT_MOST = 500
"""More files than BMKG has alerts for the whole country in a day; the newest are read [project proposal]."""
SUFFIXES = frozenset({".xml", ".cap", ".rss"})


class NowcastFolder(msgspec.Struct, frozen=True):
    """What a folder held when it was read.

    Parameters
    ----------
    alerts
        Of the files that are valid CAP 1.2.
    refused
        For each other file its name and the reason.
    not_here
        Identifiers of alerts for Jawa Tengah that the list (RSS) names and that no file here holds.
    files
        How many files there were.
    newest_us
        When the newest file was written, microseconds UTC; None without any.
    """

    alerts: tuple[CapAlert, ...] = ()
    refused: dict[str, str] = {}
    not_here: tuple[str, ...] = ()
    files: int = 0
    newest_us: int | None = None


Signature = tuple[tuple[str, int, int], ...]


def signature(place: Path) -> Signature:
    """Return name, time and size of the files at a place, which change when they do; empty where there is nothing."""
    return tuple((file.name, *_stat(file)) for file in _files(place))


def read_folder(place: Path, *, max_bytes: int = MAX_BYTES) -> NowcastFolder:
    """Read the CAP and RSS files at a place.

    Parameters
    ----------
    place
        Folder, whose files ``*.xml``, ``*.cap`` and ``*.rss`` are read, or one file.
    max_bytes
        Size from which on a file is refused, unread.
    """
    documents: dict[str, bytes] = {}
    refused: dict[str, str] = {}
    items: list[RssItem] = []
    if not place.exists():
        return NowcastFolder(refused={place.name: "no such file or folder"})
    files = _files(place)
    for file in files:
        if _stat(file)[1] > max_bytes:
            refused[file.name] = f"larger than {max_bytes} bytes"
            continue
        try:
            data = file.read_bytes()
        except OSError as error:
            refused[file.name] = error.strerror or "cannot be read"
            continue
        feed = _items(data, max_bytes)
        if feed is None:
            documents[file.name] = data
        items += feed or ()
    found = read_nowcasts(documents, max_bytes=max_bytes)
    here = {alert.identifier for alert in found.alerts}
    named = (one.guid for one in items if one.province == CENTRAL_JAVA and one.guid is not None)
    return NowcastFolder(
        found.alerts,
        {**refused, **found.refused},
        tuple(sorted({guid for guid in named if guid not in here})),
        len(files),
        max((_stat(file)[0] // 1000 for file in files), default=None),
    )


def is_stale(folder: NowcastFolder, *, now_us: int, after_s: float) -> bool:
    """Say whether nothing new has been written for so long that the job which fetches the files may have died."""
    return folder.newest_us is None or now_us - folder.newest_us > after_s * US_PER_S


def _items(data: bytes, max_bytes: int) -> tuple[RssItem, ...] | None:
    """Return the items of a list; None for what is none."""
    try:
        return tuple(read_rss(data, max_bytes=max_bytes))
    except XmlRefusedError:
        return None


def _files(place: Path) -> list[Path]:
    """Return the newest files at a place, in order of name."""
    if place.is_file():
        return [place]
    try:
        found = [one for one in place.iterdir() if one.suffix.lower() in SUFFIXES and one.is_file()]
    except OSError:
        return []
    found.sort(key=lambda one: -_stat(one)[0])
    return sorted(found[:FILES_AT_MOST], key=lambda one: one.name)


def _stat(file: Path) -> tuple[int, int]:
    """Return when a file was written, nanoseconds, and its size; zeros where it has gone meanwhile."""
    try:
        found = file.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size
