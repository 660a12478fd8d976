"""What the monitoring shows and no bulletin that the reader sees speaks of: the map shows it, so this page must too."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from serayu.api.context import Api
from serayu.models.alert import Alert, AlertStatus
from serayu.models.alert_text import LEVEL_STYLES, level_label
from serayu.models.landslide.published import shown_report
from serayu.models.siaga_levels import Reason, Siaga
from serayu.models.station import Station
from serayu.models.texts import decimal, text
from serayu.models.times import parse_rfc3339, wib
from serayu.models.warning.bulletin import Bulletin

__all__ = ["Watched", "watched"]

AT_MOST = 50
LANGS = ("id", "en")


class Watched(NamedTuple):
    """A level above normal that the monitoring shows, with its sentence in Indonesian and in English."""

    level: Siaga
    sign: str
    said: tuple[str, ...]


def watched(api: Api, shown: Sequence[Bulletin], *, now_us: int) -> list[Watched]:
    """Return the levels above normal of posts and roads of whose alerts no shown bulletin speaks, the worst first.

    Parameters
    ----------
    api
        The api.
    shown
        Bulletins in force that the reader sees.
    now_us
        Present, microseconds UTC: an assessment of the slopes that is too old says nothing.
    """
    told = {one.alert_id for one in shown}
    found = [*_rivers(api, told), *_slopes(api, told, now_us=now_us)]
    return sorted(found, key=lambda one: -one.level.rank)


def _rivers(api: Api, told: set[str]) -> Iterator[Watched]:
    for alert in api.register.alerts(api.region.code, status=AlertStatus.ACTIVE, limit=AT_MOST):
        if alert.id in told:
            continue
        post = api.region.stations.get(alert.station)
        name, time = alert.station if post is None else post.name, wib(alert.updated_us)
        said = tuple(
            text(
                "page.warnings.watched.flood",
                lang,
                label=level_label(alert.level, lang),
                post=name,
                level=decimal(alert.level_m, 2, lang),
                time=time,
            )
            + _ahead(alert, post, lang)
            + ("" if alert.verified else f" {text('alert.unverified', lang)}")
            for lang in LANGS
        )
        yield Watched(alert.level, LEVEL_STYLES[alert.level].sign, said)


def _ahead(alert: Alert, post: Station | None, lang: str) -> str:
    """Return that the level is only foreseen and its limit not passed yet; nothing where it is."""
    if post is None or post.thresholds is None or alert.reason is Reason.THRESHOLD:
        return ""
    limit_m = post.thresholds.limit_m(alert.level)
    if alert.level_m >= limit_m:
        return ""
    return f" {text('page.warnings.watched.ahead', lang, limit=decimal(limit_m, 2, lang))}"


def _slopes(api: Api, told: set[str], *, now_us: int) -> Iterator[Watched]:
    record = api.register.landslide(api.region.code)
    if record is None:
        return
    report = shown_report(record, now_us=now_us)
    time = wib(parse_rfc3339(report.at))
    for road in report.ruas:
        level = road.level.siaga
        watch = record.roads.get(road.ruas)
        if level in (None, Siaga.NORMAL) or (watch is not None and watch.alert_id in told):
            continue
        said = tuple(
            text(
                "page.warnings.watched.landslide",
                lang,
                label=level_label(level, lang),
                road=road.name,
                time=time,
            )
            for lang in LANGS
        )
        yield Watched(level, LEVEL_STYLES[level].sign, said)
