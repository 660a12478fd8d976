"""The courier: at least once whatever is killed, nothing to whom it must not go, and one step after the other."""

import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from typing_extensions import override

from serayu.ingest.bulletin_publisher import BulletinPublisher
from serayu.ingest.channels.channel import Answer, Outgoing, document_body
from serayu.ingest.clock import LiveClock
from serayu.ingest.courier import Courier
from serayu.ingest.dispatch import Dispatcher, LazyVault
from serayu.ingest.metrics import IngestMetrics
from serayu.models.delivery.delivery import DeliveryState, NewDelivery
from serayu.models.delivery.desk import DeliveryDesk
from serayu.models.delivery.recipient import Address, Channel, Recipient
from serayu.models.delivery.settings import DeliverySettings, load_delivery_settings
from serayu.models.region import Region
from serayu.models.siaga_levels import Siaga
from serayu.models.stores.hot import HotStore
from serayu.models.stores.register import Register
from serayu.models.stores.register.vault import KEY_FILE
from serayu.models.times import US_PER_DAY, US_PER_HOUR, US_PER_MINUTE, US_PER_S, SystemClock, parse_rfc3339
from serayu.models.topics import bulletin_topic
from serayu.models.uuid7 import uuid7
from serayu.models.warning.bulletin import Bulletin, BulletinStatus
from tests.ingest.test_alert_publisher import Broker
from tests.ingest.test_channels import RECEIVER, SECRET, received
from tests.models.delivery.story import (
    ACTUAL,
    ALERT,
    NOON_US,
    PHONE,
    REGION,
    agency,
    cancel,
    citizen,
    following,
)
from tests.registers import empty_register
from tests.servers import free_port, listens, wait_for

QUICK = '[retry]\nfirst = "0.05s"\nmost = "0.2s"\n[escalation]\nafter = ["5min"]\n'
HOOK = Address("https://dishub.example/siaga", SECRET)


class RulesClock(LiveClock):
    """The clock of the rules, set by the test."""

    def __init__(self, now_us: int) -> None:
        self.us = now_us

    @override
    def now_us(self) -> int:
        return self.us


