"""An Atom feed of our alerts (RFC 4287): newest first, one entry per alert, each linking to its CAP document."""

import hashlib
from collections.abc import Callable, Iterable, Sequence

from lxml import etree

from serayu.models.cap.read import ATOM
from serayu.models.cap.safe import Element
from serayu.models.cap.values import cap_time
from serayu.models.cap.write import MEDIA_TYPE
from serayu.models.texts import text
from serayu.models.times import US_PER_DAY
from serayu.models.warning.authority import Authority
from serayu.models.warning.bulletin import Bulletin, MessageType
from serayu.models.warning.registers import headline

FEED_TYPE = "application/atom+xml"


def listed(bulletins: Iterable[Bulletin], *, now_us: int) -> Sequence[Bulletin]:
    """Return which bulletins a feed lists, newest first.

    Those that have not lapsed, without those that an Update has replaced. A Cancel stands beside what it cancels until
    both lapse, so that whoever saw the alert also sees its end [project proposal].

    Parameters
    ----------
    bulletins
        In any order.
    now_us
        Present, microseconds UTC.
    """
    known = tuple(bulletins)
    # By lapsed ones too: an update on older evidence may lapse before what it has replaced.
    replaced = {name for one in known if one.msg_type is MessageType.UPDATE for name, _ in one.references}
    return sorted(
        (one for one in known if one.expires_us > now_us and one.id not in replaced),
        key=lambda one: (one.sent_us, one.id),
        reverse=True,
    )


def atom_feed(
    bulletins: Iterable[Bulletin],
    authority: Authority,
    *,
    now_us: int,
    feed_url: str,
    alert_url: Callable[[Bulletin], str],
    since_us: int = 0,
) -> bytes:
    """Write the feed; the same alerts give the same bytes, so that `etag` may stand for it.

    Parameters
    ----------
    bulletins
        All that may be listed; see `listed`.
    authority
        Who sends.
    now_us
        Present, microseconds UTC; decides which have lapsed.
    feed_url
        Absolute address of the feed, its id.
    alert_url
        Absolute address of a bulletin's CAP document.
    since_us
        When the newest bulletin of all was sent, lapsed ones included: the time of an empty feed; where there
        never was one, it is the begin of the day (UTC).

    Returns
    -------
    bytes
        UTF-8; valid when empty.
    """
    shown = listed(bulletins, now_us=now_us)
    # A feed that never had an entry was brought up to date today; the day alone, so that its bytes stay.
    updated_us = max([one.sent_us for one in shown[:1]] + [since_us]) or now_us - now_us % US_PER_DAY
    origin = "signed" if authority.signed else "monitoring"
    root = etree.Element(f"{{{ATOM}}}feed", nsmap={None: ATOM})
    _add(root, "id", feed_url)
    _add(root, "title", text(f"cap.feed.title.{origin}", name=authority.name))
    _add(root, "subtitle", text(f"cap.feed.title.{origin}", "en", name=authority.title("en")))
    _add(root, "updated", cap_time(updated_us))
    _add(_add(root, "author"), "name", authority.name)
    _add(root, "link", rel="self", type=FEED_TYPE, href=feed_url)
    for bulletin in shown:
        root.append(_entry(bulletin, authority, alert_url(bulletin)))
    etree.indent(root, space="")
    data: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return data


def etag(data: bytes) -> str:
    """Return a strong entity tag of a document (RFC 9110 section 8.8.3).

    Examples
    --------
    >>> etag(b"")
    '"e3b0c44298fc1c149afbf4c8996fb924"'
    """
    return f'"{hashlib.sha256(data).hexdigest()[:32]}"'


def _entry(bulletin: Bulletin, authority: Authority, url: str) -> Element:
    entry = etree.Element(f"{{{ATOM}}}entry")
    _add(entry, "id", authority.identifier(bulletin.id))
    _add(entry, "title", headline(bulletin, "id"))
    _add(entry, "updated", cap_time(bulletin.sent_us))
    _add(entry, "link", rel="alternate", type=MEDIA_TYPE, href=url)
    _add(entry, "category", term=bulletin.status.value, label=bulletin.msg_type.value)
    _add(entry, "summary", headline(bulletin, "en"))
    return entry


def _add(parent: Element, name: str, value: str | None = None, **attributes: str) -> Element:
    child = etree.SubElement(parent, f"{{{ATOM}}}{name}", attributes)
    child.text = value
    return child
