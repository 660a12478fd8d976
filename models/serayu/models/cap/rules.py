"""What CAP asks of an alert and its schema does not check (OASIS CAP 1.2 section 3.2, by element).

The rules look at elements, not at `CapAlert`, so that they can judge what cannot be read and name the place. They hold
for CAP 1.1 and 1.0 as well, whose elements have the same names.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator

from lxml import etree

from serayu.models.cap.info_rules import info_problems
from serayu.models.cap.problems import CapProblem, Problems, error, warning
from serayu.models.cap.read import children
from serayu.models.cap.safe import Element, name_of, text_of
from serayu.models.cap.values import moment

FORBIDDEN = re.compile(r"[\s,<&]")
"""What identifier and sender must not contain: white space, comma, ``<`` and ``&`` (section 3.2.1)."""

NEED_REFERENCES = frozenset({"Update", "Cancel", "Ack", "Error"})
MAY_BE_EMPTY = frozenset({"value"})  # real systems send parameters without value; see `_empty`
MUST_NOT_BE_EMPTY = frozenset(
    {"identifier", "sender", "sent", "references", "event", "areaDesc", "polygon", "circle", "language"}
    | {"valueName", "resourceDesc", "effective", "onset", "expires"}
)


def alert_problems(alert: Element) -> Problems:
    """Yield what is wrong with an ``alert`` element beyond its schema.

    Parameters
    ----------
    alert
        Element of CAP 1.0 to 1.2, whether it follows the schema or not.

    Yields
    ------
    CapProblem
        In order of the document within each rule.
    """
    for rule in _RULES:
        yield from rule(alert)
    infos = list(children(alert, "info"))
    sent = next(children(alert, "sent"), None)
    for info in infos:
        yield from info_problems(info, sent_us=None if sent is None else moment(text_of(sent)))
    yield from _languages(infos)


def identifier_problem(text: str) -> str | None:
    """Say what is wrong with the text of an identifier or a sender: ``empty`` or ``characters``; None when nothing is.

    Examples
    --------
    >>> identifier_problem("2.49.0.1.360.0.2026.02.16.16.45.005"), identifier_problem("a<b")
    (None, 'characters')
    """
    if not text:
        return "empty"
    return "characters" if FORBIDDEN.search(text) else None


def _names(alert: Element) -> Problems:
    for name in ("identifier", "sender"):
        for element in children(alert, name):
            if identifier_problem(text_of(element)) == "characters":
                reason = f"{text_of(element)!r} has white space, a comma, < or &"
                yield error(f"{name}_characters", reason, element)


def _dates(alert: Element) -> Problems:
    for element in alert.iter("{*}sent", "{*}effective", "{*}onset", "{*}expires"):
        text = text_of(element)
        if not text.strip():
            continue
        if moment(text) is None:
            reason = f"{text!r} is not of the form 2026-02-16T22:00:00+07:00 (no Z, no fractions)"
            yield error("date_format", reason, element)
        elif text.endswith("+00:00"):
            yield warning("utc_plus", f"{text!r}: CAP writes UTC as -00:00", element)


def _references(alert: Element) -> Problems:
    elements = list(children(alert, "references"))
    kind = _text(alert, "msgType")
    if kind in NEED_REFERENCES and not any(text_of(element).strip() for element in elements):
        yield error("references_missing", f"msgType {kind} must refer to the alerts that it is about", alert)
    own = (_text(alert, "sender"), _text(alert, "identifier"))
    sent_us = moment(_text(alert, "sent"))
    for element in elements:
        for item in text_of(element).split():
            yield from _reference(item, element, own, sent_us)


def _reference(item: str, element: Element, own: tuple[str, str], sent_us: int | None) -> Problems:
    parts = item.split(",")
    if len(parts) != 3 or not all(parts) or FORBIDDEN.search("".join(parts)):  # noqa: PLR2004 -- a triple
        yield error("reference_form", f"{item!r} is not 'sender,identifier,sent'", element)
        return
    when = moment(parts[2])
    if when is None:
        yield error("reference_form", f"{item!r}: sent is not of the form 2026-02-16T22:00:00+07:00", element)
    elif sent_us is not None and when > sent_us:
        yield warning("reference_later", f"{item!r} was sent after this alert", element)
    if (parts[0], parts[1]) == own:
        yield error("reference_itself", f"{item!r} is this alert itself", element)


def _scope(alert: Element) -> Problems:
    scope = _text(alert, "scope")
    restriction, addresses = _text(alert, "restriction").strip(), _text(alert, "addresses").strip()
    if scope == "Restricted" and not restriction:
        yield error("restriction_missing", "scope Restricted must say the restriction", alert)
    if restriction and scope != "Restricted":
        place = next(children(alert, "restriction"))
        yield error("restriction_without_scope", f"a restriction with scope {scope or 'unknown'}", place)
    if scope == "Private" and not addresses:
        yield error("addresses_missing", "scope Private must name its addresses", alert)
    if addresses and scope != "Private":
        place = next(children(alert, "addresses"))
        yield warning("addresses_without_scope", f"addresses with scope {scope or 'unknown'}", place)


def _empty(alert: Element) -> Problems:
    """Judge empty elements: those that mean something are errors, those that an encoder left open are warnings."""
    namespace = name_of(alert)[0]
    for element in alert.iter(f"{{{namespace}}}*"):
        name = name_of(element)[1]
        if len(element) or text_of(element).strip():
            continue
        if name in MUST_NOT_BE_EMPTY:
            yield error("empty_element", f"{name} is empty", element)
        elif name not in MAY_BE_EMPTY or name_of(element.getparent())[1] != "parameter":
            yield warning("empty_element", f"{name} is empty", element)


def _languages(infos: list[Element]) -> Problems:
    """Judge the languages of several infos: each once, all with the same values.

    CAP lets infos of one language follow one another, later ones adding to earlier ones; so a repeated language is no
    error, but nothing tells a reader which one holds.
    """
    languages = [_text(info, "language").strip().lower() or "en-us" for info in infos]
    counts = Counter(languages)
    bodies: set[bytes] = set()
    for info, language in zip(infos, languages, strict=True):
        body: bytes = etree.tostring(info, with_tail=False)
        if body in bodies:
            yield warning("info_repeated", "the same info stands before", info)
        elif counts[language] > 1:
            yield warning("language_repeated", f"language {language} in {counts[language]} infos", info)
        bodies.add(body)
    if len(infos) > 1 and len(counts) == len(infos):
        yield from _disagreements(infos)


def _disagreements(infos: list[Element]) -> Iterator[CapProblem]:
    for name in ("category", "urgency", "severity", "certainty", "effective", "onset", "expires"):
        first = [text_of(element) for element in children(infos[0], name)]
        for info in infos[1:]:
            if [text_of(element) for element in children(info, name)] != first:
                yield warning("infos_disagree", f"{name} differs between languages", info)


def _contents(alert: Element) -> Problems:
    if _text(alert, "msgType") in {"Alert", "Update"} and next(children(alert, "info"), None) is None:
        yield warning("no_info", "an alert without info says nothing", alert)


def _text(element: Element, name: str) -> str:
    found = next(children(element, name), None)
    return "" if found is None else text_of(found)


_RULES: tuple[Callable[[Element], Problems], ...] = (_names, _dates, _references, _scope, _empty, _contents)
