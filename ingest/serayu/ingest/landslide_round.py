"""One round of the landslide watch: assess every road, keep it, and tell what has to be told."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import msgspec

from serayu.ingest.landslide_evidence import EvidenceReader, LiveEvidence
from serayu.ingest.landslide_watch import FINDINGS_FILE, SLOPES_FILE
from serayu.models.delivery.desk import DeliveryDesk
from serayu.models.landslide.assess import assess
from serayu.models.landslide.bulletin import Envelope, ruas_bulletin
from serayu.models.landslide.result import Report, RuasResult, UnitResult, Verdict
from serayu.models.landslide.rules import SAFETY
from serayu.models.landslide.surveyed import SurveyBook
from serayu.models.landslide.units import read_units
from serayu.models.landslide.watch import (
    REVISED_SHARE,
    VALID_US,
    Act,
    Decision,
    LandslideRecord,
    Pending,
    RainBasis,
    RoadWatch,
    Situation,
    decide,
    in_force,
)
from serayu.models.region import Region
from serayu.models.siaga_levels import Siaga
from serayu.models.stores.hot import HotStore
from serayu.models.texts import text
from serayu.models.times import US_PER_S, Clock, parse_rfc3339
from serayu.models.uuid7 import uuid7
from serayu.models.warning.authority import Authority
from serayu.models.warning.bulletin import Bulletin, BulletinStatus, Impact, MessageType


class LandslideBook(SurveyBook, Protocol):
    """What a round needs of the register."""

    def landslide(self, region: str) -> LandslideRecord | None:
        """Return the newest assessment."""
        ...

    def record_landslide(
        self, region: str, *, at_us: int, report: Report, roads: Mapping[str, RoadWatch]
    ) -> None:
        """Keep an assessment."""
        ...

    def latest_bulletin(self, alert_id: str) -> Bulletin | None:
        """Return what was said last about an alert."""
        ...


class LandslideRound:
    """Assesses the slopes of one region and writes the bulletins of its roads, each once in effect.

    The id of a road's alert is kept before its first bulletin is recorded, and everything else follows from the newest
    bulletin of that alert: so a process that is killed in between repeats nothing and forgets nothing.

    Parameters
    ----------
    book
        The register.
    store, region
        Observations, stations, and the region folder with its slope units.
    desk
        Records bulletins with their deliveries.
    computer
        The computer's clock, for ids.
    authority
        Who answers for the bulletins.
    rehearsal
        EXERCISE or TEST where this is one.
    data_dir
        Folder where a file of findings may lie.

    Raises
    ------
    BadInputError
        The slope units are wrong.
    """

    def __init__(
        self,
        book: LandslideBook,
        store: HotStore,
        region: Region,
        desk: DeliveryDesk,
        *,
        computer: Clock,
        authority: Authority,
        data_dir: Path,
        rehearsal: BulletinStatus | None = None,
    ) -> None:
        self._book = book
        self._region = region
        self._desk = desk
        self._computer = computer
        self._authority = authority
        self._status = authority.status(rehearsal=rehearsal)
        self._units = read_units(region.folder / SLOPES_FILE)
        self._reader = EvidenceReader(
            store, region, self._units, surveys=book, findings=data_dir / FINDINGS_FILE
        )

    def step(self, *, at_us: int) -> tuple[Report, list[Bulletin]]:
        """Assess every road as of a moment; return the report and the bulletins that were recorded.

        Raises
        ------
        StoreError
            A store could not be read or written; the next round takes up at the same place.
        """
        known = self._reader.read(at_us=at_us)
        report = assess(self._units, known.evidence, at_us=at_us)
        before = self._book.landslide(self._region.code)
        roads = dict(before.roads) if before is not None else {}
        drafts = []
        for road in report.ruas:
            teller = _Teller(self, report, road, known, at_us=at_us)
            roads[road.ruas], draft = teller.tell(roads.get(road.ruas, RoadWatch()))
            if draft is not None:
                drafts.append(draft)
        self._book.record_landslide(self._region.code, at_us=at_us, report=report, roads=roads)
        return report, [one for one in drafts if self._issue(one, at_us)]

    def _issue(self, bulletin: Bulletin, at_us: int) -> bool:
        return self._desk.issue(bulletin, rules_us=at_us, now_us=self._computer.now_us())

    # -- what a teller asks ------------------------------------------------------------------------------------

    def latest(self, alert_id: str | None) -> Bulletin | None:
        """Return what was said last of an alert."""
        return None if alert_id is None else self._book.latest_bulletin(alert_id)

    def status_after(self, last: Bulletin | None) -> BulletinStatus:
        """Return the status of what follows an alert's last bulletin."""
        return self._authority.status_after(last, self._status)

    def new_id(self) -> str:
        """Return a new id."""
        return uuid7(self._computer.now_us())

    def written(
        self, road: RuasResult, report: Report, envelope: dict[str, object], *, impact: Impact | None
    ) -> Bulletin:
        """Return a bulletin of a road's assessment, with the gauge's name; *impact* replaces its own."""
        given = Envelope(
            id=self.new_id(),
            region=self._region.code,
            authority=self._authority.signer,
            **envelope,  # type: ignore[arg-type]
        )
        made = ruas_bulletin(road, report, self._units, envelope=given)
        station = self._region.stations.get(made.station)
        named = made if station is None or made.post != station.id else _named(made, station.name)
        return named if impact is None else msgspec.structs.replace(named, impact=impact)

    def unsupported(self, last: Bulletin, envelope: dict[str, object]) -> Bulletin:
        """Return the end of a warning behind which there is nothing that is known any more."""
        place = last.post if last.slope is None else last.slope.place
        ended = {"level": Siaga.NORMAL, "slope": None, "impact": Impact(), "post": place, "note": None}
        fixed = {"authority": self._authority.signer, "verified": True}
        return msgspec.structs.replace(
            last, id=self.new_id(), **ended, **fixed, at_us=envelope["sent_us"], **envelope
        )


