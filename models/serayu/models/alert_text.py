"""Alert changes as sentences, and how a Siaga level is shown: word, number, sign and colour together."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from serayu.models.alert import AlertChange
from serayu.models.siaga import ChangeKind, Siaga, SiagaChange
from serayu.models.station import Station
from serayu.models.texts import decimal, text
from serayu.models.times import wib

CM_PER_M = 100.0


class LevelStyle(NamedTuple):
    """How a level looks: a colour is never shown without its sign or its word."""

    colour: str
    sign: str


# Hijau, kuning, oranye, merah are the usual colours, but elsewhere green is the lamp of "siaga" (Perum Jasa
# Tirta, detik 2136240): so each has a sign of its own, which also serves people who do not tell green from red.
LEVEL_STYLES: Mapping[Siaga, LevelStyle] = MappingProxyType({
    Siaga.NORMAL: LevelStyle("#2e7d32", "●"),
    Siaga.WASPADA: LevelStyle("#fbc02d", "◆"),
    Siaga.SIAGA: LevelStyle("#ef6c00", "▲"),
    Siaga.AWAS: LevelStyle("#b71c1c", "■"),
})  # fmt: skip


def level_label(level: Siaga, lang: str = "id") -> str:
    """Return a level in words with its official number, e.g. ``SIAGA (Siaga 2)``."""
    return text(f"siaga.{level.value}.label", lang)


def change_sentence(change: AlertChange | SiagaChange, post: Station, lang: str = "id") -> str:
    """Return what happened at a post, with its numbers, time and what is not certain about it.

    Parameters
    ----------
    change
        The change.
    post
        Its station, with thresholds.
    lang
        ``id``, ``en`` or ``jv-banyumas`` (a draft: only below the Indonesian).

    Raises
    ------
    ValueError
        The station has no thresholds.
    """
    if post.thresholds is None:
        raise ValueError(f"station {post.id!r} has no thresholds")
    limit_m = post.thresholds.limit_m(change.after)
    sentence = text(
        _key(change),
        lang,
        label=level_label(change.after, lang),
        before=level_label(change.before, lang),
        post=post.name,
        river=post.river or post.name,
        level=decimal(change.level_m, 2, lang),
        limit=decimal(limit_m, 2, lang) if change.after is not Siaga.NORMAL else "",
        time=wib(change.at_us),
    )
    parts = [sentence, *_slope(change, lang)]
    if not change.verified:
        parts.append(text("alert.unverified", lang))
    return " ".join(parts)


def _key(change: AlertChange | SiagaChange) -> str:
    if change.kind is ChangeKind.RAISE:
        return f"alert.raise.{change.reason.value}"
    if change.kind is ChangeKind.LOWER and change.after is Siaga.NORMAL:
        return "alert.end"
    if change.unknown:
        return "alert.lapse.unknown"
    return f"alert.{change.kind.value}"


def _slope(change: AlertChange | SiagaChange, lang: str) -> list[str]:
    """Return the rate of rise as a sentence; nothing where it is unknown or rounds to zero."""
    rate_cm = 0.0 if change.slope_m_per_h is None else change.slope_m_per_h * CM_PER_M
    if not round(rate_cm):
        return []
    key = "alert.rising" if rate_cm > 0 else "alert.falling"
    return [text(key, lang, rate=decimal(abs(rate_cm), 0, lang))]
