"""Contract of the register's alerts, on SQLite and on a real PostgreSQL."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from serayu.models.alert import AlertStatus, alert_document, change_document
from serayu.models.errors import ConflictError, NotFoundError
from serayu.models.siaga import ChangeKind, Reason, Siaga, SiagaChange
from serayu.models.stores.register import Register
from serayu.models.stores.register.evaluator import CursorMove, EvaluatorSnapshot

REGION = "33.02"
N, W, S, A = Siaga

RISE = SiagaChange(10, N, W, ChangeKind.RAISE, Reason.RATE_OF_RISE, 1.9, 0.6, verified=False)
CONFIRM = SiagaChange(20, W, W, ChangeKind.CONFIRM, Reason.THRESHOLD, 2.1, 0.5, verified=True)
FORESEEN = SiagaChange(30, W, S, ChangeKind.RAISE, Reason.RATE_OF_RISE, 2.5, 0.7, verified=True)
LOWER = SiagaChange(40, S, W, ChangeKind.LOWER, Reason.RATE_OF_RISE, 2.2, -0.1, verified=True)
END = SiagaChange(50, W, N, ChangeKind.LOWER, Reason.THRESHOLD, 1.2, None, verified=True)
EPISODE = (RISE, CONFIRM, FORESEEN, LOWER, END)


def record(register: Register, *changes: tuple[str, SiagaChange], region: str = REGION) -> list[int]:
    """Record changes behind what is there, whatever that is."""
    before = register.evaluator_snapshot(region, "alerts").position
    move = CursorMove("alerts", before, before + 1)
    recorded = register.record_changes(region, cursor=move, states={}, changes=changes, now_us=1_000_000)
    return [change.id for change in recorded]


def test_an_empty_register_has_no_alerts(register: Register) -> None:
    assert register.alerts() == []
    assert register.active_levels(REGION) == {}
    assert register.changes_after(0) == []
    assert register.last_change_id() == 0
    assert register.evaluator_snapshot(REGION, "alerts") == EvaluatorSnapshot(0, {})


def test_an_alert_is_one_episode_from_leaving_normal_to_normal(register: Register) -> None:
    record(register, *(("pos-a", change) for change in EPISODE[:3]))
    (alert,) = register.alerts(REGION)
    assert register.active_levels(REGION) == {"pos-a": alert}
    assert (alert.status, alert.level, alert.highest, alert.highest_by_threshold) == (
        AlertStatus.ACTIVE, S, S, W,
    )  # fmt: skip
    assert (alert.opened_us, alert.updated_us, alert.ended_us) == (10, 30, None)
    assert alert.reason is Reason.RATE_OF_RISE
    again = msgspec.structs.replace(RISE, at_us=60)
    record(register, ("pos-a", LOWER), ("pos-a", END), ("pos-a", again))
    second, first = register.alerts(REGION)
    assert (first.id, first.status, first.level, first.highest, first.ended_us) == (
        alert.id, AlertStatus.ENDED, N, S, 50,
    )  # fmt: skip
    assert [change.kind for change in first.changes] == [change.kind for change in EPISODE]
    assert second.status is AlertStatus.ACTIVE
    assert not second.verified
    assert second.highest_by_threshold is N


def test_changes_come_back_as_they_were_recorded(register: Register) -> None:
    record(register, *(("pos-a", change) for change in EPISODE))
    changes = register.changes_after(0)
    names = [field.name for field in msgspec.structs.fields(SiagaChange)]
    assert [SiagaChange(*(getattr(change, name) for name in names)) for change in changes] == list(EPISODE)
    assert {change.recorded_us for change in changes} == {1_000_000}


def test_a_cursor_over_changes_sees_each_once_in_order(register: Register) -> None:
    numbers = record(register, *(("pos-a", change) for change in EPISODE))
    numbers += record(register, ("pos-b", RISE), region="99.01")
    assert numbers == sorted(set(numbers))
    seen: list[int] = []
    while page := register.changes_after(seen[-1] if seen else 0, limit=2):
        seen += [change.id for change in page]
    assert seen == numbers
    assert register.last_change_id() == numbers[-1]
    assert [change.station for change in register.changes_after(0, region="99.01")] == ["pos-b"]


def test_alerts_are_paged_newest_first_and_filtered(register: Register) -> None:
    for at_us, station in ((300, "pos-b"), (100, "pos-a"), (200, "pos-c"), (200, "pos-d")):
        record(register, (station, msgspec.structs.replace(RISE, at_us=at_us)))
    record(register, ("pos-a", msgspec.structs.replace(END, at_us=400)))
    record(register, ("pos-a", RISE), region="99.01")
    everything = register.alerts(REGION)
    assert [alert.opened_us for alert in everything] == [300, 200, 200, 100]
    paged, after = [], None
    while page := register.alerts(REGION, after=after, limit=1):
        paged += page
        after = page[-1].id
    assert paged == everything
    assert [alert.station for alert in register.alerts(REGION, status=AlertStatus.ENDED)] == ["pos-a"]
    assert [alert.station for alert in register.alerts(REGION, station="pos-c")] == ["pos-c"]
    assert {alert.station for alert in register.alerts(REGION, since_us=401)} == {"pos-b", "pos-c", "pos-d"}
    assert {alert.region for alert in register.alerts()} == {REGION, "99.01"}
    with pytest.raises(NotFoundError, match="no alert 'nothing'"):
        register.alerts(after="nothing")


def test_an_alert_is_acknowledged_once_and_that_is_audited(register: Register) -> None:
    record(register, ("pos-a", RISE))
    (alert,) = register.alerts()
    seen = register.acknowledge(alert.id, by="Bu Siti", note="warga sudah tahu", now_us=77)
    assert (seen.acknowledged_us, seen.acknowledged_by, seen.acknowledged_note) == (
        77,
        "Bu Siti",
        "warga sudah tahu",
    )
    with pytest.raises(ConflictError, match="acknowledged by Bu Siti"):
        register.acknowledge(alert.id, by="Pak Budi", now_us=78)
    with pytest.raises(NotFoundError):
        register.acknowledge("nothing", by="Pak Budi", now_us=78)
    (entry,) = register.audit_entries(REGION)
    assert (entry.at_us, entry.actor, entry.action, entry.target) == (
        77,
        "Bu Siti",
        "alert.acknowledge",
        alert.id,
    )
    record(register, ("pos-a", CONFIRM))
    assert register.alert(alert.id).acknowledged_by == "Bu Siti", "a later change keeps what people wrote"


def test_of_two_people_one_acknowledges(register: Register) -> None:
    record(register, ("pos-a", RISE))
    (alert,) = register.alerts()
    gate = threading.Barrier(4)

    def acknowledge(name: str) -> bool:
        gate.wait()
        try:
            register.acknowledge(alert.id, by=name, now_us=1)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(acknowledge, ["a", "b", "c", "d"])) == 1
    assert len(register.audit_entries()) == 1


def test_cursor_states_and_changes_move_together(register: Register) -> None:
    states = {"pos-a": b'{"last_us":1}', "pos-b": b"{}"}
    move = CursorMove("alerts", 0, 10)
    register.record_changes(REGION, cursor=move, states=states, changes=[("pos-a", RISE)], now_us=1)
    assert register.evaluator_snapshot(REGION, "alerts") == EvaluatorSnapshot(10, states)
    newer = {"pos-a": b'{"last_us":2}'}
    register.record_changes(REGION, cursor=CursorMove("alerts", 10, 11), states=newer, changes=[], now_us=1)
    assert register.evaluator_snapshot(REGION, "alerts") == EvaluatorSnapshot(11, states | newer)


@pytest.mark.parametrize("before", [0, 9, 11])
def test_an_evaluator_with_another_cursor_is_refused_and_records_nothing(
    register: Register, before: int
) -> None:
    register.record_changes(REGION, cursor=CursorMove("alerts", 0, 10), states={}, changes=[], now_us=1)
    with pytest.raises(ConflictError, match=f"is at 10, not at {before}"):
        register.record_changes(
            REGION,
            cursor=CursorMove("alerts", before, 20),
            states={"pos-a": b"{}"},
            changes=[("pos-a", RISE)],
            now_us=1,
        )
    assert register.evaluator_snapshot(REGION, "alerts") == EvaluatorSnapshot(10, {})
    assert register.alerts() == []


def test_of_many_evaluators_at_once_one_wins_each_move(register: Register) -> None:
    gate = threading.Barrier(4)

    def move(_: int) -> bool:
        gate.wait()
        try:
            register.record_changes(
                REGION, cursor=CursorMove("alerts", 0, 5), states={}, changes=[("pos-a", RISE)], now_us=1
            )
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(move, range(4))) == 1
    assert len(register.changes_after(0)) == 1


def test_two_evaluators_of_other_names_and_regions_do_not_meet(register: Register) -> None:
    for region, name in ((REGION, "serayu"), (REGION, "logawa"), ("99.01", "serayu")):
        register.record_changes(region, cursor=CursorMove(name, 0, 3), states={}, changes=[], now_us=1)
        assert register.evaluator_snapshot(region, name).position == 3


def test_an_alert_document_speaks_in_words_and_times(register: Register) -> None:
    record(register, *(("pos-a", change) for change in EPISODE))
    (alert,) = register.alerts()
    document = alert_document(alert)
    assert json.loads(json.dumps(document)) == document
    assert (document["level"], document["label"]) == ("normal", "Siaga 4 (NORMAL)")
    assert (document["highest"], document["highest_by_threshold"]) == ("siaga", "waspada")
    assert (document["opened"], document["ended"]) == (
        "1970-01-01T00:00:00.000010Z",
        "1970-01-01T00:00:00.000050Z",
    )
    assert document["acknowledged"] is None
    first = document["changes"][0]
    assert first == change_document(alert.changes[0])
    assert (first["from"], first["to"], first["kind"], first["reason"]) == (
        "normal",
        "waspada",
        "raise",
        "rate_of_rise",
    )
    register.acknowledge(alert.id, by="Bu Siti", now_us=1_000_000)
    assert alert_document(register.alert(alert.id))["acknowledged"] == {
        "at": "1970-01-01T00:00:01Z", "by": "Bu Siti", "note": "",
    }  # fmt: skip