class _Teller:
    """What is to be said of one road after one assessment."""

    def __init__(
        self, round_: LandslideRound, report: Report, road: RuasResult, known: LiveEvidence, *, at_us: int
    ) -> None:
        self._round = round_
        self._report = report
        self._road = road
        self._known = known
        self._at_us = at_us
        self._units = [unit for unit in report.units if unit.ruas == road.ruas]
        self._worst = next(unit for unit in self._units if unit.id == road.unit)

    def tell(self, watch: RoadWatch) -> tuple[RoadWatch, Bulletin | None]:
        """Return what is to be remembered, and the bulletin that has to be recorded."""
        newest = self._round.latest(watch.alert_id)
        last, watch = in_force(newest, at_us=self._at_us), watch.settled(newest)
        level = self._road.level.siaga
        lower = last is not None and level is not None and level.rank < last.level.rank
        since_us = (watch.lower_since_us or self._at_us) if lower else None
        decision = decide(last, self._situation(last, watch, level, since_us))
        kept = msgspec.structs.replace(watch, lower_since_us=since_us, held=decision.held)
        if decision.act is Act.NOTHING:
            return kept, None
        # An alert that was to be told when the process ended has an id and no bulletin yet: it keeps its id.
        over = last is None and newest is not None
        alert_id = self._round.new_id() if over or watch.alert_id is None else watch.alert_id
        basis = watch.basis if decision.held else _basis(self._worst)
        bulletin = self._bulletin(alert_id, last, decision, basis)
        pending = Pending(bulletin.id, since_us if decision.held else None, basis)
        return msgspec.structs.replace(kept, alert_id=alert_id, pending=pending), bulletin

    def _situation(
        self, last: Bulletin | None, watch: RoadWatch, level: Siaga | None, since_us: int | None
    ) -> Situation:
        gauges = {unit.gauge for unit in self._units if unit.gauge is not None}
        return Situation(
            level=level,
            at_us=self._at_us,
            evidence_us=self._evidence_us(held=since_us is not None),
            storm=last is not None and since_us is not None and self._known.storm(gauges, at_us=self._at_us),
            lower_since_us=since_us,
            revised=last is not None and self._revised(watch.basis),
        )

    def _revised(self, basis: RainBasis | None) -> bool:
        """Say whether quality control has taken back the rain that a level rests on."""
        if basis is None:
            return False
        return self._known.rain_mm(basis.gauge, basis.begin_us, basis.end_us) < REVISED_SHARE * basis.mm

    def _evidence_us(self, *, held: bool = False) -> int:
        """Return the newest rain of the road's units.

        Where only a finding speaks the moment itself, but nothing (0) for a level that is held above it: that one rests
        on a storm, and no gauge says that there still is one.
        """
        ends = [parse_rfc3339(unit.rain_until) for unit in self._units if unit.rain_until is not None]
        return max(ends, default=0 if held else self._at_us)

    def _bulletin(
        self, alert_id: str, last: Bulletin | None, decision: Decision, basis: RainBasis | None
    ) -> Bulletin:
        over = decision.act is not Act.WARN
        envelope = self._envelope(alert_id, last, decision)
        if last is not None and over and self._road.level.siaga is None:
            return self._round.unsupported(last, envelope)
        note = text("landslide.bulletin.held") if decision.held else None
        made = self._round.written(
            self._road,
            self._report,
            {**envelope, "note": note},
            impact=last.impact if last is not None and decision.held else None,
        )
        verified = basis is None or over or self._known.verified(basis.gauge, basis.begin_us, basis.end_us)
        return msgspec.structs.replace(made, level=decision.level, verified=verified)

    def _envelope(self, alert_id: str, last: Bulletin | None, decision: Decision) -> dict[str, object]:
        sent_us = self._at_us + -self._at_us % US_PER_S
        over = decision.act is not Act.WARN
        evidence_us = sent_us if over else self._evidence_us()
        before = Siaga.NORMAL if last is None or decision.act is Act.WITHDRAW else last.level
        kind = MessageType.CANCEL if over else MessageType.ALERT if last is None else MessageType.UPDATE
        return {
            "alert_id": alert_id,
            "status": self._round.status_after(last),
            "sent_us": sent_us,
            "expires_us": max(evidence_us - evidence_us % US_PER_S + VALID_US, sent_us + US_PER_S),
            "msg_type": kind,
            "references": () if last is None else ((last.id, last.sent_us),),
            "before": before,
        }


def _basis(worst: UnitResult) -> RainBasis | None:
    """Return the rain behind a unit's level: the strongest rule that rain exceeds and whose window is known."""
    rules = [
        rule
        for rule in worst.rules
        if rule.rule != SAFETY and rule.unit == "mm" and rule.verdict is Verdict.EXCEEDED and rule.begin
    ]
    if worst.gauge is None or not rules:
        return None
    rule = max(rules, key=lambda one: (one.level.rank, one.ratio or 0.0))
    begin_us, end_us = parse_rfc3339(rule.begin or ""), parse_rfc3339(rule.end or "")
    return RainBasis(worst.gauge, begin_us, end_us, rule.value or 0.0)


def _named(bulletin: Bulletin, name: str) -> Bulletin:
    return msgspec.structs.replace(bulletin, post=name)
