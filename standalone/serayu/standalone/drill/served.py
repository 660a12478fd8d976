"""What the API serves of the warnings: CAP documents and the Atom feed, fetched over HTTP and judged."""

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import httpx
import msgspec

from serayu.models.cap.check import CapReport, Verdict, check_cap
from serayu.models.errors import SerayuError
from serayu.models.warning.bulletin import BulletinStatus

TIMEOUT_S = 30.0
PAGE = 200


class Served(msgspec.Struct, frozen=True):
    """Documents fetched from the API.

    Parameters
    ----------
    fetched, valid
        CAP documents, and how many of them are valid CAP 1.2 by schema and rules.
    invalid
        Ids of the others with their first problem.
    statuses
        CAP status of all of them.
    feed_valid, feed_entries, feed_gzip_bytes
        The Atom feed.
    """

    fetched: int
    valid: int
    invalid: tuple[str, ...]
    statuses: tuple[str, ...]
    feed_valid: bool
    feed_entries: int
    feed_gzip_bytes: int


def operator_key(data: Path) -> str:
    """Return the operator's key that the API made at its first run."""
    return str(json.loads((data / "keys.json").read_text("utf-8"))["keys"]["operator"])


def fetch_served(page: str, key: str, ids: Sequence[str]) -> Served:
    """Fetch every bulletin as CAP, and the feed, as an agency does; judge each.

    Parameters
    ----------
    page
        Address of the site, with a slash at its end.
    key
        Of an agency: exercises are not for the public.
    ids
        The bulletins.

    Raises
    ------
    SerayuError
        The API refuses, or does not answer.
    """
    headers = {"Authorization": f"Bearer {key}"}
    try:
        with httpx.Client(
            base_url=f"{page}api/v1/", headers=headers, timeout=TIMEOUT_S, trust_env=False
        ) as client:
            documents = {one: _get(client, f"bulletins/{one}.xml") for one in ids}
            feed = _get(client, f"cap/feed.atom?status={BulletinStatus.EXERCISE.value}")
    except httpx.HTTPError as error:
        raise SerayuError(f"the api did not serve the warnings: {error}") from error
    reports = {one: check_cap(content) for one, content in documents.items()}
    judged = check_cap(feed)
    return Served(
        fetched=len(documents),
        valid=sum(report.valid and report.kind == "cap-1.2" for report in reports.values()),
        invalid=tuple(_faults(reports)),
        statuses=tuple(sorted({str(a.status) for report in reports.values() for a in report.alerts})),
        feed_valid=judged.verdict is Verdict.VALID and judged.kind == "atom",
        feed_entries=feed.count(b"<entry>"),
        feed_gzip_bytes=len(gzip.compress(feed)),
    )


def _get(client: httpx.Client, path: str) -> bytes:
    return client.get(path).raise_for_status().content


def _faults(reports: Mapping[str, CapReport]) -> Iterator[str]:
    for name, report in reports.items():
        if not report.valid:
            yield f"{name}: {report.errors[0].message if report.errors else report.kind}"
