"""The alert evaluator: follows the hot store by a durable cursor and records what the Siaga machines say."""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

import msgspec

from serayu.models.alert import Alert, AlertChange
from serayu.models.quality.sensor_alarm import SensorFault
from serayu.models.quality.sensor_caution import cautious, tell
from serayu.models.reading import Observation
from serayu.models.region import Region
from serayu.models.siaga import Comparator, Siaga, SiagaChange, SiagaMachine, SiagaSettings, SiagaState
from serayu.models.station import Station
from serayu.models.stores.hot import Change
from serayu.models.stores.register.evaluator import CursorMove, EvaluatorSnapshot
from serayu.models.times import US_PER_MINUTE, US_PER_S, Clock, SystemClock
from serayu.models.warning.outlook import Outlook, TunedRules

LEVEL = "stage"
STEP_CHANGES = 5000
CURSOR_SLACK = 10_000
"""Changes that concern no machine are passed without a write, so many at most: a restart reads them again."""

SUSTAIN_EVERY_US = 10 * US_PER_MINUTE
"""How often it is written down that another source supports a level: much more often than anything lapses."""

_log = logging.getLogger(__name__)


class ChangeFeed(Protocol):
    """What the evaluator needs of the hot store."""

    def changes(self, after_id: int, *, limit: int) -> Sequence[Change]:
        """Return what was stored or revised after a change number, in that order."""
        ...

    def last_change_id(self) -> int:
        """Return the newest change number."""
        ...


class ChangeLog(Protocol):
    """What the evaluator needs of the register."""

    def evaluator_snapshot(self, region: str, name: str) -> EvaluatorSnapshot:
        """Return position and states as of one moment."""
        ...

    def active_levels(self, region: str) -> Mapping[str, Alert]:
        """Return the active alert of every station that is not normal."""
        ...

    def record_changes(
        self,
        region: str,
        *,
        cursor: CursorMove,
        states: Mapping[str, bytes],
        changes: Sequence[tuple[str, SiagaChange]],
        now_us: int,
    ) -> list[AlertChange]:
        """Move the cursor, keep the states and record the changes, all or nothing."""
        ...


