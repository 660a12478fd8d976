"""An assessment as it is shown: what is too old is not known, and beside each road stands the warning in force."""

from collections.abc import Mapping

import msgspec

from serayu.models.landslide.levels import SlopeLevel
from serayu.models.landslide.result import Explanation, Report
from serayu.models.landslide.watch import LandslideRecord, in_force
from serayu.models.texts import text
from serayu.models.times import US_PER_MINUTE, rfc3339, wib
from serayu.models.warning.bulletin import Bulletin

__all__ = ["STALE_AFTER_US", "landslide_document", "shown_report"]

STALE_AFTER_US = 30 * US_PER_MINUTE
"""An older assessment says nothing about the present: six rounds of five minutes were missed [project proposal]."""


def shown_report(record: LandslideRecord, *, now_us: int) -> Report:
    """Return the report; where it is too old no level of it is known, and the explanations say so."""
    report = record.report
    if now_us - record.at_us <= STALE_AFTER_US:
        return report
    time = wib(record.at_us)
    said = Explanation(*(text("landslide.explain.stale", lang, time=time) for lang in ("id", "en")))
    unknown = {"level": SlopeLevel.UNKNOWN, "siaga": None, "explanation": said}
    return msgspec.structs.replace(
        report,
        ruas=tuple(
            msgspec.structs.replace(one, **unknown, unknown_units=len(one.units)) for one in report.ruas
        ),
        units=tuple(msgspec.structs.replace(one, **unknown, deciding=None) for one in report.units),
    )


def landslide_document(
    record: LandslideRecord, newest: Mapping[str, Bulletin], *, now_us: int
) -> dict[str, object]:
    """Return the newest assessment as a document.

    Parameters
    ----------
    record
        The assessment.
    newest
        Newest bulletin of each alert that the reader may know of, by alert id.
    now_us
        Present, microseconds UTC.

    Returns
    -------
    dict
        That of `Report` with ``stale``; each road has ``warning``: the warning in force, which is held above the
        level of the assessment until the storm is over (``held``), or None.
    """
    report = shown_report(record, now_us=now_us)
    document: dict[str, object] = msgspec.to_builtins(report)
    roads = [
        {**msgspec.to_builtins(road), "warning": _warning(record, road.ruas, newest, now_us=now_us)}
        for road in report.ruas
    ]
    return {**document, "stale": report is not record.report, "ruas": roads}


def _warning(
    record: LandslideRecord, ruas: str, newest: Mapping[str, Bulletin], *, now_us: int
) -> dict[str, object] | None:
    watch = record.roads.get(ruas)
    last = None if watch is None or watch.alert_id is None else newest.get(watch.alert_id)
    last = in_force(last, at_us=now_us)
    if watch is None or last is None or last.expires_us <= now_us:
        return None
    return {
        "alert": last.alert_id,
        "bulletin": last.id,
        "siaga": last.level.value,
        "sent": rfc3339(last.sent_us),
        "expires": rfc3339(last.expires_us),
        "held": watch.held,
        "verified": last.verified,
    }