class Post:
    """Takes, or answers as told, and keeps what it was given."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.sent: list[Outgoing] = []

    def send(self, outgoing: Outgoing) -> Answer:
        self.sent.append(outgoing)
        return self.answers.pop(0) if self.answers else Answer(ok=True, detail="taken")


@pytest.fixture(name="url")
def _url(tmp_path: Path) -> str:
    return empty_register(tmp_path / "register.sqlite")


@pytest.fixture(name="register")
def _register(url: str) -> Iterator[Register]:
    with Register(url) as register:
        yield register


@pytest.fixture(name="vault")
def _vault(tmp_path: Path) -> LazyVault:
    return LazyVault(tmp_path / KEY_FILE)


@pytest.fixture(name="add")
def _add(register: Register, vault: LazyVault) -> Callable[..., Recipient]:
    def add(recipient: Recipient, address: Address = HOOK) -> Recipient:
        return register.add_recipient(recipient, address, vault.open())

    return add


def dispatcher(register: Register, vault: LazyVault, post: Post, rules: LiveClock) -> Dispatcher:
    senders = dict.fromkeys(Channel, post)
    return Dispatcher(register, vault, senders, settings=DeliverySettings(), rules=rules, clock=SystemClock())


def dispatched(work: Dispatcher, register: Register, *, later_us: int = US_PER_HOUR) -> list[DeliveryState]:
    """Send everything that waits, whatever time it is."""
    due = register.due_deliveries(
        REGION, rules_us=2**60, now_us=SystemClock().now_us() + later_us, by="test", lease_us=1
    )
    return [work.dispatch(one) for one in due]


def force(register: Register, bulletin: Bulletin, *recipients: Recipient) -> None:
    """Queue a bulletin for somebody whatever the rules say."""
    deliveries = [NewDelivery(id=uuid7(NOON_US), recipient_id=one.id) for one in recipients]
    register.record_bulletin(bulletin, deliveries=deliveries, now_us=NOON_US)


@pytest.mark.parametrize("status", [BulletinStatus.TEST, BulletinStatus.EXERCISE])
def test_an_exercise_that_was_queued_for_the_public_by_mistake_is_not_sent(
    register: Register, vault: LazyVault, add: Callable[..., Recipient], status: BulletinStatus
) -> None:
    post = Post()
    warga, dishub = add(citizen(), Address(PHONE)), add(agency())
    force(register, msgspec.structs.replace(ACTUAL, status=status), warga, dishub)
    states = dispatched(dispatcher(register, vault, post, RulesClock(NOON_US)), register)
    assert sorted(states) == [DeliveryState.DROPPED, DeliveryState.SENT]
    assert [one.recipient.id for one in post.sent] == [dishub.id]
    (dropped,) = register.deliveries(recipient_id=warga.id)
    assert dropped.reason == "not-public"


def test_a_bulletin_that_lapsed_in_the_queue_is_not_sent(
    register: Register, vault: LazyVault, add: Callable[..., Recipient]
) -> None:
    post = Post()
    force(register, ACTUAL, add(agency()))
    assert dispatched(dispatcher(register, vault, post, RulesClock(ACTUAL.expires_us)), register) == [
        "lapsed"
    ]
    assert post.sent == []


def test_quiet_hours_that_began_in_the_queue_are_kept(
    register: Register, vault: LazyVault, add: Callable[..., Recipient]
) -> None:
    post, night_us = Post(), parse_rfc3339("2026-01-10T15:30:00Z")
    phone = add(citizen(), Address(PHONE))
    force(register, msgspec.structs.replace(ACTUAL, level=Siaga.WASPADA), phone)
    assert dispatched(dispatcher(register, vault, post, RulesClock(night_us)), register) == ["queued"]
    (asleep,) = register.deliveries()
    assert (asleep.not_before_us, asleep.attempts) == (parse_rfc3339("2026-01-10T22:00:00Z"), 0)
    assert post.sent == []


def test_a_failed_attempt_is_repeated_with_the_same_id_and_one_that_is_final_is_not(
    register: Register, vault: LazyVault, add: Callable[..., Recipient]
) -> None:
    post = Post(Answer(ok=False, detail="HTTP 500"), Answer(ok=False, detail="HTTP 410", final=True))
    force(register, ACTUAL, add(agency()))
    work = dispatcher(register, vault, post, RulesClock(NOON_US))
    assert [*dispatched(work, register), *dispatched(work, register), *dispatched(work, register)] == [
        DeliveryState.QUEUED,
        DeliveryState.DEAD,
    ]
    assert len({one.delivery_id for one in post.sent}) == 1
    (dead,) = register.deliveries(state=DeliveryState.DEAD)
    log = register.attempts(dead.id)
    assert [(one.number, one.ok, one.detail) for one in log] == [
        (1, False, "HTTP 500"),
        (2, False, "HTTP 410"),
    ]
    assert dead.reason == "refused"


def test_a_key_file_that_was_lost_is_said_and_waited_for(
    register: Register, vault: LazyVault, tmp_path: Path, add: Callable[..., Recipient]
) -> None:
    post = Post()
    force(register, ACTUAL, add(agency()))
    other = LazyVault(tmp_path / "other" / KEY_FILE)
    assert dispatched(dispatcher(register, other, post, RulesClock(NOON_US)), register) == ["queued"]
    (waiting,) = register.deliveries()
    assert "restore the key file" in register.attempts(waiting.id)[0].detail
    assert dispatched(dispatcher(register, vault, post, RulesClock(NOON_US)), register) == ["sent"]


@contextmanager
def couriers(
    url: str,
    folder: Path,
    store: HotStore,
    region: Region,
    rules: LiveClock,
    *,
    post: Post | None = None,
    broker: Broker | None = None,
) -> Iterator[threading.Event]:
    """Run a courier; yields the event that wakes it."""
    stopping, queued = threading.Event(), threading.Event()
    courier = Courier(
        url,
        folder,
        store,
        region,
        broker or Broker(),
        rules,
        metrics=IngestMetrics(),
        queued=queued,
        retention_days=400,
        consent_days=400,
        senders=None if post is None else dict.fromkeys(Channel, post),
    )
    thread = threading.Thread(target=courier.run, args=[stopping])
    thread.start()
    try:
        yield queued
    finally:
        stopping.set()
        queued.set()
        thread.join(20)
        assert not thread.is_alive()


def alarm(number: int) -> Bulletin:
    """Return the first bulletin of an alert of its own."""
    return msgspec.structs.replace(ALERT, id=uuid7(NOON_US + number), alert_id=f"alert-{number}")


def start_receiver(port: int, file: Path, mode: str = "200") -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, RECEIVER, str(port), file, SECRET, mode])
    wait_for(lambda: process.poll() is not None or listens(port), what="receiver")
    return process


def test_every_alert_arrives_while_the_receiver_is_killed_and_comes_back(
    url: str,
    register: Register,
    store: HotStore,
    region: Region,
    tmp_path: Path,
    add: Callable[..., Recipient],
) -> None:
    """The receiver dies in the midst of alerts, once with a request that it has kept and not answered."""
    (region.folder / "delivery.toml").write_text(QUICK)
    port, file = free_port(), tmp_path / "received"
    add(agency(allow_private=True), Address(f"http://127.0.0.1:{port}/siaga", SECRET))
    desk = DeliveryDesk(register, load_delivery_settings(region.folder))

    def issue(numbers: range, queued: threading.Event) -> None:
        for number in numbers:
            assert desk.issue(alarm(number), rules_us=NOON_US, now_us=SystemClock().now_us())
            queued.set()

    def sent() -> int:
        return _count(register, DeliveryState.SENT)

    with couriers(url, tmp_path, store, region, RulesClock(NOON_US)) as queued:
        first = start_receiver(port, file)
        issue(range(5), queued)
        wait_for(lambda: sent() >= 2, what="first alerts")
        first.kill()
        first.wait()
        issue(range(5, 10), queued)  # nobody is there
        dying = start_receiver(port, file, "late")
        dying.wait(20)  # it has kept a request, and ended without an answer
        issue(range(10, 15), queued)
        last = start_receiver(port, file)
        try:
            wait_for(lambda: sent() == 15, what="every alert")
        finally:
            last.kill()
            last.wait()
    came = received(file)
    assert all(one["good"] for one in came)
    assert {one["body"]["alert"] for one in came} == {f"alert-{number}" for number in range(15)}
    deliveries = {one.id: one for one in register.deliveries()}
    assert {one["id"] for one in came} == set(deliveries)
    assert any(one["duplicate"] for one in came)
    for one in came:
        earlier = [other["attempt"] for other in came[: came.index(one)] if other["id"] == one["id"]]
        assert one["duplicate"] == bool(earlier)
        assert all(number < one["attempt"] for number in earlier)
    for delivery in deliveries.values():
        attempts = register.attempts(delivery.id)
        assert attempts[-1].ok
        assert len(attempts) == delivery.attempts


def test_what_a_killed_courier_had_taken_is_sent_by_the_next_one(
    url: str,
    register: Register,
    store: HotStore,
    region: Region,
    tmp_path: Path,
    add: Callable[..., Recipient],
) -> None:
    force(register, ACTUAL, add(agency()))
    now_us = SystemClock().now_us()
    (taken,) = register.due_deliveries(
        REGION, rules_us=NOON_US, now_us=now_us, by="dead", lease_us=US_PER_DAY
    )
    post = Post()
    with couriers(url, tmp_path, store, region, RulesClock(NOON_US), post=post):
        wait_for(lambda: register.delivery(taken.id).state is DeliveryState.SENT, what="delivery")
    assert [(one.delivery_id, one.attempt) for one in post.sent] == [(taken.id, 2)]


def test_a_courier_that_is_killed_again_and_again_leaves_nothing_out(
    register: Register, tmp_path: Path, add: Callable[..., Recipient]
) -> None:
    """Two couriers, each a process killed in the midst of it, then one that may finish."""
    (tmp_path / "delivery.toml").write_text(QUICK)
    port, file, alerts = free_port(), tmp_path / "received", 40
    place = add(agency(allow_private=True), Address(f"http://127.0.0.1:{port}/", SECRET))
    for number in range(alerts):
        force(register, alarm(number), place)
    receiver = start_receiver(port, file)
    try:
        for target in (3, 12, None):
            courier = subprocess.Popen([sys.executable, "-m", "tests.ingest.courier_process", str(tmp_path)])
            try:
                if target is None:
                    wait_for(lambda: _count(register, DeliveryState.SENT) == alerts, what="every alert")
                else:
                    wait_for(lambda: len(received(file)) >= target, what="some alerts")  # noqa: B023 -- used at once
            finally:
                courier.kill()
                courier.wait()
    finally:
        receiver.kill()
        receiver.wait()
    came = received(file)
    assert {one["body"]["alert"] for one in came} == {f"alert-{number}" for number in range(alerts)}
    assert all(one["good"] for one in came)
    for one in register.deliveries():
        taken = [other["attempt"] for other in came if other["id"] == one.id]
        assert taken == sorted(set(taken))  # a repetition has a number of its own


def _count(register: Register, state: DeliveryState) -> int:
    return register.delivery_counts(REGION)[state]


def test_nobody_acknowledges_and_the_next_step_is_told(
    url: str,
    register: Register,
    store: HotStore,
    region: Region,
    tmp_path: Path,
    add: Callable[..., Recipient],
) -> None:
    (region.folder / "delivery.toml").write_text(QUICK)
    piket = add(agency())
    kepala = add(agency(step=1), Address("https://kepala.example/", SECRET))
    desk = DeliveryDesk(register, load_delivery_settings(region.folder))
    desk.issue(ALERT, rules_us=NOON_US, now_us=SystemClock().now_us())
    post, rules = Post(), RulesClock(NOON_US)
    with couriers(url, tmp_path, store, region, rules, post=post) as queued:
        wait_for(lambda: len(post.sent) == 1, what="first step")
        rules.us = NOON_US + 5 * US_PER_MINUTE
        queued.set()
        wait_for(lambda: len(post.sent) == 2, what="second step")
    assert [one.recipient.id for one in post.sent] == [piket.id, kepala.id]
    (waiting,) = register.open_escalations(REGION)
    assert waiting.step == 1


def test_a_defect_in_one_channel_ends_neither_the_courier_nor_says_the_number(
    url: str,
    register: Register,
    store: HotStore,
    region: Region,
    tmp_path: Path,
    add: Callable[..., Recipient],
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(Post):
        @override
        def send(self, outgoing: Outgoing) -> Answer:
            if outgoing.recipient.channel.is_phone:
                raise ZeroDivisionError(outgoing.address.target)
            return super().send(outgoing)

    caplog.set_level(logging.DEBUG)
    force(register, ACTUAL, add(citizen(), Address(PHONE)), add(agency()))
    post = Broken()
    with couriers(url, tmp_path, store, region, RulesClock(NOON_US), post=post):
        wait_for(lambda: len(post.sent) == 1, what="the other delivery")
        wait_for(lambda: "ZeroDivisionError" in caplog.text, what="the log")
    assert PHONE[1:] not in caplog.text


def test_old_deliveries_go_by_the_courier(
    url: str,
    register: Register,
    store: HotStore,
    region: Region,
    tmp_path: Path,
    add: Callable[..., Recipient],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("serayu.ingest.courier.PURGE_AT_ONCE", 1)  # more than one look has to do
    force(register, ACTUAL, add(agency()), add(citizen(), Address(PHONE)))
    long_ago_us = SystemClock().now_us() - 401 * US_PER_DAY
    for one in register.deliveries():
        register.end_delivery(one.id, state=DeliveryState.DROPPED, reason="stopped", now_us=long_ago_us)
    with couriers(url, tmp_path, store, region, RulesClock(NOON_US), post=Post()):
        wait_for(lambda: not register.deliveries(), what="retention")


def test_the_newest_bulletin_is_retained_until_it_ends_or_lapses(register: Register, store: HotStore) -> None:
    broker, rules = Broker(), RulesClock(NOON_US)
    publisher = BulletinPublisher(register, store, broker, REGION, rules)
    topic = bulletin_topic(REGION, ALERT.alert_id)
    assert publisher.step() == 0
    worse = following(ALERT, level=Siaga.AWAS)
    for bulletin in (ALERT, worse):
        register.record_bulletin(bulletin, now_us=1)
    assert publisher.step() == 1
    assert broker.retained == {topic: document_body(worse)}
    broker.retained.clear()
    broker.connections += 1
    publisher.step()
    assert broker.retained == {topic: document_body(worse)}
    rules.us = worse.expires_us
    publisher.step()
    assert broker.retained == {}


def test_the_end_of_an_alert_clears_its_topic_also_after_a_restart(
    register: Register, store: HotStore
) -> None:
    broker, rules = Broker(), RulesClock(NOON_US + US_PER_S)
    register.record_bulletin(ALERT, now_us=1)
    BulletinPublisher(register, store, broker, REGION, rules).step()
    assert len(broker.retained) == 1
    register.record_bulletin(cancel(ALERT), now_us=2)
    BulletinPublisher(register, store, broker, REGION, rules).step()
    assert broker.retained == {}