class AlertEvaluator:
    """Evaluates the river posts of one region; a crash at any point misses no change and doubles none.

    Parameters
    ----------
    store
        Hot store that is followed.
    register
        Keeps cursor, states and alerts.
    region
        Its stations with thresholds are evaluated.
    name
        Name of the cursor: one evaluator at a time may use it.
    clock
        Tells when a change is recorded.
    """

    def __init__(
        self,
        store: ChangeFeed,
        register: ChangeLog,
        region: Region,
        *,
        name: str = "alerts",
        clock: Clock | None = None,
    ) -> None:
        self.name = name
        self._store = store
        self._register = register
        self._region = region
        self._clock = clock or SystemClock()
        self._posts = {post.id: post for post in region.stations.values() if post.thresholds is not None}
        self._machines: dict[str, SiagaMachine] | None = None
        self._recorded = 0  # where the register's cursor stands
        self._position = 0  # where reading goes on
        self._turn = 0  # how many recordings are known
        self._faults: Mapping[str, Collection[SensorFault]] = {}

    @property
    def position(self) -> int:
        """How far the hot store has been followed; what lies before it may be deleted there."""
        return self._position

    def step(self, *, limit: int = STEP_CHANGES) -> list[AlertChange]:
        """Evaluate what is new in the hot store, at most *limit* changes, in one transaction of the register.

        Returns
        -------
        list of AlertChange
            What was recorded, to be published.

        Raises
        ------
        StoreError
            A store could not be read or written; the next step takes up at the same place.
        ConflictError
            Another evaluator of the same name was faster; the next step takes up where that one stands.
        """
        with self._all_or_nothing():
            return self._step(limit)

    def heed(self, faults: Mapping[str, Collection[SensorFault]]) -> None:
        """Mind faults of sensors: what drifts is not heard, what may drift is not certain, what spikes must insist."""
        self._faults = faults

    def foresee(self, outlooks: Iterable[Outlook], rules: TunedRules | None = None) -> list[AlertChange]:
        """Tell the machines what the forecasts say and record what changes; raises as `step` does.

        Parameters
        ----------
        outlooks
            What is forecast.
        rules
            Tuned rules of who forecast it. Without them, or where they say nothing, the outlook's policy decides.
        """
        told = {one.station: one for one in outlooks if one.region == self._region.code}

        def tell(station: str, machine: SiagaMachine) -> Sequence[SiagaChange]:
            one = told[station]
            memory = machine.state.forecast.rules
            decision = None if rules is None else rules.decide(one, memory)
            return machine.foresee(one.issued_us, one.probability, one.policy, decision=decision)

        with self._all_or_nothing():
            return self._by_clock(told.keys() & self._posts.keys(), tell)

    def lapse(self, now_us: int, *, sustained: Collection[str] = ()) -> list[AlertChange]:
        """Give up what nothing has renewed for too long and record it; raises as `step` does.

        Parameters
        ----------
        now_us
            Present by the clock of the rules.
        sustained
            Stations whose level another source supports at present.
        """

        def tell(station: str, machine: SiagaMachine) -> Sequence[SiagaChange]:
            held_us = machine.state.held_us
            if station in sustained and (held_us is None or now_us - held_us >= SUSTAIN_EVERY_US):
                machine.sustain(now_us)
            return machine.lapse(now_us)

        with self._all_or_nothing():
            return self._by_clock(self._alerted(), tell)

    def levels(self) -> dict[str, Siaga]:
        """Return the level in force of every post that is not normal."""
        machines = self._machines if self._machines is not None else self._load()
        return {station: machines[station].level for station in self._alerted()}

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._machines = None  # they may know values that were not recorded
            self._position = self._recorded
            raise

    def _alerted(self) -> list[str]:
        machines = self._machines if self._machines is not None else self._load()
        return [station for station, machine in machines.items() if machine.level is not Siaga.NORMAL]

    def _by_clock(
        self, stations: Iterable[str], tell: Callable[[str, SiagaMachine], Sequence[SiagaChange]]
    ) -> list[AlertChange]:
        """Tell some machines something that is no value, and record what changed."""
        machines = self._machines if self._machines is not None else self._load()
        moved, changes = set(), []
        for station in sorted(stations):
            before = msgspec.json.encode(machines[station].state)
            changes += [(station, change) for change in tell(station, machines[station])]
            if msgspec.json.encode(machines[station].state) != before:
                moved.add(station)
        return self._record(machines, moved, changes) if moved else []

    def _record(
        self,
        machines: Mapping[str, SiagaMachine],
        moved: Collection[str],
        changes: Sequence[tuple[str, SiagaChange]],
    ) -> list[AlertChange]:
        recorded = self._register.record_changes(
            self._region.code,
            cursor=CursorMove(self.name, self._recorded, self._position, self._turn),
            states={station: msgspec.json.encode(machines[station].state) for station in moved},
            changes=changes,
            now_us=self._clock.now_us(),
        )
        self._recorded = self._position
        self._turn += 1
        return recorded

    def _step(self, limit: int) -> list[AlertChange]:
        machines = self._machines if self._machines is not None else self._load()
        news = self._store.changes(self._position, limit=limit)
        if not news:
            self._restart_with_a_new_store()
            return []
        moved, changes = self._evaluate(machines, news)
        self._position = news[-1].id
        if not moved and self._position - self._recorded < CURSOR_SLACK:
            return []
        return self._record(machines, moved, changes)

    def _evaluate(
        self, machines: dict[str, SiagaMachine], news: Sequence[Change]
    ) -> tuple[set[str], list[tuple[str, SiagaChange]]]:
        """Feed the machines; return the stations that moved, and the changes in order of time."""
        changes: list[tuple[int, str, SiagaChange]] = []
        moved = set()
        for station, observations in self._by_station(news).items():
            machine = machines[station]
            before = msgspec.json.encode(machine.state)
            upto_us = 0
            faults = self._faults.get(station, ())
            machine.settings = self._settings(station, faults)
            for change in (one for observation in observations for one in tell(machine, observation, faults)):
                upto_us = max(upto_us, change.at_us)
                changes.append((upto_us, station, change))
            if msgspec.json.encode(machine.state) != before:
                moved.add(station)
        changes.sort(key=lambda change: change[0])  # stable: each station's changes keep their order
        return moved, [(station, change) for _, station, change in changes]

    def _settings(self, station: str, faults: Collection[SensorFault]) -> SiagaSettings:
        post = self._posts[station]
        stream = post.datastream(LEVEL)
        if not faults or stream is None:
            return post.siaga
        return cautious(post.siaga, faults, interval_us=round(stream.interval_s * US_PER_S))

    def _by_station(self, news: Iterable[Change]) -> dict[str, list[Observation]]:
        """Return what the machines have to see, in the order of changes; late observations are left out.

        A revised observation was usually seen before: the machine passes over a time that it has seen, and takes
        the value back where it has failed. It goes back to its place in time for the other case: it was revised
        before it could be read, so this is its only appearance, behind the value that followed it.
        """
        series: dict[str, list[Observation]] = {}
        for _, observation, revised in news:
            region, station, slug = observation.key
            if slug != LEVEL or region != self._region.code or observation.late or station not in self._posts:
                continue
            known = series.setdefault(station, [])
            place = len(known)
            while revised and place and known[place - 1].t_us > observation.t_us:
                place -= 1
            known.insert(place, observation)
        return series

    def _load(self) -> dict[str, SiagaMachine]:
        code = self._region.code
        snapshot = self._register.evaluator_snapshot(code, self.name)
        alerts = self._register.active_levels(code)
        self._machines = {
            station: _machine(post, _state(code, station, snapshot.states.get(station), alerts.get(station)))
            for station, post in self._posts.items()
        }
        for station in alerts.keys() - self._posts.keys():
            _log.warning(
                "the active alert of %s is no longer evaluated: the region has no post with limits of that name",
                station,
                extra={"region": code, "station": station},
            )
        self._recorded = self._position = snapshot.position
        self._turn = snapshot.turn
        return self._machines

    def _restart_with_a_new_store(self) -> None:
        """Read from the start where the hot store was replaced; machines pass over times they have seen."""
        if self._position and self._store.last_change_id() < self._position:
            _log.warning(
                "hot store ends before cursor %d: it was replaced, reading it from the start",
                self._position,
                extra={"region": self._region.code, "cursor": self.name},
            )
            self._position = 0


def _machine(post: Station, state: SiagaState | None) -> SiagaMachine:
    if post.thresholds is None:
        raise ValueError(f"station {post.id!r} has no thresholds")
    return SiagaMachine(post.thresholds, post.siaga, state=state)


def _state(region: str, station: str, stored: bytes | None, alert: Alert | None) -> SiagaState | None:
    """Return what a post's machine remembers; one that cannot be read must not stop the other posts.

    A post without a readable state starts afresh at the level of its active alert, which ends as every alert
    does: after the river has been below the limits for long enough.
    """
    if stored is not None:
        try:
            return msgspec.json.decode(stored, type=SiagaState)
        except msgspec.DecodeError:
            _log.exception(
                "the register's state of %s cannot be read: the post starts afresh",
                station,
                extra={"region": region, "station": station},
            )
    if alert is None:
        return None
    limits = [
        Comparator(active=True, verified=alert.verified) if rank <= alert.level.rank else Comparator()
        for rank in (Siaga.WASPADA.rank, Siaga.SIAGA.rank, Siaga.AWAS.rank)
    ]
    return SiagaState(last_us=alert.updated_us, limits=limits, recent=[(alert.updated_us, alert.level_m)])
