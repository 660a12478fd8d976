"""BMKG's list of nowcast alerts: RSS 2.0 whose items lead to CAP files, as a file (nothing is fetched here).

The form is that of bmkg.go.id/alerts/nowcast/id/rss.xml: ``guid`` is the CAP identifier, the link ends in
``C`` + two letters of the province + date + number + ``_alert.xml``.
"""

import re
from collections.abc import Sequence
from email.utils import parsedate_to_datetime

import msgspec

from serayu.models.cap.read import kind_of
from serayu.models.cap.safe import MAX_BYTES, Element, XmlRefusedError, parse_xml
from serayu.models.times import to_us

_ALERT_FILE = re.compile(r"/(?P<province>C[A-Z]{2})(?P<date>\d{8})(?P<number>\d{3})_alert\.xml$", re.ASCII)
CENTRAL_JAVA = "CJG"
"""BMKG's code of Jawa Tengah, in which Banyumas lies."""


class RssItem(msgspec.Struct, frozen=True):
    """One alert of the list.

    Parameters
    ----------
    guid
        CAP identifier; None where the item has none.
    link
        Address of the CAP file.
    title, description
        For people.
    published_us
        Microseconds UTC; None where it is missing or no time.
    province
        BMKG's code, e.g. `CENTRAL_JAVA`; None where the link has another form.
    """

    guid: str | None
    link: str | None
    title: str
    description: str
    published_us: int | None
    province: str | None


def read_rss(data: bytes, *, max_bytes: int = MAX_BYTES) -> Sequence[RssItem]:
    """Read the items of an RSS feed in their order.

    Parameters
    ----------
    data
        The document.
    max_bytes
        Size from which on it is refused.

    Raises
    ------
    XmlRefusedError
        Not safe to read, or no RSS.
    """
    root = parse_xml(data, max_bytes=max_bytes)
    kind = kind_of(root)
    if kind != "rss":
        raise XmlRefusedError("wrong_kind", f"expected RSS, not {kind}")
    return tuple(_item(element) for element in root.iterfind("channel/item"))


def province_of(link: str | None) -> str | None:
    """Return BMKG's province code in the address of a CAP file, or None.

    Examples
    --------
    >>> province_of("https://www.bmkg.go.id/alerts/nowcast/id/CJG20260216005_alert.xml")
    'CJG'
    """
    match = None if link is None else _ALERT_FILE.search(link)
    return None if match is None else match["province"]


def _item(element: Element) -> RssItem:
    link = _text(element, "link")
    return RssItem(
        guid=_text(element, "guid"),
        link=link,
        title=_text(element, "title") or "",
        description=_text(element, "description") or "",
        published_us=_time(_text(element, "pubDate")),
        province=province_of(link),
    )


def _text(element: Element, name: str) -> str | None:
    return (element.findtext(name) or "").strip() or None


def _time(text: str | None) -> int | None:
    """Return an RFC 822 date in microseconds UTC; one without a zone is not guessed."""
    try:
        return None if text is None else to_us(parsedate_to_datetime(text))
    except ValueError:
        return None
