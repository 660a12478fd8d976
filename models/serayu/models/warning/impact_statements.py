"""Who and what is reached, as sentences in no language yet; what nobody counted is named as not known."""

from collections.abc import Iterator

from serayu.models.warning.bulletin import AffectedArea, AffectedRuas, Impact
from serayu.models.warning.spoken import (
    Number,
    Phrase,
    Series,
    Value,
    awaited,
    clean,
    known,
    names,
    phrase,
    terms,
)

AREAS_AT_MOST, NAMES_AT_MOST = 12, 6
AREAS_KEY = "bulletin.impact.areas"
LAYERS = {"road_km": "ruas", "rice_ha": "rice"}
"""Layer that a number comes from, where it has another name."""
COUNTED = (("people", 0), ("buildings", 0), ("road_km", 1), ("rice_ha", 1))
"""Numbers of an impact and their decimals, in the order in which they are said."""


def impact_statements(impact: Impact, *, sent_us: int, set_out: bool = True) -> Iterator[Phrase]:
    """Yield the sentences on who and what is reached.

    Parameters
    ----------
    impact
        The impact.
    sent_us
        When it is said, from which arrival times count, microseconds UTC.
    set_out
        Whether the flood has set out, or is foreseen to: otherwise it arrives only if the limit is passed.
    """
    numbers = [(slug, decimals, getattr(impact, slug)) for slug, decimals in COUNTED]
    said: tuple[Value, ...] = tuple(
        phrase(f"bulletin.{slug}", n=Number(value, decimals))
        for slug, decimals, value in numbers
        if known(value)
    )
    unknown: list[Value] = [phrase(f"bulletin.{slug}.word") for slug, _, value in numbers if not known(value)]
    listed = (impact.areas, impact.ruas, impact.schools, impact.bridges, impact.health)
    if not said and not any(listed):
        yield phrase("bulletin.impact.unknown")
        unknown = []
    elif not impact.areas:
        unknown.insert(0, phrase("bulletin.areas.word"))
    if impact.areas:
        areas = names(
            (_area(area, sent_us=sent_us, set_out=set_out) for area in impact.areas), at_most=AREAS_AT_MOST
        )
        yield phrase(AREAS_KEY, areas=areas)
    if said:
        yield phrase("bulletin.impact.numbers", numbers=Series(said))
    yield from _lists(impact)
    if unknown:
        yield phrase("bulletin.unknown", names=Series(tuple(unknown)))
    if clean(impact.basis):
        yield phrase("bulletin.impact.basis", basis=clean(impact.basis))
    said_unknown = (
        {LAYERS.get(slug, slug) for slug, _, value in numbers if not known(value)} if unknown else set()
    )
    partly = [slug for slug in impact.missing if _partly(impact, slug)]
    if partly:
        yield phrase("bulletin.impact.partly", names=terms("impact.layer", partly))
    missing = [slug for slug in impact.missing if slug not in said_unknown and slug not in partly]
    if missing:
        yield phrase("bulletin.inputs_missing", names=terms("impact.layer", missing))


def _partly(impact: Impact, slug: str) -> bool:
    """Whether something is missing for some of the villages only: its number or time stands for others."""
    if slug == "travel_time":
        return any(area.arrival_us is not None for area in impact.areas)
    return slug in ("people", "buildings") and known(getattr(impact, slug))


def _lists(impact: Impact) -> Iterator[Phrase]:
    if impact.ruas:
        yield phrase("bulletin.ruas", names=names(map(_ruas, impact.ruas), at_most=NAMES_AT_MOST))
    for key, places in (("schools", impact.schools), ("bridges", impact.bridges), ("health", impact.health)):
        if places:
            yield phrase(f"bulletin.{key}", names=names(places, at_most=NAMES_AT_MOST))


def _area(area: AffectedArea, *, sent_us: int, set_out: bool) -> Value:
    details: list[Value] = [phrase("bulletin.code", code=clean(area.code))]
    if area.kecamatan is not None:
        details.append(phrase("bulletin.kecamatan", name=clean(area.kecamatan)))
    if area.people is not None:
        details.append(phrase("bulletin.people", n=Number(area.people)))
    if area.arrival_us is not None:
        early = "" if set_out else ".early"
        details.append(
            awaited(f"bulletin.arrival{early}", f"bulletin.arrived{early}", area.arrival_us, sent_us=sent_us)
        )
    return phrase("bulletin.area", name=clean(area.name), details=Series(tuple(details)))


def _ruas(ruas: AffectedRuas) -> Value:
    fields: dict[str, Value] = {
        "number": clean(ruas.number), "name": clean(ruas.name), "length": Number(ruas.length_km, 1),
    }  # fmt: skip
    if ruas.km_from is None or ruas.km_to is None:
        return Phrase("bulletin.ruas.whole", fields)
    ends: dict[str, Value] = {"from_km": Number(ruas.km_from, 1), "to_km": Number(ruas.km_to, 1)}
    return Phrase("bulletin.ruas.part", fields | ends)
