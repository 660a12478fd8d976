"""Makes bulletins of what happens to alerts: of each change, before one expires, and when a post falls silent."""

import logging
import operator
import threading
from collections.abc import Callable, Mapping

import msgspec

from serayu.ingest.bulletin_ports import Desk, ImpactSource, Posts, RulesClock
from serayu.ingest.rounds import Round
from serayu.models.alert import Alert, AlertChange
from serayu.models.errors import BadInputError
from serayu.models.region import Region
from serayu.models.siaga import ChangeKind, Reason, Siaga
from serayu.models.station import Station
from serayu.models.stores.hot import HotStore
from serayu.models.stores.register import Register
from serayu.models.times import US_PER_DAY, US_PER_HOUR, US_PER_S, Clock
from serayu.models.uuid7 import uuid7
from serayu.models.warning.authority import Authority
from serayu.models.warning.bulletin import Bulletin, BulletinStatus, Foreseen, Hazard, Impact, MessageType
from serayu.models.warning.fallback import LEVEL, StandIn, stand_in

CURSOR = "bulletins"
VALID_US = US_PER_DAY
"""How long a bulletin holds after the evidence behind it, unless renewed."""
RENEW_BEFORE_US = 2 * US_PER_HOUR
"""How long before it expires a bulletin is renewed [project proposal]."""
LOOK_AFTER_S = 0.03
"""Longest time in which a step looks after alerts that have not changed [project proposal]."""
_AT_ONCE = 200
_RANK = operator.attrgetter("rank")
_logger = logging.getLogger(__name__)


