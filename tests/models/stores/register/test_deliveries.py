"""Contract of the register's bulletins and their outbox, on SQLite and on a real PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from alembic import command
from sqlalchemy import text

from serayu.models.delivery.delivery import Attempt, Delivery, DeliveryState, NewDelivery
from serayu.models.delivery.desk import DeliveryDesk
from serayu.models.delivery.recipient import Channel, Recipient
from serayu.models.delivery.settings import DeliverySettings, EscalationRule
from serayu.models.errors import ConflictError, NotFoundError
from serayu.models.siaga import ChangeKind, Reason, Siaga, SiagaChange
from serayu.models.stores.register import Register, upgrade
from serayu.models.stores.register.database import Database
from serayu.models.stores.register.evaluator import CursorMove
from serayu.models.stores.register.migrate import configuration, newest
from serayu.models.stores.register.vault import Vault
from serayu.models.times import US_PER_DAY, US_PER_MINUTE, US_PER_S
from serayu.models.uuid7 import uuid7
from serayu.models.warning.bulletin import Bulletin, BulletinStatus
from tests.models.delivery.story import ALERT, HOOK, NOON_US, REGION, agency, cancel, following

TIMERS = DeliverySettings(escalation=EscalationRule(after_us=(5 * US_PER_MINUTE, 10 * US_PER_MINUTE)))
KEY = b"dGVzdHMgb25seSwgdGhpcyBrZXkgaXMgcHVibGljISE="


@pytest.fixture(name="vault")
def _vault() -> Vault:
    return Vault(KEY)


def add(register: Register, vault: Vault, recipient: Recipient, number: int = 0) -> Recipient:
    address = msgspec.structs.replace(HOOK, target=f"{HOOK.target}/{number}")
    return register.add_recipient(recipient, address, vault)


def take(
    register: Register, *, at_us: int = NOON_US, rules_us: int = NOON_US, by: str = "c", limit: int = 9
) -> list[Delivery]:
    return register.due_deliveries(
        REGION, rules_us=rules_us, now_us=at_us, by=by, lease_us=US_PER_MINUTE, limit=limit
    )


def desk(register: Register) -> DeliveryDesk:
    return DeliveryDesk(register, TIMERS)


def issue(register: Register, *bulletins: Bulletin, at_us: int = NOON_US) -> None:
    for later_us, bulletin in enumerate(bulletins):
        assert desk(register).issue(bulletin, rules_us=at_us, now_us=at_us + later_us)


def test_a_register_of_the_first_release_is_upgraded_and_keeps_its_rows(url: str) -> None:
    config = configuration()
    with Database(url) as database, database.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    with Register(url) as register:
        register.add_audit(REGION, actor="a", action="b", target="c", now_us=1)
        assert upgrade(url) == newest()
        assert [entry.target for entry in register.audit_entries()] == ["c"]
        assert register.record_bulletin(ALERT, now_us=1)
    with Database(url) as database, database.writing() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
        assert connection.execute(text("SELECT count(*) FROM audit")).scalar() == 1


def test_an_empty_register_has_said_nothing(register: Register) -> None:
    assert register.bulletins(REGION) == []
    assert register.latest_bulletin(ALERT.alert_id) is None
    assert register.last_bulletin_number() == 0
    assert take(register) == []
    assert register.open_escalations(REGION) == []
    with pytest.raises(NotFoundError):
        register.bulletin("none")
    with pytest.raises(NotFoundError):
        register.bulletins(after="none")
    with pytest.raises(NotFoundError):
        register.delivery("none")


def test_bulletins_come_back_as_they_were_recorded(register: Register) -> None:
    second = following(ALERT, level=Siaga.AWAS)
    other = msgspec.structs.replace(
        ALERT, id="x", alert_id="other", region="99.02", status=BulletinStatus.EXERCISE
    )
    for number, bulletin in enumerate((ALERT, second, other), start=1):
        assert register.record_bulletin(bulletin, now_us=number)
    assert register.bulletin(ALERT.id) == ALERT
    assert register.bulletins() == [other, second, ALERT]
    assert register.bulletins(REGION) == register.bulletins(status=BulletinStatus.TEST) == [second, ALERT]
    assert register.bulletins(REGION, limit=1) == [second]
    assert register.bulletins(REGION, after=second.id) == [ALERT]
    assert register.bulletins(REGION, since_us=second.sent_us) == [second]
    assert register.bulletins_of(ALERT.alert_id) == [ALERT, second]
    assert register.latest_bulletin(ALERT.alert_id) == second
    news = register.bulletins_after(0, region=REGION)
    assert [(one.recorded_us, one.bulletin) for one in news] == [(1, ALERT), (2, second)]
    assert register.bulletins_after(news[-1].number, region=REGION) == []
    assert register.last_bulletin_number() > news[-1].number


def test_a_bulletin_holds_until_it_is_replaced_cancelled_or_lapses(register: Register) -> None:
    second = following(ALERT, level=Siaga.AWAS)
    end = cancel(second)
    for bulletin in (ALERT, second, end):
        register.record_bulletin(bulletin, now_us=1)
    moments = [ALERT.sent_us - 1, ALERT.sent_us, second.sent_us, end.sent_us, ALERT.expires_us]
    held = [register.bulletins(REGION, active_at_us=at_us) for at_us in moments]
    assert held == [[], [ALERT], [second], [], []]


def test_a_lapsed_bulletin_no_longer_holds(register: Register) -> None:
    register.record_bulletin(ALERT, now_us=1)
    assert register.bulletins(active_at_us=ALERT.expires_us - 1) == [ALERT]
    assert register.bulletins(active_at_us=ALERT.expires_us) == []


def test_a_change_is_told_once_and_a_renewal_as_often_as_it_is_made(register: Register, vault: Vault) -> None:
    add(register, vault, agency())
    issue(register, ALERT)
    again = msgspec.structs.replace(ALERT, id=uuid7(1))
    assert not desk(register).issue(again, rules_us=NOON_US, now_us=NOON_US)
    assert not desk(register).issue(ALERT, rules_us=NOON_US, now_us=NOON_US)
    assert len(register.deliveries()) == 1
    issue(register, following(ALERT, change_id=None), following(ALERT, change_id=None, id=uuid7(2)))
    assert len(register.bulletins()) == 3


def test_a_bulletin_whose_deliveries_cannot_be_queued_is_not_recorded(register: Register) -> None:
    unknown = NewDelivery(id=uuid7(1), recipient_id="nobody")
    with pytest.raises(ConflictError):
        register.record_bulletin(ALERT, deliveries=[unknown], now_us=1)
    assert register.bulletins() == []


def test_a_delivery_is_taken_by_one_and_again_after_the_lease(register: Register, vault: Vault) -> None:
    add(register, vault, agency())
    issue(register, ALERT)
    (first,) = take(register)
    assert (first.attempts, first.level, first.bulletin_id) == (1, Siaga.SIAGA, ALERT.id)
    assert take(register) == take(register, by="other") == []
    (second,) = take(register, at_us=NOON_US + US_PER_MINUTE, by="other")
    assert (second.id, second.attempts) == (first.id, 2)
    assert register.release_deliveries("99.02") == 0
    assert register.release_deliveries(REGION) == 1
    assert [one.attempts for one in take(register)] == [3]


def test_several_takers_share_the_work(register: Register, vault: Vault) -> None:
    for number in range(6):
        add(register, vault, agency(), number)
    issue(register, ALERT)
    with ThreadPoolExecutor(3) as pool:
        taken = list(pool.map(lambda name: take(register, by=name, limit=4), "abc"))
    ids = [one.id for part in taken for one in part]
    assert sorted(ids) == sorted(one.id for one in register.deliveries())


def test_the_worst_is_taken_first(register: Register, vault: Vault) -> None:
    add(register, vault, agency())
    for number, level in enumerate((Siaga.WASPADA, Siaga.AWAS, Siaga.SIAGA)):
        one = msgspec.structs.replace(ALERT, id=uuid7(number), alert_id=f"alert-{number}", level=level)
        issue(register, one)
    assert [one.level for one in take(register)] == [Siaga.AWAS, Siaga.SIAGA, Siaga.WASPADA]


def attempt(delivery: Delivery, *, ok: bool, at_us: int = NOON_US) -> Attempt:
    return Attempt(delivery.id, delivery.attempts, at_us, 12, ok, "HTTP 200" if ok else "cannot connect")


def test_a_failed_attempt_waits_and_every_attempt_is_kept(register: Register, vault: Vault) -> None:
    add(register, vault, agency())
    issue(register, ALERT)
    (first,) = take(register)
    failed = attempt(first, ok=False)
    later_us = NOON_US + 2 * US_PER_S
    assert register.record_attempt(failed, state=DeliveryState.QUEUED, retry_us=later_us)
    assert take(register, at_us=later_us - 1) == []
    (second,) = take(register, at_us=later_us)
    sent = attempt(second, ok=True, at_us=later_us)
    assert register.record_attempt(sent, state=DeliveryState.SENT)
    done = register.delivery(first.id)
    assert (done.state, done.attempts, done.ended_us) == (DeliveryState.SENT, 2, later_us)
    assert register.attempts(first.id) == [failed, sent]
    assert register.delivery_counts(REGION)[DeliveryState.SENT] == 1


def test_a_later_bulletin_replaces_what_still_waits_for_the_same_person(
    register: Register, vault: Vault
) -> None:
    add(register, vault, agency(channel=Channel.LOG))
    issue(register, ALERT, following(ALERT, level=Siaga.AWAS))
    newest_one, replaced = register.deliveries()
    assert (replaced.state, replaced.reason) == (DeliveryState.DROPPED, "replaced")
    assert (newest_one.state, newest_one.level) == (DeliveryState.QUEUED, Siaga.AWAS)


def test_a_program_gets_every_bulletin(register: Register, vault: Vault) -> None:
    add(register, vault, agency())
    rise = following(ALERT, level=Siaga.AWAS)
    issue(register, ALERT, rise, cancel(rise))
    assert [one.state for one in register.deliveries()] == [DeliveryState.QUEUED] * 3


def test_an_update_that_says_nothing_new_leaves_what_waits(register: Register, vault: Vault) -> None:
    add(register, vault, agency(channel=Channel.APPRISE))
    issue(register, ALERT, following(ALERT))
    (waiting,) = register.deliveries()
    assert (waiting.state, waiting.bulletin_id) == (DeliveryState.QUEUED, ALERT.id)


def test_an_attempt_that_ends_after_it_was_replaced_is_kept(register: Register, vault: Vault) -> None:
    add(register, vault, agency(channel=Channel.LOG))
    issue(register, ALERT)
    (one,) = take(register)
    issue(register, cancel(ALERT))
    assert not register.record_attempt(attempt(one, ok=False), state=DeliveryState.QUEUED, retry_us=NOON_US)
    assert register.delivery(one.id).state is DeliveryState.DROPPED
    assert len(register.attempts(one.id)) == 1


def test_quiet_deliveries_wait_by_the_clock_of_the_rules(register: Register, vault: Vault) -> None:
    place = add(register, vault, agency())
    later_us = NOON_US + US_PER_DAY // 2
    asleep = NewDelivery(id=uuid7(1), recipient_id=place.id, not_before_us=later_us)
    register.record_bulletin(ALERT, deliveries=[asleep], now_us=NOON_US)
    assert take(register, rules_us=later_us - 1) == []
    (one,) = take(register, rules_us=later_us)
    register.put_off_delivery(one.id, not_before_us=later_us + 1)
    assert register.delivery(one.id).attempts == 0
    assert take(register, rules_us=later_us) == []
    assert len(take(register, rules_us=ALERT.expires_us)) == 1


def test_a_dead_letter_can_be_tried_again_while_its_bulletin_holds(register: Register, vault: Vault) -> None:
    add(register, vault, agency())
    issue(register, ALERT)
    (one,) = take(register)
    register.record_attempt(attempt(one, ok=False), state=DeliveryState.DEAD, reason="refused")
    assert take(register) == []
    assert [dead.id for dead in register.deliveries(state=DeliveryState.DEAD)] == [one.id]
    assert register.requeue_dead(REGION, rules_us=ALERT.expires_us, now_us=NOON_US) == 0
    assert register.requeue_dead(REGION, rules_us=NOON_US, now_us=NOON_US) == 1
    assert len(take(register)) == 1


def test_nobody_acknowledges_and_step_after_step_is_told(register: Register, vault: Vault) -> None:
    places = [add(register, vault, agency(step=step), step) for step in (0, 1, 2)]
    issue(register, ALERT)
    told: list[list[str]] = [[one.recipient_id for one in register.deliveries()]]
    for minute in (4, 5, 6, 15, 60):
        at_us = NOON_US + minute * US_PER_MINUTE
        desk(register).escalate_due(REGION, rules_us=at_us, now_us=at_us)
        told.append([one.recipient_id for one in register.deliveries()])
    first, second, third = ([place.id for place in places[: count + 1]] for count in range(3))
    assert [sorted(one) for one in told] == [
        sorted(one) for one in (first, first, second, second, third, third)
    ]
    (open_one,) = register.open_escalations(REGION)
    assert (open_one.step, open_one.due_us) == (2, None)


def alarmed(register: Register) -> str:
    """Open an alert as the evaluator does; return its id."""
    rise = SiagaChange(
        NOON_US, Siaga.NORMAL, Siaga.SIAGA, ChangeKind.RAISE, Reason.THRESHOLD, 3.2, None, verified=True
    )
    move = CursorMove("alerts", 0, 1)
    (change,) = register.record_changes(
        REGION, cursor=move, states={}, changes=[("hulu", rise)], now_us=NOON_US
    )
    return change.alert_id


def test_an_acknowledgement_stops_the_escalation_and_its_time_is_kept(
    register: Register, vault: Vault
) -> None:
    alert_id = alarmed(register)
    for step in (0, 1):
        add(register, vault, agency(step=step), step)
    first = msgspec.structs.replace(ALERT, alert_id=alert_id)
    issue(register, first)
    seen_us = NOON_US + 90 * US_PER_S
    register.acknowledge(alert_id, by="piket", now_us=seen_us)
    with pytest.raises(ConflictError):
        register.acknowledge(alert_id, by="lain", now_us=seen_us)
    late_us = NOON_US + 20 * US_PER_MINUTE
    assert desk(register).escalate_due(REGION, rules_us=late_us, now_us=late_us) == []
    assert len(register.deliveries()) == 1
    (one,) = register.escalations(alert_id=alert_id)
    assert (one.acknowledged_by, one.seconds_to_acknowledge) == ("piket", 90.0)


def test_an_escalation_tells_only_the_newest_bulletin(register: Register) -> None:
    rise = following(ALERT, level=Siaga.AWAS)
    issue(register, ALERT, rise)
    (waiting,) = register.open_escalations(REGION)

    def told(bulletin: Bulletin) -> bool:
        return register.escalate(
            bulletin, opened_by=waiting.bulletin_id, step=1, due_us=None, deliveries=[],
            rules_us=NOON_US, now_us=NOON_US,
        )  # fmt: skip

    assert not told(ALERT)
    assert told(rise)


def test_a_landslide_is_acknowledged_without_a_record_of_an_alert(register: Register) -> None:
    issue(register, ALERT)
    with pytest.raises(NotFoundError):
        register.acknowledge(ALERT.alert_id, by="piket", now_us=NOON_US)
    assert len(register.open_escalations(REGION)) == 1
    said = {"region": REGION, "by": "piket", "note": "dilihat"}
    assert register.acknowledge_bulletins(ALERT.alert_id, **said, now_us=NOON_US + 1) == 1
    assert register.acknowledge_bulletins(ALERT.alert_id, **said, now_us=NOON_US + 2) == 0
    assert [entry.detail for entry in register.audit_entries()] == ["dilihat"]


def test_a_rise_asks_for_an_acknowledgement_of_its_own(register: Register) -> None:
    alert_id = alarmed(register)
    first = msgspec.structs.replace(ALERT, alert_id=alert_id)
    worse = following(first, level=Siaga.AWAS)
    issue(register, first)
    register.acknowledge(alert_id, by="piket", now_us=NOON_US)
    issue(register, worse)
    assert [one.level for one in register.open_escalations(REGION)] == [Siaga.AWAS]
    assert register.acknowledge(alert_id, by="kepala", now_us=NOON_US + 1).acknowledged_by == "kepala"
    assert register.open_escalations(REGION) == []
    assert [one.acknowledged_by for one in register.escalations(region=REGION)] == ["piket", "kepala"]


def test_a_rise_before_anybody_acknowledged_takes_the_place_of_the_first_wait(register: Register) -> None:
    issue(register, ALERT, following(ALERT, level=Siaga.AWAS))
    first, second = register.escalations(alert_id=ALERT.alert_id)
    assert first.ended_us is not None
    assert second.ended_us is None
    issue(register, cancel(following(ALERT, level=Siaga.AWAS)))
    assert register.open_escalations(REGION) == []


def test_old_deliveries_are_deleted_with_their_attempts(register: Register, vault: Vault) -> None:
    add(register, vault, agency())
    issue(register, ALERT)
    assert register.delete_deliveries(before_us=NOON_US * 2) == 0
    (one,) = take(register)
    register.record_attempt(attempt(one, ok=True), state=DeliveryState.SENT)
    assert register.delete_deliveries(before_us=NOON_US) == 0
    assert register.delete_deliveries(before_us=NOON_US + 1) == 1
    assert register.deliveries() == []
    assert register.attempts(one.id) == []
