"""What may be shown of the forecast of a post, and why nothing is where nothing may."""

from collections.abc import Sequence

import msgspec

from serayu.api.context import Api
from serayu.models.errors import BadInputError
from serayu.models.flood.shelf import ModelCard, model_file, read_card, refusal
from serayu.models.siaga_levels import Siaga
from serayu.models.station import Station
from serayu.models.texts import decimal, text
from serayu.models.times import US_PER_HOUR, rfc3339, wib
from serayu.models.warning.outlook import Outlook

__all__ = ["ForecastView", "forecast_view", "latest_shown"]

DIGITS = 3
LANGUAGES = ("id", "en")


class ForecastStep(msgspec.Struct, frozen=True):
    """The forecast at one horizon: median and 10-90 % band, metres above the datum.

    Parameters
    ----------
    skill
        Persistence index on storms that the model was not fitted on: 1 is perfect, 0 no better than a constant level.
    """

    hours: float
    time: str
    level_m: float
    low_m: float
    high_m: float
    method: str
    skill: float | None


class ForecastView(msgspec.Struct, frozen=True):
    """The latest forecast of a post.

    Parameters
    ----------
    shown
        Whether there is one to show; else `reason` is ``no_model``, ``refused``, ``no_skill``, ``none_yet`` or
        ``stale``.
    issued
        Newest data that it knew; null without a forecast.
    steps
        Horizons that may be shown.
    hidden_h
        Hours of the horizons that are not, for want of skill.
    probability
        Of passing the limit of each level up to the last horizon, 0-1; null where it does not say.
    crossing
        When the median passes each limit; null where it does not.
    without
        Inputs that were missing: station ids.
    learnt_from, fit_until
        What the model was fitted on and until when; null where that is not known.
    lines, lines_en
        The same in words.
    """

    station: str
    shown: bool
    reason: str | None
    issued: str | None
    steps: tuple[ForecastStep, ...]
    hidden_h: tuple[float, ...]
    probability: dict[str, float | None]
    crossing: dict[str, str | None]
    without: tuple[str, ...]
    learnt_from: str | None
    fit_until: str | None
    title: str
    title_en: str
    lines: tuple[str, ...]
    lines_en: tuple[str, ...]


def forecast_view(api: Api, station: Station, *, now_us: int) -> ForecastView:
    """Return a post's forecast as it may be shown at a time, microseconds UTC."""
    card, refused = _card(api, station, now_us)
    outlook, newest = _outlook(api, station, now_us)
    reason = None if outlook is not None else _reason(card, newest, refused=refused)
    hidden = () if card is None else tuple(one.horizon_h for one in card.horizons if not one.shown)
    levels = (Siaga.WASPADA, Siaga.SIAGA, Siaga.AWAS)
    none = (None, None, None)
    words = [_lines(station, outlook, newest, card, reason, hidden, lang) for lang in LANGUAGES]
    crossing = none if outlook is None else outlook.crossing_us
    return ForecastView(
        station=station.id,
        shown=outlook is not None,
        reason=reason,
        issued=None if newest is None else rfc3339(newest.issued_us),
        steps=() if outlook is None else tuple(_steps(outlook)),
        hidden_h=hidden,
        probability={
            level.value: None if p is None else round(p, DIGITS)
            for level, p in zip(levels, none if outlook is None else outlook.probability, strict=True)
        },
        crossing={
            level.value: None if t_us is None else rfc3339(t_us)
            for level, t_us in zip(levels, crossing, strict=True)
        },
        without=() if outlook is None else outlook.without,
        learnt_from=None if card is None else card.learnt_from,
        fit_until=None if card is None else rfc3339(card.fit_until_us),
        title=text("forecast.title", "id"),
        title_en=text("forecast.title", "en"),
        lines=words[0],
        lines_en=words[1],
    )


def latest_shown(api: Api, station: Station, *, now_us: int) -> Outlook | None:
    """Return the forecast of a post that is fresh enough to be shown; None without one."""
    return _outlook(api, station, now_us)[0]


def _outlook(api: Api, station: Station, now_us: int) -> tuple[Outlook | None, Outlook | None]:
    """Return the forecast that may be shown, and the newest of all."""
    if station.thresholds is None:
        return None, None
    newest = api.register.latest_forecast(api.region.code, station.id, by_us=now_us)
    fresh = newest is not None and now_us - newest.issued_us <= station.siaga.forecast_lapse_us
    return (newest if fresh else None), newest


def _card(api: Api, station: Station, now_us: int) -> tuple[ModelCard | None, bool]:
    """Return what the post's model says of itself, and whether it is refused."""
    file = model_file(api.settings.data_dir, station.id)
    if not file.is_file():
        return None, False
    try:
        card = read_card(file)
    except BadInputError:
        return None, True
    return card, refusal(card, station, now_us=now_us) is not None


def _reason(card: ModelCard | None, newest: Outlook | None, *, refused: bool) -> str:
    if refused:
        return "refused"
    if card is not None and not card.shown:
        return "no_skill"
    if newest is not None:
        return "stale"
    return "no_model" if card is None else "none_yet"


def _steps(outlook: Outlook) -> Sequence[ForecastStep]:
    return [
        ForecastStep(
            one.horizon_h,
            rfc3339(outlook.issued_us + round(one.horizon_h * US_PER_HOUR)),
            round(one.level_m, DIGITS),
            round(one.low_m, DIGITS),
            round(one.high_m, DIGITS),
            one.method,
            None if one.skill is None else round(one.skill, DIGITS),
        )
        for one in outlook.steps
    ]


def _lines(
    station: Station,
    outlook: Outlook | None,
    newest: Outlook | None,
    card: ModelCard | None,
    reason: str | None,
    hidden: Sequence[float],
    lang: str,
) -> tuple[str, ...]:
    if outlook is None:
        when = "" if newest is None else wib(newest.issued_us)
        return (text(f"forecast.none.{reason}", lang, time=when),) if station.thresholds is not None else ()
    lines = [_step_line(outlook, place, lang) for place in range(len(outlook.steps))]
    methods = ", ".join(dict.fromkeys(one.method for one in outlook.steps))
    lines.append(text("forecast.issued", lang, time=wib(outlook.issued_us), method=methods))
    if outlook.without:
        lines.append(text("forecast.without", lang, posts=", ".join(outlook.without)))
    lines += [text("forecast.hidden", lang, hours=f"{hours:g}") for hours in hidden]
    if card is not None and card.learnt_from == "invented":
        lines.append(text("forecast.learnt.invented", lang))
    return tuple(lines)


def _step_line(outlook: Outlook, place: int, lang: str) -> str:
    one = outlook.steps[place]
    hours = f"{one.horizon_h:g}"
    level, low, high = (decimal(value, 2, lang) for value in (one.level_m, one.low_m, one.high_m))
    when = wib(outlook.issued_us + round(one.horizon_h * US_PER_HOUR))
    said = text("forecast.step", lang, hours=hours, time=when, level=level, low=low, high=high)
    if one.skill is None:
        return said
    return f"{said}; {text('forecast.skill', lang, skill=decimal(one.skill, 1, lang), hours=hours)}"