class _Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a bulletin says of a level: see `Bulletin`; ``evidence_us`` is how old the evidence behind it is."""

    level: Siaga
    before: Siaga
    reason: Reason
    verified: bool
    level_m: float | None
    at_us: int
    slope_m_per_h: float | None
    evidence_us: int
    fallback: tuple[str, ...] = ()


class BulletinWriter:
    """Writes the bulletins of one region's alerts, each once in effect.

    A durable cursor follows the recorded changes. It moves after the register has taken a bulletin, and the register
    takes one bulletin per change: so a crash in between leaves none out and doubles none. Renewals, and updates because
    a post falls silent or speaks again, follow from the newest bulletin of each active alert.

    Parameters
    ----------
    register, store
        Alerts, forecasts and bulletins; the hot store, which keeps the cursor.
    region, posts
        Stations, and what they say.
    desk
        Records bulletins with their deliveries.
    rules, computer
        Clock of the rules (a replay has its own, see `serayu.ingest.clock.Settled`), and the computer's.
    authority
        Who answers for them.
    rehearsal
        EXERCISE or TEST where this is one.
    impact
        Makes what says who is reached; called once, for the first bulletin.
    """

    def __init__(  # noqa: PLR0913 -- the parts that it works with
        self,
        register: Register,
        store: HotStore,
        region: Region,
        desk: Desk,
        *,
        posts: Posts,
        rules: RulesClock,
        computer: Clock,
        authority: Authority,
        rehearsal: BulletinStatus | None = None,
        impact: Callable[[], ImpactSource | None] = lambda: None,
    ) -> None:
        self._register = register
        self._store = store
        self._region = region
        self._desk = desk
        self._posts = posts
        self._rules = rules
        self._computer = computer
        self._authority = authority
        self._status = self._authority.status(rehearsal=rehearsal)
        self._make_impact = impact
        self._impact: ImpactSource | None = None
        self._impact_made = False
        self._round = Round(LOOK_AFTER_S)

    def step(self) -> list[Bulletin]:
        """Write what has to be said now; return what was recorded.

        Every change is told. The active alerts are looked after in turn: with hundreds of them a step gets to some,
        the next to others, so that a change never waits long.

        Raises
        ------
        StoreError
            A store could not be read or written; the next step takes up at the same place.
        """
        said = self.tell_changes()
        alerts = self._register.active_levels(self._region.code)
        for station in self._round.turn(alerts):
            bulletin = self._look_after(alerts[station], alerts)
            if bulletin is not None and self._issue(bulletin):
                said.append(bulletin)
        return said

    def prepare(self) -> None:
        """Load what the first bulletin needs, while there is time: texts, map layers and their libraries."""
        if not self._impact_made:
            from serayu.models.warning import documents  # noqa: F401, PLC0415 -- all texts, a tenth of a second

            self._impact, self._impact_made = self._make_impact(), True

    def tell_changes(self) -> list[Bulletin]:
        """Write what the recorded changes ask for and nothing else; returns and raises as `step` does."""
        said = []
        position = self._store.cursor(CURSOR)
        if position > self._register.last_change_id():
            position = 0  # another register: restored, or made anew
        while changes := self._register.changes_after(position, region=self._region.code, limit=_AT_ONCE):
            for change in changes:
                bulletin = self._of_change(change)
                if bulletin is not None and self._issue(bulletin):
                    said.append(bulletin)
            position = changes[-1].id
            self._store.set_cursor(CURSOR, position)
        return said

    def _issue(self, bulletin: Bulletin) -> bool:
        rules_us = self._rules.not_before(bulletin.at_us)  # not `sent_us`, which is rounded up
        return self._desk.issue(bulletin, rules_us=rules_us, now_us=self._computer.now_us())

    # -- what is said ------------------------------------------------------------------------------------------

    def _of_change(self, change: AlertChange) -> Bulletin | None:
        """Return the bulletin of a change; None for one that lapsed long ago, or of which nobody ever heard."""
        post = self._post(change.station)
        now_us = self._now_us(change.at_us)
        if post is None or change.at_us + VALID_US <= now_us:
            return None
        last = self._register.latest_bulletin(change.alert_id)
        if last is not None and last.msg_type is MessageType.CANCEL:
            return None
        if change.after is Siaga.NORMAL:
            return None if last is None else self._end(post, change, last, now_us)
        said = _Said(
            level=change.after,
            before=change.before,
            reason=_reason(self._register.alert(change.alert_id), change),
            verified=change.verified,
            level_m=change.level_m,
            at_us=change.at_us,
            slope_m_per_h=change.slope_m_per_h,
            evidence_us=change.at_us,
        )
        return self._speak(post, change.alert_id, last, said, now_us=now_us, change_id=change.id)

    def _look_after(self, alert: Alert, alerts: Mapping[str, Alert]) -> Bulletin | None:
        """Return what an active alert needs without a change: a stand-in's word, the post's own again, a renewal."""
        post = self._post(alert.station)
        if post is None or not alert.changes or alert.changes[-1].id > self._store.cursor(CURSOR):
            return None  # what has just changed is told first
        now_us, last = self._now_us(alert.updated_us), self._register.latest_bulletin(alert.id)
        if last is not None and last.msg_type is MessageType.CANCEL:
            return None
        standing = self._standing(post, now_us)
        level = _level(alert, standing, last, alerts)
        sources = () if standing is None else (standing.source,)
        if last is not None and standing is None and not self._posts.speaks(post, LEVEL, now_us):
            return None  # nobody speaks: what was said holds until it lapses
        newest_m, newest_us = self._newest(post, now_us)
        evidence_us = alert.updated_us if newest_us is None else newest_us
        evidence_us = evidence_us if standing is None else now_us
        told = last is not None and (last.fallback, last.level) == (sources, level)
        if evidence_us + VALID_US <= now_us or (
            told and last is not None and not _due(last, evidence_us, now_us)
        ):
            return None
        said = _Said(
            level=level,
            before=Siaga.NORMAL if last is None else last.level,
            reason=alert.reason if level is alert.level else Reason.THRESHOLD,
            verified=alert.verified,
            level_m=newest_m if standing is None else None,
            at_us=now_us if newest_us is None or standing is not None else newest_us,
            slope_m_per_h=None,
            evidence_us=evidence_us,
            fallback=sources,
        )
        return self._speak(post, alert.id, last, said, now_us=now_us)

    def _end(self, post: Station, change: AlertChange, last: Bulletin, now_us: int) -> Bulletin:
        """Return the end of an alert: back to normal, taken back, or not known any more."""
        # Taken back: there never was what it leaves. See `serayu.models.warning.statements.head`.
        before = Siaga.NORMAL if change.kind is ChangeKind.RETRACT else change.before
        return msgspec.structs.replace(
            self._template(post, change.alert_id, now_us, last),
            change_id=change.id,
            msg_type=MessageType.CANCEL,
            references=((last.id, last.sent_us),),
            before=before,
            reason=change.reason,
            verified=change.verified,
            level_m=None if change.unknown else change.level_m,
            at_us=change.at_us,
            slope_m_per_h=change.slope_m_per_h,
        )

    def _speak(
        self,
        post: Station,
        alert_id: str,
        last: Bulletin | None,
        said: "_Said",
        *,
        now_us: int,
        change_id: int | None = None,
    ) -> Bulletin:
        """Return an Alert, or the Update of an earlier bulletin."""
        foreseen = self._foreseen(post, said.level, max(now_us, said.at_us))
        limits = post.thresholds
        bulletin = msgspec.structs.replace(
            self._template(post, alert_id, now_us, last),
            change_id=change_id,
            msg_type=MessageType.ALERT if last is None else MessageType.UPDATE,
            references=() if last is None else ((last.id, last.sent_us),),
            expires_us=max(_whole_s(said.evidence_us) + VALID_US, now_us + US_PER_S),
            level=said.level,
            before=said.before,
            reason=said.reason,
            verified=said.verified,
            level_m=said.level_m,
            limit_m=None if limits is None else limits.limit_m(said.level),
            at_us=said.at_us,
            slope_m_per_h=said.slope_m_per_h,
            foreseen=foreseen,
            fallback=said.fallback,
        )
        return msgspec.structs.replace(bulletin, impact=self._assess(bulletin))

    def _template(self, post: Station, alert_id: str, now_us: int, last: Bulletin | None) -> Bulletin:
        """Return what every bulletin of a post has in common."""
        limits = post.thresholds
        return Bulletin(
            id=uuid7(self._computer.now_us()),
            alert_id=alert_id,
            change_id=None,
            region=self._region.code,
            station=post.id,
            hazard=Hazard.FLOOD,
            msg_type=MessageType.ALERT,
            status=self._authority.status_after(last, self._status),
            sent_us=now_us,
            expires_us=now_us + VALID_US,
            level=Siaga.NORMAL,
            before=Siaga.NORMAL,
            reason=Reason.THRESHOLD,
            post=post.name,
            river=post.river,
            at_us=now_us,
            authority=self._authority.signer,
            invented=limits is not None and limits.invented,
        )

    def _assess(self, bulletin: Bulletin) -> Impact:
        self.prepare()
        if self._impact is None:
            return Impact()
        return self._impact.assess(
            bulletin.station,
            bulletin.level,
            at_us=self._passed_us(bulletin),
            crossing_us=None if bulletin.foreseen is None else bulletin.foreseen.crossing_us,
            level_m=bulletin.level_m,
        )

    def _passed_us(self, bulletin: Bulletin) -> int:
        """Return since when the level has been in force by what was told; a renewal is no new flood that sets out."""
        since_us = bulletin.at_us
        if bulletin.reason is Reason.THRESHOLD:
            for earlier in reversed(self._register.bulletins_of(bulletin.alert_id)):
                if earlier.level.rank < bulletin.level.rank or earlier.reason is not Reason.THRESHOLD:
                    break
                since_us = min(since_us, earlier.at_us)
        return since_us

    # -- what is known -----------------------------------------------------------------------------------------

    def _now_us(self, at_least_us: int) -> int:
        """Return the present in whole seconds, as CAP has them, and not before what is told.

        A station whose clock is ahead dates no bulletin: until then it would be in force nowhere.
        """
        now_us = self._rules.not_before(at_least_us)
        return now_us + -now_us % US_PER_S

    def _post(self, station: str) -> Station | None:
        post = self._region.stations.get(station)
        return post if post is not None and post.thresholds is not None else None

    def _standing(self, post: Station, now_us: int) -> StandIn | None:
        found = stand_in(self._region, post, self._posts, now_us=now_us)
        return found if found is not None and found.supports else None

    def _newest(self, post: Station, now_us: int) -> tuple[float | None, int | None]:
        """Return the newest usable level of a day, and its time; None without one."""
        newest_us = self._posts.newest_us(post, LEVEL, now_us - VALID_US, now_us)
        if newest_us is None:
            return None, None
        return self._posts.highest(post, newest_us - 1, newest_us), newest_us

    def _foreseen(self, post: Station, level: Siaga, now_us: int) -> Foreseen | None:
        """Return what the newest forecast says, unless it is older than a level may rest on it."""
        outlook = self._register.latest_forecast(self._region.code, post.id, by_us=now_us)
        if outlook is None or now_us - outlook.issued_us > post.siaga.forecast_lapse_us:
            return None
        return outlook.foreseen(level)


class ImpactLoader:
    """Reads what says who is reached while nothing is wrong yet, beside everything else: the layers take seconds."""

    def __init__(self, region: Region) -> None:
        self._region = region
        self._found: ImpactSource | None = None
        self._thread = threading.Thread(target=self._load, name="serayu-ingest-impact", daemon=True)
        self._thread.start()

    def wait(self) -> ImpactSource | None:
        """Return it once it has been read; None where it cannot be."""
        self._thread.join()
        return self._found

    def _load(self) -> None:
        self._found = load_impact(self._region)


def load_impact(region: Region) -> ImpactSource | None:
    """Return what says who is reached; None where its libraries or the region's layers are not there."""
    try:
        from serayu.models.impact import ImpactIndex  # noqa: PLC0415 -- shapely: only once something is wrong

        return ImpactIndex.load(region.folder, region=region)
    except (ImportError, BadInputError) as error:
        _logger.warning("bulletins go out without impact: %s", error)
        return None


