"""What Atom (RFC 4287), RSS 2.0 and EDXL-DE 1.0 ask of a feed of alerts; the elements that they must have.

Sources: RFC 4287 sections 4.1.1 and 4.1.2; RSS 2.0 specification (rssboard.org/rss-specification), "Required channel
elements" and "Elements of <item>"; OASIS EDXL-DE 1.0, section 3.2.
"""

from collections.abc import Callable, Iterable, Mapping

from serayu.models.cap.problems import Problems, error, warning
from serayu.models.cap.read import ATOM, EDXL
from serayu.models.cap.safe import Element, name_of, text_of
from serayu.models.cap.structs import NAMESPACES
from serayu.models.times import parse_rfc3339

FEED_ELEMENTS = frozenset(
    {"author", "category", "contributor", "generator", "icon", "id", "link", "logo", "rights", "subtitle"}
    | {"title", "updated", "entry"}
)
ENTRY_ELEMENTS = frozenset(
    {"author", "category", "content", "contributor", "id", "link", "published", "rights", "source", "summary"}
    | {"title", "updated"}
)
EDXL_NEEDS = (
    "distributionID",
    "senderID",
    "dateTimeSent",
    "distributionStatus",
    "distributionType",
    "combinedConfidentiality",
)


def feed_problems(root: Element, kind: str) -> Problems:
    """Yield what is wrong with a feed itself; the alerts inside are judged apart.

    Parameters
    ----------
    root
        Root element.
    kind
        ``atom``, ``rss`` or ``edxl-de``.

    Yields
    ------
    CapProblem
        One each.
    """
    yield from _KINDS[kind](root)


def _atom(feed: Element) -> Problems:
    yield from _needs(feed, ("id", "title", "updated"), ATOM)
    yield from _strangers(feed, FEED_ELEMENTS)
    entries = feed.findall(f"{{{ATOM}}}entry")
    for entry in entries:
        yield from _needs(entry, ("id", "title", "updated"), ATOM)
        yield from _strangers(entry, ENTRY_ELEMENTS)
        yield from _entry_links(entry)
    for element in feed.iter(f"{{{ATOM}}}updated", f"{{{ATOM}}}published"):
        if not _is_time(text_of(element).strip()):
            yield error("date_format", f"{text_of(element)!r} is not an RFC 3339 time", element)
    if feed.find(f"{{{ATOM}}}author") is None and not (
        entries and all(entry.find(f"{{{ATOM}}}author") is not None for entry in entries)
    ):
        yield warning("author_missing", "neither the feed nor each entry names an author", feed)
    for child in feed:
        if name_of(child)[0] in NAMESPACES and name_of(child)[1] == "alert":
            yield warning("alert_outside_entry", "an alert that is no entry's content is not read", child)


def _entry_links(entry: Element) -> Problems:
    links = entry.findall(f"{{{ATOM}}}link")
    for link in links:
        if not link.get("href"):
            yield error("link_without_href", "a link without href", link)
    if entry.find(f"{{{ATOM}}}content") is None and not any(
        link.get("rel", "alternate") == "alternate" for link in links
    ):
        yield error("link_missing", "an entry without content needs a link rel=alternate", entry)


def _strangers(element: Element, known: frozenset[str]) -> Problems:
    for child in element:
        namespace, name = name_of(child)
        if namespace == ATOM and name not in known:
            yield error("unknown_element", f"Atom has no element {name} here", child)


def _rss(root: Element) -> Problems:
    if root.get("version") != "2.0":
        yield warning("rss_version", f"version {root.get('version')!r}, not 2.0", root)
    channel = root.find("channel")
    if channel is None:
        yield error("channel_missing", "no channel", root)
        return
    yield from _needs(channel, ("title", "link", "description"), "")
    for item in channel.findall("item"):
        if not any((item.findtext(name) or "").strip() for name in ("title", "description")):
            yield error("item_empty", "an item needs a title or a description", item)
        if item.find("guid") is None and item.find("link") is None:
            yield warning("item_without_link", "neither guid nor link leads to the alert", item)


def _edxl(root: Element) -> Problems:
    yield from _needs(root, EDXL_NEEDS, EDXL)
    for element in root.findall(f"{{{EDXL}}}dateTimeSent"):
        if not _is_time(text_of(element).strip()):
            yield error("date_format", f"{text_of(element)!r} is not a time with a zone", element)


def _needs(element: Element, names: Iterable[str], namespace: str) -> Problems:
    for name in names:
        found = element.findall(f"{{{namespace}}}{name}" if namespace else name)
        if len(found) != 1:
            yield error("element_count", f"{name} is there {len(found)} times, must be once", element)
        elif not text_of(found[0]).strip():
            yield error("empty_element", f"{name} is empty", found[0])


def _is_time(text: str) -> bool:
    try:
        parse_rfc3339(text)
    except (ValueError, OverflowError):
        return False
    return True


_KINDS: Mapping[str, Callable[[Element], Problems]] = {"atom": _atom, "rss": _rss, "edxl-de": _edxl}
