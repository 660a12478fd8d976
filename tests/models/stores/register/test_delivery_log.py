"""Contract of the register's proof of delivery, on SQLite and on a real PostgreSQL."""

from pathlib import Path

import msgspec
import pytest

from serayu.models.delivery.delivery import Attempt, DeliveryState, NewDelivery
from serayu.models.delivery.desk import DeliveryDesk
from serayu.models.delivery.recipient import Address, Audience, Channel
from serayu.models.delivery.settings import DeliverySettings, EscalationRule
from serayu.models.errors import NotFoundError
from serayu.models.siaga_levels import Siaga
from serayu.models.stores.register import Register
from serayu.models.stores.register.delivery_log import Backlog
from serayu.models.stores.register.vault import KEY_FILE, Vault
from serayu.models.times import US_PER_HOUR, US_PER_MINUTE, US_PER_S
from tests.models.delivery.story import (
    ACTUAL,
    ALERT,
    HOOK,
    NOON_US,
    PHONE,
    REGION,
    agency,
    citizen,
    following,
)

TIMERS = DeliverySettings(escalation=EscalationRule(after_us=(5 * US_PER_MINUTE, 10 * US_PER_MINUTE)))


@pytest.fixture(name="vault")
def _vault(tmp_path: Path) -> Vault:
    return Vault.open(tmp_path / KEY_FILE)


def test_every_delivery_is_there_with_recipient_and_attempts_and_in_pages(
    register: Register, vault: Vault
) -> None:
    desk = register.add_recipient(agency(name="Piket"), HOOK, vault)
    phone = register.add_recipient(citizen(), Address(PHONE), vault)
    queued = [NewDelivery(id=f"d{n}", recipient_id=one.id) for n, one in enumerate((desk, phone))]
    assert register.record_bulletin(ACTUAL, deliveries=queued, now_us=NOON_US)
    for number, ok in ((1, False), (2, True)):
        register.record_attempt(
            Attempt("d0", number, NOON_US + number, 7, ok, f"HTTP {number}"),
            state=DeliveryState.SENT if ok else DeliveryState.QUEUED,
        )
    first, second = register.delivery_log(ACTUAL.id)
    assert (first.name, first.audience, first.channel) == ("Piket", Audience.AGENCY, Channel.WEBHOOK)
    assert [(one.number, one.ok, one.detail) for one in first.attempts] == [
        (1, False, "HTTP 1"), (2, True, "HTTP 2"),
    ]  # fmt: skip
    assert (second.delivery.recipient_id, second.channel, second.attempts) == (phone.id, Channel.SMS, [])
    assert register.delivery_log(ACTUAL.id, limit=1) == [first]
    assert register.delivery_log(ACTUAL.id, after="d0") == [second]
    assert register.delivery_log(ACTUAL.id, state=DeliveryState.SENT) == [first]
    assert register.delivery_log("none") == []
    counts = register.bulletin_counts(ACTUAL.id)
    assert (counts[DeliveryState.SENT], counts[DeliveryState.QUEUED], counts[DeliveryState.DEAD]) == (1, 1, 0)
    with pytest.raises(NotFoundError):
        register.delivery_log(ACTUAL.id, after="none")


def test_each_step_is_kept_with_the_time_of_the_rules(register: Register) -> None:
    desk = DeliveryDesk(register, TIMERS)
    desk.issue(ALERT, rules_us=NOON_US, now_us=1)
    for minutes in (4, 5, 6, 15, 16):
        desk.escalate_due(REGION, rules_us=NOON_US + minutes * US_PER_MINUTE, now_us=1)
    register.acknowledge_bulletins(
        ALERT.alert_id, region=REGION, by="piket", now_us=NOON_US + 20 * US_PER_MINUTE
    )
    wait = register.waits([ALERT.alert_id, "other"])[ALERT.alert_id]
    told = [(one.step, (one.at_us - NOON_US) // US_PER_MINUTE) for one in wait.steps]
    assert told == [(1, 5), (2, 15)]
    assert (wait.acknowledged_by, wait.seconds_to_acknowledge) == ("piket", 20 * 60.0)
    assert register.waits([]) == {}


def test_the_first_bulletin_of_each_alert_is_known(register: Register) -> None:
    other = msgspec.structs.replace(ALERT, id="x", alert_id="b", sent_us=NOON_US + US_PER_HOUR)
    for one in (ALERT, following(ALERT, level=Siaga.AWAS), other):
        register.record_bulletin(one, now_us=1)
    assert register.first_told_us([ALERT.alert_id, "b", "c"]) == {
        ALERT.alert_id: NOON_US, "b": NOON_US + US_PER_HOUR,
    }  # fmt: skip


def backlog(register: Register, after_us: int, *, rules_us: int | None = None) -> Backlog:
    now_us = NOON_US + after_us
    return register.delivery_backlog(REGION, rules_us=rules_us or now_us, now_us=now_us)


def test_the_backlog_counts_from_when_a_delivery_was_due(register: Register, vault: Vault) -> None:
    assert backlog(register, 0) == Backlog(0, None, 0)
    desk = register.add_recipient(agency(), HOOK, vault)
    asleep = NewDelivery(id="d", recipient_id=desk.id, not_before_us=NOON_US + US_PER_HOUR)
    register.record_bulletin(ALERT, deliveries=[asleep], now_us=NOON_US)
    assert backlog(register, US_PER_MINUTE) == Backlog(1, None, 0)  # quiet hours
    assert backlog(register, US_PER_HOUR + 3) == Backlog(1, 3, 0)
    lapsed = ALERT.expires_us - NOON_US
    assert backlog(register, 5, rules_us=ALERT.expires_us + 2) == Backlog(1, 5, 0)
    now_us = NOON_US + US_PER_HOUR
    (taken,) = register.due_deliveries(REGION, rules_us=now_us, now_us=now_us, by="c", lease_us=US_PER_MINUTE)
    assert backlog(register, US_PER_HOUR + US_PER_S) == Backlog(1, None, 0)  # somebody works on it
    failed = Attempt(taken.id, 1, now_us, 1, ok=False, detail="HTTP 500")
    register.record_attempt(failed, state=DeliveryState.QUEUED, retry_us=now_us + US_PER_MINUTE)
    assert backlog(register, US_PER_HOUR + US_PER_S) == Backlog(1, None, 0)  # tried again later
    assert backlog(register, US_PER_HOUR + US_PER_MINUTE + 9) == Backlog(1, 9, 0)
    gone = Attempt(taken.id, 2, now_us, 1, ok=False, detail="HTTP 410")
    register.record_attempt(gone, state=DeliveryState.DEAD, reason="refused")
    assert backlog(register, US_PER_HOUR + US_PER_HOUR) == Backlog(0, None, 1)
    assert backlog(register, lapsed) == Backlog(0, None, 0)  # nobody can mend it any more
