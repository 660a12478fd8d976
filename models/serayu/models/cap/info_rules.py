"""What CAP asks of an ``info`` block and its schema does not check (OASIS CAP 1.2 sections 3.2.2 to 3.2.4)."""

from collections.abc import Callable

from serayu.models.cap.geometry import parse_circle, polygon_problem, position_problem
from serayu.models.cap.problems import Problems, error, warning
from serayu.models.cap.read import children
from serayu.models.cap.safe import Element, text_of
from serayu.models.cap.values import LANGUAGE, is_absolute, moment

EVENT_LENGTH = 35
"""Longest event that WMO's CAP Composer lets pass [github.com/wmo-raf/cap-composer, pull request 65]."""

_POLYGON_REASONS = {
    "not_numbers": "expected pairs 'lat,lon' in decimal degrees",
    "too_few_points": "a ring needs at least 4 pairs",
    "latitude_out_of_range": "a latitude beyond 90 degrees: CAP has latitude first",
    "longitude_out_of_range": "a longitude beyond 180 degrees",
    "not_closed": "the last pair must equal the first",
    "self_intersection": "the ring crosses or touches itself",
}


def info_problems(info: Element, *, sent_us: int | None) -> Problems:
    """Yield what is wrong with an ``info`` element beyond its schema.

    Parameters
    ----------
    info
        The element.
    sent_us
        When the alert was sent, microseconds UTC; None where that cannot be read.

    Yields
    ------
    CapProblem
        One each.
    """
    yield from _times(info, sent_us)
    for rule in _RULES:
        yield from rule(info)
    for resource in children(info, "resource"):
        yield from _resource(resource)
    for area in children(info, "area"):
        yield from _area(area)


def _times(info: Element, sent_us: int | None) -> Problems:
    effective_us, onset_us = _moment(info, "effective"), _moment(info, "onset")
    expires_us = _moment(info, "expires")
    expires = next(children(info, "expires"), None)
    if expires is None:
        yield warning("no_expires", "it never lapses", info)
        return
    if expires_us is None:
        return
    if sent_us is not None and expires_us < sent_us:
        yield error("expires_before_sent", "it expires before it was sent", expires)
    elif expires_us == sent_us:
        yield warning("expires_at_sent", "it expires at the moment at which it was sent", expires)
    if effective_us is not None and expires_us < effective_us:
        yield error("expires_before_effective", "it expires before it takes effect", expires)
    if onset_us is not None and expires_us < onset_us:
        yield warning("expires_before_onset", "it expires before the event begins", expires)


def _language(info: Element) -> Problems:
    for element in children(info, "language"):
        text = text_of(element)
        if text.strip() and LANGUAGE.fullmatch(text) is None:
            yield error("language_form", f"{text!r} is not a language code such as id or en-US", element)


def _event(info: Element) -> Problems:
    for element in children(info, "event"):
        length = len(text_of(element).strip())
        if length > EVENT_LENGTH:
            reason = f"{length} characters; some systems cut at {EVENT_LENGTH}"
            yield warning("event_long", reason, element)


def _web(info: Element) -> Problems:
    for element in children(info, "web"):
        text = text_of(element)
        if text.strip() and not is_absolute(text):
            yield error("web_relative", f"{text!r} is not an absolute URI", element)


def _resource(resource: Element) -> Problems:
    embedded = _has_text(resource, "derefUri")
    if not embedded and not _has_text(resource, "uri"):
        yield warning("resource_without_content", "neither uri nor derefUri", resource)
    for element in children(resource, "uri"):
        text = text_of(element)
        if text.strip() and not embedded and not is_absolute(text):
            yield error("uri_relative", f"{text!r} is not an absolute URI", element)
    for element in children(resource, "size"):
        if text_of(element).strip().startswith("-"):
            yield error("size_negative", f"{text_of(element)} bytes", element)


def _area(area: Element) -> Problems:
    for element in children(area, "polygon"):
        found = polygon_problem(text_of(element))
        if found not in {None, "empty"}:  # an empty element is told once, as such
            yield error(f"polygon_{found}", _POLYGON_REASONS[str(found)], element)
    for element in children(area, "circle"):
        yield from _circle(element)
    for child in area.iterchildren("{*}ceiling"):
        if next(children(area, "altitude"), None) is None:
            yield error("ceiling_without_altitude", "a ceiling needs an altitude", child)
    if not any(_has_text(area, name) for name in ("polygon", "circle", "geocode")):
        yield warning("area_without_place", "no polygon, circle or geocode says where", area)


def _circle(element: Element) -> Problems:
    text = text_of(element)
    if not text.strip():
        return
    try:
        centre, _ = parse_circle(text)
    except ValueError as reason:
        yield error("circle_form", str(reason), element)
        return
    found = position_problem(centre)
    if found is not None:
        yield error(f"circle_{found}", f"{text!r} is off the globe: CAP has latitude first", element)


def _moment(info: Element, name: str) -> int | None:
    found = next(children(info, name), None)
    return None if found is None else moment(text_of(found))


def _has_text(element: Element, name: str) -> bool:
    return any(text_of(child).strip() for child in children(element, name))


_RULES: tuple[Callable[[Element], Problems], ...] = (_language, _event, _web)
