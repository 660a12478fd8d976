"""What the demonstration says of its warnings: one document, and the same for people."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from serayu.models.delivery.settings import load_delivery_settings
from serayu.models.region import Region
from serayu.models.stores.hot import HotStore
from serayu.models.stores.register import Register
from serayu.models.stores.register.bulletins import NumberedBulletin
from serayu.models.stores.register.database import sqlite_url
from serayu.models.warning.bulletin import Bulletin, MessageType
from serayu.models.warning.documents import bulletin_document
from serayu.models.warning.registers import plain_text
from serayu.standalone.drill.delivered import (
    AT_MOST,
    Escalated,
    Webhooks,
    account_escalation,
    account_webhooks,
)
from serayu.standalone.drill.hook import Received
from serayu.standalone.drill.lead import Lead, leads, median_min
from serayu.standalone.drill.served import Served, fetch_served, operator_key

WORST_KEYS = (
    "id",
    "station",
    "post",
    "level",
    "label",
    "status",
    "sent",
    "expires",
    "level_m",
    "texts",
    "sms",
)
FORECASTS = (
    "tidak ada model yang dipasang; tingkat dari ambang dan laju naik · none fitted: limits and rate of rise"
)


class Warnings(msgspec.Struct, frozen=True):
    """Everything that came of the warnings.

    Parameters
    ----------
    statuses
        Of all bulletins: Exercise and nothing else.
    issued
        Bulletins by type.
    lead, lead_median_min, without_lead, not_crossed
        A line per post and level, see `serayu.standalone.drill.lead.Lead`; the median over all crossings (0 where there
        was no lead), how many crossings had none, and how many levels were warned of and never crossed.
    forecasts
        What forecasts took part.
    cap
        CAP and Atom as the API serves them.
    worst
        The worst bulletin: its three registers, short messages and impact.
    webhook, escalation
        Deliveries, and what nobody acknowledged.
    """

    statuses: tuple[str, ...]
    issued: dict[str, int]
    lead: list[Lead]
    lead_median_min: float | None
    without_lead: int
    not_crossed: int
    forecasts: str
    cap: Served
    worst: dict[str, Any] | None
    webhook: Webhooks
    escalation: Escalated


def warnings_of(
    data: Path,
    region: Region,
    *,
    page: str,
    recipients: Mapping[str, str],
    received: Sequence[Received],
    receiver_ends: int,
) -> Warnings:
    """Read the stores, ask the API and return what came of the warnings.

    Parameters
    ----------
    data, region
        Data folder, and the demonstration's copy of the region.
    page
        Address of the site.
    recipients
        Recipient ids by path.
    received, receiver_ends
        Requests that came to the receiver, and how often it died.
    """
    with HotStore(data / "hot.sqlite") as store, Register(sqlite_url(data / "register.sqlite")) as register:
        said = register.bulletins_after(0, region=region.code, limit=AT_MOST)
        alerts = register.alerts(region.code, limit=AT_MOST)
        lead = leads(region, store, alerts, said)
        webhook = account_webhooks(register, region.code, recipients, received, receiver_ends=receiver_ends)
        after_us = load_delivery_settings(region.folder).escalation.wait_us(0)
        escalation = account_escalation(register, region.code, recipients, received, after_us=after_us)
    worst = worst_of(said)
    return Warnings(
        statuses=tuple(sorted({one.bulletin.status.value for one in said})),
        issued=_by_type(said),
        lead=lead,
        lead_median_min=median_min(lead),
        without_lead=sum(one.crossed is not None and one.lead_min is None for one in lead),
        not_crossed=sum(one.crossed is None for one in lead),
        forecasts=FORECASTS,
        cap=fetch_served(page, operator_key(data), [one.bulletin.id for one in said]),
        worst=None if worst is None else _worst(worst),
        webhook=webhook,
        escalation=escalation,
    )


def worst_of(said: Sequence[NumberedBulletin]) -> Bulletin | None:
    """Return the bulletin of the highest level that reaches the most people; the first of equals."""
    told = [one.bulletin for one in said if one.bulletin.msg_type is not MessageType.CANCEL]
    return max(told, key=lambda one: (one.level.rank, one.impact.people or 0), default=None)


def lines_of(warnings: Warnings) -> Iterator[str]:
    """Yield what people read, Indonesian first."""
    yield f"PERINGATAN ({', '.join(warnings.statuses)}; badai buatan) · WARNINGS (an invented storm)"
    for one in warnings.lead:
        yield f"  {one.station} {one.level}: {_lead(one)}"
    median = "–" if warnings.lead_median_min is None else f"{warnings.lead_median_min:g}"
    yield (
        f"  median {median} menit · min; tanpa waktu tunggu · without lead {warnings.without_lead}; "
        f"tidak terlampaui · not crossed {warnings.not_crossed}"
    )
    yield f"  prakiraan · forecasts: {warnings.forecasts}"
    cap = warnings.cap
    feed = "sah · valid" if cap.feed_valid else "TIDAK SAH · INVALID"
    yield f"CAP {cap.valid}/{cap.fetched} sah · valid; Atom {feed}, {cap.feed_entries} entri · entries"
    hook = warnings.webhook
    yield (
        f"Webhook: tiba · arrived {hook.arrived}/{hook.deliveries}; ganda ditandai · duplicates marked "
        f"{hook.duplicates}; hilang · missing "
        f"{len(hook.missing)}; tanda tangan salah · bad signatures {hook.bad_signatures}; server mati · died "
        f"{hook.receiver_ends}×, percobaan gagal · failed attempts {hook.failed_attempts}"
    )
    up = warnings.escalation
    yield (
        f"Eskalasi · escalation: {up.moved_on}/{up.waited} tidak dijawab · not acknowledged dalam · within "
        f"{up.after_min:g} menit · min; kepala diberi tahu · chief told {up.chief_told}×"
    )
    if warnings.worst is not None:
        yield from _worst_lines(warnings.worst)


def _worst_lines(worst: Mapping[str, Any]) -> Iterator[str]:
    yield f"TERBURUK · WORST: {worst['post']}, {worst['label']}"
    yield ""
    yield str(worst["plain_text"])
    yield f"SMS: {worst['sms']['id']}"
    yield f"SMS (en): {worst['sms']['en']}"
    impact = worst["impact"]
    yield (
        f"DAMPAK · IMPACT: jiwa · people {_count(impact['people'])}; bangunan · buildings "
        f"{_count(impact['buildings'])}; jalan · road {_count(impact['road_km'])} km; sawah · rice "
        f"{_count(impact['rice_ha'])} ha; desa · villages {', '.join(a['name'] for a in impact['areas']) or '–'}"
    )
    yield f"  {impact['basis']}"


def _count(value: float | None) -> str:
    return "tidak diketahui · not known" if value is None else f"{value:,.10g}"


def _lead(one: Lead) -> str:
    if one.crossed is None:
        return f"diperingatkan, tidak terlampaui · warned, not crossed ({one.reason})"
    if one.lead_min is None:
        return "tanpa waktu tunggu · no lead"
    return f"{one.lead_min:g} menit sebelum · min before ({one.reason})"


def _worst(bulletin: Bulletin) -> dict[str, Any]:
    document = bulletin_document(bulletin)
    return {
        **{name: document[name] for name in WORST_KEYS},
        "plain_text": plain_text(bulletin),
        "impact": document["impact"],
    }


def _by_type(said: Sequence[NumberedBulletin]) -> dict[str, int]:
    counts = {kind.value: 0 for kind in MessageType}
    for one in said:
        counts[one.bulletin.msg_type.value] += 1
    return counts