def _whole_s(t_us: int) -> int:
    return t_us - t_us % US_PER_S


def _level(
    alert: Alert, standing: StandIn | None, last: Bulletin | None, alerts: Mapping[str, Alert]
) -> Siaga:
    """Return the worse of the post's level and a stand-in's, which holds as long as its own alert: not to flap."""
    if standing is None:
        return alert.level
    said, own = [alert.level, standing.level or alert.level], alerts.get(standing.source)
    if own is not None and last is not None and last.fallback == (standing.source,):
        said.append(min(last.level, own.level, key=_RANK))
    return max(said, key=_RANK)


def _due(last: Bulletin, evidence_us: int, now_us: int) -> bool:
    """Say whether a bulletin must be renewed: it expires soon, and there is evidence that carries it on."""
    return (
        last.expires_us - now_us <= RENEW_BEFORE_US
        and evidence_us + VALID_US - last.expires_us > RENEW_BEFORE_US
    )


def _reason(alert: Alert, change: AlertChange) -> Reason:
    """Return why the level after a change is in force: what reached it, unless the change itself did."""
    if change.kind not in (ChangeKind.LOWER, ChangeKind.LAPSE):
        return change.reason
    reached = [
        one.reason
        for one in alert.changes
        if one.id < change.id
        and one.after is change.after
        and one.kind in (ChangeKind.RAISE, ChangeKind.CONFIRM)
    ]
    return reached[-1] if reached else Reason.THRESHOLD
