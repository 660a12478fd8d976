"""What must not make an alert wait: its rounded time, other alerts, what is read for the first time."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from serayu.ingest import bulletins
from serayu.ingest.alerting import PAUSE_LEAST_S, PAUSE_MOST_S, _pause_s
from serayu.models.delivery.recipient import Address
from serayu.models.siaga import Siaga
from serayu.models.stores.hot import HotStore
from serayu.models.stores.register import Register
from serayu.models.stores.register.vault import KEY_FILE, Vault
from serayu.models.warning.bulletin import MessageType
from tests.ingest.test_bulletins import CODE, Host
from tests.models.delivery.story import HOOK, agency
from tests.registers import empty_register


@pytest.fixture(name="host")
def _host(tmp_path: Path) -> Iterator[Host]:
    with (
        HotStore(tmp_path / "hot.db") as store,
        Register(empty_register(tmp_path / "register.db")) as register,
    ):
        yield Host(store, register)


def test_a_delivery_may_go_before_the_whole_second_that_its_bulletin_says(host: Host, tmp_path: Path) -> None:
    recipient = msgspec.structs.replace(agency(), region=CODE)
    host.register.add_recipient(recipient, Address(HOOK.target, HOOK.secret), Vault.open(tmp_path / KEY_FILE))
    host.clock.us = 100
    (bulletin,) = host.step((0, 2.5))
    assert bulletin.sent_us == 1_000_000
    due = host.register.due_deliveries(CODE, rules_us=100, now_us=100, by="test", lease_us=1)
    assert [one.bulletin_id for one in due] == [bulletin.id]


def test_alerts_are_looked_after_in_turn_and_a_change_waits_for_none(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulletins, "LOOK_AFTER_S", 0.0)  # time for one alert in a step
    host.writer = host.new_writer()
    for station in ("hilir", "hulu"):
        host.put(0, 2.5, station)
    assert len(host.step()) == 2
    for station in ("hilir", "hulu"):
        host.put(23 * 60, 2.5, station)  # both are due for renewal
    host.evaluator.step()
    (first,) = host.writer.step()
    host.put(23 * 60 + 1, 3.5, first.station)
    host.evaluator.step()
    (change,) = host.writer.tell_changes()
    assert (change.station, change.level) == (first.station, Siaga.SIAGA)
    later = [*host.writer.step(), *host.writer.step()]
    (other,) = {"hilir", "hulu"} - {first.station}
    assert [(one.station, one.msg_type) for one in later] == [(other, MessageType.UPDATE)]


def test_what_the_first_bulletin_needs_is_read_once_and_before_it(host: Host) -> None:
    made: list[int] = []

    def make() -> None:
        made.append(1)

    host.writer._make_impact = make
    host.writer.prepare()
    host.writer.prepare()
    assert len(made) == 1
    host.step((0, 2.5))
    assert len(made) == 1


@pytest.mark.parametrize(("took_s", "pause_s"), [(0.0, PAUSE_LEAST_S), (0.02, 0.02), (9.0, PAUSE_MOST_S)])
def test_the_evaluator_leaves_the_processor_for_as_long_as_it_took(
    monkeypatch: pytest.MonkeyPatch, took_s: float, pause_s: float
) -> None:
    monkeypatch.setattr("serayu.ingest.alerting.time.monotonic", lambda: took_s)
    assert _pause_s(0.0) == pytest.approx(pause_s)
