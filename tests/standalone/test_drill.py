"""The warning side of the demonstration: its receiver, and the accounts that must notice what goes wrong."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import msgspec
import pytest

from serayu.models.alert import Alert, open_alert
from serayu.models.delivery.delivery import Attempt, DeliveryState, NewDelivery
from serayu.models.delivery.recipient import Address, Recipient
from serayu.models.delivery.settings import load_delivery_settings
from serayu.models.delivery.signature import ATTEMPT_HEADER, ID_HEADER, SIGNATURE_HEADER, sign
from serayu.models.places import default_region
from serayu.models.quality.flags import QualityFlag
from serayu.models.reading import Observation
from serayu.models.region import Region, load_region
from serayu.models.siaga import ChangeKind, Reason, Siaga, SiagaChange
from serayu.models.stores.hot import HotStore
from serayu.models.stores.register import Register, upgrade
from serayu.models.stores.register.bulletins import NumberedBulletin
from serayu.models.stores.register.database import sqlite_url
from serayu.models.stores.register.vault import KEY_FILE, Vault
from serayu.models.times import US_PER_MINUTE, US_PER_S
from serayu.models.warning.bulletin import Bulletin, MessageType
from serayu.standalone.drill.delivered import account_webhooks
from serayu.standalone.drill.hook import SECRETS_VARIABLE, Received, read_received
from serayu.standalone.drill.lead import leads, median_min
from serayu.standalone.drill.receiver import DIES_ON, KILLED_AFTER, Receiver
from serayu.standalone.drill.recipients import CHIEF, DESK, PUBLIC, add_recipients, new_secrets, write_timers
from serayu.standalone.drill.result import worst_of
from tests.models.delivery.story import ALERT, HOOK, NOON_US, REGION, agency, cancel, following
from tests.servers import free_port, listens, wait_for

SECRET = "rahasia-uji"  # noqa: S105 -- of the tests
POST = "bgs-hilir"


# -- the receiver ---------------------------------------------------------------------------------------------------


@contextmanager
def hook(file: Path, *arguments: str) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    port = free_port()
    argv = [sys.executable, "-m", "serayu.standalone.drill.hook", str(port), str(file), *arguments]
    process = subprocess.Popen(argv, env={**os.environ, SECRETS_VARIABLE: json.dumps({DESK: SECRET})})
    try:
        wait_for(lambda: listens(port) or process.poll() is not None, what="hook")
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.kill()
        process.wait()


def post(url: str, *, name: str = "d1", secret: str = SECRET, kind: str = "Alert", path: str = DESK) -> int:
    body = json.dumps({"id": "b1", "alert": "a1", "type": kind}).encode()
    headers = {
        ID_HEADER: name,
        ATTEMPT_HEADER: "1",
        SIGNATURE_HEADER: sign(body, secret, timestamp_s=int(time.time())),
    }
    return httpx.post(f"{url}{path}", content=body, headers=headers, timeout=10).status_code


def test_the_receiver_keeps_what_is_signed_and_marks_what_comes_twice(tmp_path: Path) -> None:
    file = tmp_path / "received"
    with hook(file) as (url, _):
        assert [post(url), post(url), post(url, name="d2")] == [204, 204, 204]
        assert post(url, name="d3", secret="another") == 401  # noqa: S106 -- of the tests
        assert post(url, name="d4", path="/elsewhere") == 401
    with hook(file) as (url, _):  # it remembers what it knew
        assert post(url, name="d2") == 204
    kept = read_received(file)
    assert [(one.id, one.good, one.duplicate) for one in kept] == [
        ("d1", True, False),
        ("d1", True, True),
        ("d2", True, False),
        ("d3", False, False),
        ("d4", False, False),
        ("d2", True, True),
    ]
    assert {one.bulletin for one in kept if not one.good} == {""}


def test_it_dies_with_what_it_has_written_down_and_before_it_answers(tmp_path: Path) -> None:
    file = tmp_path / "received"
    with hook(file, DIES_ON) as (url, process):
        assert post(url) == 204
        with pytest.raises(httpx.TransportError):
            post(url, name="d2", kind="Cancel")
        assert process.wait(10) == -9
    assert [one.id for one in read_received(file)] == ["d1", "d2"]


def test_a_line_that_was_cut_off_is_no_request_and_is_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "received"
    with hook(file) as (url, _):
        post(url)
    file.write_bytes(file.read_bytes() + b'{"id": "half')
    assert [one.id for one in read_received(file)] == ["d1"]
    with hook(file) as (url, _):
        post(url, name="d2")
    assert [one.id for one in read_received(file)] == ["d1", "d2"]


def test_it_is_killed_once_from_outside_dies_once_by_itself_and_comes_back(tmp_path: Path) -> None:
    watch = [0.0]
    with Receiver(tmp_path / "received", {DESK: SECRET}, monotonic=lambda: watch[0]) as receiver:

        def serves() -> bool:
            return listens(receiver.port)

        url = receiver.url("")
        for number in range(KILLED_AFTER):
            receiver.step()
            post(url, name=f"d{number}")
        receiver.step()
        assert (receiver.ends, serves()) == (1, False)
        watch[0] += 60
        receiver.step()
        assert (receiver.ends, serves()) == (1, True)
        with pytest.raises(httpx.TransportError):
            post(url, name="last", kind=DIES_ON)
        wait_for(lambda: not serves(), what="its end")
        receiver.step()
        receiver.stay()
        assert (receiver.ends, serves()) == (2, True)
        assert post(url, name="last", kind=DIES_ON) == 204
        assert [one.duplicate for one in receiver.received()][-2:] == [False, True]


# -- who is told ----------------------------------------------------------------------------------------------------


def test_the_timers_are_right_and_only_the_desks_may_lie_on_this_machine(tmp_path: Path) -> None:
    write_timers(tmp_path)
    settings = load_delivery_settings(tmp_path)
    assert settings.escalation.wait_us(0) == 20 * US_PER_MINUTE
    assert settings.repeat.window_us == 0
    receiver = Receiver(tmp_path / "received", {})
    ids = add_recipients(tmp_path, REGION, receiver, new_secrets())
    assert set(ids) == {DESK, CHIEF, PUBLIC}
    with Register(sqlite_url(tmp_path / "register.sqlite")) as register:
        found = {one.id: one for one in register.recipients(REGION)}
    assert [found[ids[name]].step for name in (DESK, CHIEF)] == [0, 1]
    assert [found[ids[name]].allow_private for name in (DESK, CHIEF, PUBLIC)] == [True, True, False]


# -- accounts -------------------------------------------------------------------------------------------------------


class Books:
    """A register with two desks and a delivery of one bulletin after the other to the first."""

    def __init__(self, folder: Path) -> None:
        url = sqlite_url(folder / "register.sqlite")
        upgrade(url)
        self.register = Register(url)
        vault = Vault.open(folder / KEY_FILE)
        self.people: dict[str, Recipient] = {}
        for number, path in enumerate((DESK, CHIEF, PUBLIC)):
            one = msgspec.structs.replace(agency(), id=f"r{number}", step=number)
            address = Address(f"{HOOK.target}{number}", HOOK.secret)
            self.people[path] = self.register.add_recipient(one, address, vault)

    def tell(self, bulletin: Bulletin, name: str, path: str = DESK) -> str:
        new = NewDelivery(id=name, recipient_id=self.people[path].id)
        assert self.register.record_bulletin(bulletin, deliveries=[new], now_us=bulletin.sent_us)
        return name

    def sent(self, name: str) -> None:
        attempt = Attempt(name, 1, NOON_US, 5, ok=True, detail="HTTP 204")
        self.register.record_attempt(attempt, state=DeliveryState.SENT)


@pytest.fixture(name="books")
def _books(tmp_path: Path) -> Iterator[Books]:
    books = Books(tmp_path)
    with books.register:
        yield books


def came(name: str, *, good: bool = True, duplicate: bool = False) -> Received:
    return Received(name, 1, DESK, good, duplicate, "", "", NOON_US)


def account(books: Books, *received: Received) -> tuple[int, int, int, int, int]:
    ids = {path: one.id for path, one in books.people.items()}
    found = account_webhooks(books.register, REGION, ids, received, receiver_ends=0)
    return (
        found.arrived,
        len(found.missing),
        found.duplicates,
        found.duplicates_unmarked,
        found.bad_signatures,
    )


def test_what_came_is_counted_and_what_came_twice(books: Books) -> None:
    books.sent(books.tell(ALERT, "d1"))
    assert account(books, came("d1")) == (1, 0, 0, 0, 0)
    assert account(books, came("d1"), came("d1", duplicate=True)) == (1, 0, 1, 0, 0)
    assert account(books, came("d1"), came("d1")) == (1, 0, 0, 1, 0)


def test_what_the_register_believes_sent_and_never_came_is_missing(books: Books) -> None:
    books.sent(books.tell(ALERT, "d1"))
    assert account(books) == (0, 1, 0, 0, 0)
    assert account(books, came("d1", good=False)) == (0, 1, 0, 0, 1)


def test_a_bulletin_that_nobody_was_told_of_is_missing(books: Books) -> None:
    books.register.record_bulletin(ALERT, now_us=NOON_US)
    assert account(books) == (0, 1, 0, 0, 0)


def test_each_bulletin_is_owed_also_where_a_newer_one_came(books: Books) -> None:
    books.tell(ALERT, "d1")
    books.sent(books.tell(following(ALERT), "d2"))
    assert account(books, came("d2")) == (1, 1, 0, 0, 0)
    assert account(books) == (0, 2, 0, 0, 0)


# -- lead -----------------------------------------------------------------------------------------------------------


@pytest.fixture(name="banyumas", scope="module")
def _banyumas() -> Region:
    return load_region(default_region())


def episode(at_us: int) -> Alert:
    change = SiagaChange(
        at_us, Siaga.NORMAL, Siaga.WASPADA, ChangeKind.RAISE, Reason.RATE_OF_RISE, 9.0, 1.0, verified=True
    )
    return open_alert("a1", "33.02", POST, change)


def told(sent_us: int, *, recorded_us: int, level: Siaga = Siaga.WASPADA) -> NumberedBulletin:
    bulletin = msgspec.structs.replace(
        ALERT, alert_id="a1", station=POST, level=level, sent_us=sent_us, reason=Reason.RATE_OF_RISE
    )
    return NumberedBulletin(1, recorded_us, bulletin)


@pytest.mark.parametrize(
    ("warned_min", "recorded_s", "lead", "before"),
    [
        (0, 0, 30.0, True),
        (30, 0, None, True),
        (40, 99, None, False),
        (0, 99, 30.0, False),
    ],
)
def test_lead_is_from_the_first_bulletin_to_the_first_good_value_above_the_limit(
    banyumas: Region,
    tmp_path: Path,
    warned_min: int,
    recorded_s: int,
    lead: float | None,
    before: bool,  # noqa: FBT001
) -> None:
    minute, key = US_PER_MINUTE, banyumas.stations[POST].key("stage")
    values = [(0, 9.0, QualityFlag.GOOD), (20, 9.9, QualityFlag.SUSPECT), (30, 9.9, QualityFlag.GOOD)]
    with HotStore(tmp_path / "hot.sqlite") as store:
        refused = store.write(
            [
                Observation(
                    key, NOON_US + at * minute, value, one, oid="aa", seq=at + 1, received_us=50 * US_PER_S
                )
                for at, value, one in values
            ]
        )
        assert not refused
        said = [told(NOON_US + warned_min * minute, recorded_us=recorded_s * US_PER_S)]
        found = leads(banyumas, store, [episode(NOON_US)], said)
    assert [(one.level, one.lead_min, one.received_before) for one in found] == [("waspada", lead, before)]
    assert found[0].real_speed_min == 30.0  # the value that decided was measured at noon
    assert median_min(found) == (lead or 0.0)


def test_a_level_that_was_never_crossed_says_so_and_a_cancel_is_no_warning(
    banyumas: Region, tmp_path: Path
) -> None:
    said = [told(NOON_US, recorded_us=0), NumberedBulletin(2, 0, cancel(ALERT, alert_id="a1"))]
    with HotStore(tmp_path / "hot.sqlite") as store:
        found = leads(banyumas, store, [episode(NOON_US)], said)
        silent = leads(banyumas, store, [episode(NOON_US)], said[1:])
    assert [(one.level, one.crossed, one.lead_min) for one in found] == [("waspada", None, None)]
    assert median_min(found) is None
    assert silent == []


def test_the_worst_bulletin_is_of_the_highest_level_and_no_cancel() -> None:
    worse = following(ALERT, level=Siaga.AWAS)
    said = [NumberedBulletin(n, 0, one) for n, one in enumerate((ALERT, worse, cancel(worse)))]
    assert worst_of(said) == worse
    assert worst_of([]) is None
    assert cancel(worse).msg_type is MessageType.CANCEL
