"""Contract of the register's recipients: what is kept of an address, and what is forgotten."""

from pathlib import Path

import pytest
from sqlalchemy import text

from serayu.models.delivery.delivery import DeliveryState
from serayu.models.delivery.desk import DeliveryDesk
from serayu.models.delivery.recipient import Address, Channel, ConsentAction, Gateway, QuietHours
from serayu.models.delivery.settings import DeliverySettings
from serayu.models.errors import BadInputError, ConflictError, NotFoundError
from serayu.models.siaga_levels import Siaga
from serayu.models.stores.register import Register, upgrade
from serayu.models.stores.register.database import sqlite_url
from serayu.models.stores.register.schema import metadata
from serayu.models.stores.register.vault import KEY_FILE, Vault
from serayu.models.warning.bulletin import Hazard
from tests.models.delivery.story import ACTUAL, HOOK, NOON_US, PHONE, REGION, agency, citizen

GATEWAY = "jsons://user:rahasia-gerbang@gateway.example/?to={number}"


@pytest.fixture(name="vault")
def _vault(tmp_path: Path) -> Vault:
    return Vault.open(tmp_path / KEY_FILE)


def everything(register: Register) -> str:
    """Return every value of every table as one text."""
    with register.reading() as connection:
        rows = [
            row
            for table in metadata.sorted_tables
            for row in connection.execute(text(f'SELECT * FROM "{table.name}"'))  # noqa: S608 -- our own names
        ]
    return repr([tuple(row) for row in rows])


def test_a_key_file_is_made_once_and_is_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "new" / KEY_FILE
    sealed = Vault.open(file).seal(PHONE)
    assert file.stat().st_mode & 0o777 == 0o600
    assert Vault.open(file).unseal(sealed) == PHONE
    assert [one.name for one in file.parent.iterdir()] == [KEY_FILE]
    file.chmod(0o640)
    with pytest.raises(BadInputError, match="chmod 600"):
        Vault.open(file)


def test_another_key_neither_reads_nor_finds(tmp_path: Path) -> None:
    one, other = Vault.open(tmp_path / "a"), Vault.open(tmp_path / "b")
    assert one.lookup(PHONE) != other.lookup(PHONE)
    assert one.seal(PHONE) != one.seal(PHONE)
    with pytest.raises(BadInputError, match="another key"):
        other.unseal(one.seal(PHONE))
    (tmp_path / "c").write_text("no key")
    (tmp_path / "c").chmod(0o600)
    with pytest.raises(BadInputError, match="not a Fernet key"):
        Vault.open(tmp_path / "c")


def test_a_recipient_comes_back_as_it_was_added(register: Register, vault: Vault) -> None:
    whole = agency(
        languages=("en", "id"),
        hazards=(Hazard.FLOOD,),
        lowest=Siaga.AWAS,
        stations=("hulu",),
        quiet=QuietHours(1, 2),
        step=3,
        allow_private=True,
    )
    register.add_recipient(whole, HOOK, vault)
    assert register.recipient(whole.id) == whole
    assert register.recipients(REGION) == [whole]
    assert register.recipients("99.02") == []
    found = register.address(whole.id, vault)
    assert found == HOOK
    assert "dishub" not in repr(found)
    with pytest.raises(NotFoundError):
        register.address("nobody", vault)


def test_no_address_stands_readable_in_any_table(register: Register, vault: Vault) -> None:
    phone = register.add_recipient(citizen(opted_in_us=None), Address(PHONE), vault)
    register.add_recipient(agency(), HOOK, vault)
    register.set_gateway(REGION, Channel.SMS, GATEWAY, vault)
    register.opt_in(phone.id, source="formulir 12", now_us=NOON_US)
    register.stop_number(REGION, "0812 9999 9999", vault, source="sms:BERHENTI", now_us=NOON_US)
    kept = everything(register)
    assert "formulir 12" in kept
    for secret in ("81200000001", "9999", "dishub.example", "rahasia"):
        assert secret not in kept
    assert register.gateway(REGION, Channel.SMS, vault) == Gateway(GATEWAY)
    assert register.gateway(REGION, Channel.WHATSAPP, vault) is None


@pytest.mark.parametrize(
    ("channel", "template"), [(Channel.WEBHOOK, GATEWAY), (Channel.SMS, "jsons://gateway.example")]
)
def test_a_gateway_has_a_place_for_the_number(
    register: Register, vault: Vault, channel: Channel, template: str
) -> None:
    with pytest.raises(BadInputError):
        register.set_gateway(REGION, channel, template, vault)


def test_an_address_is_there_once_for_each_channel(register: Register, vault: Vault) -> None:
    register.add_recipient(citizen(), Address("0812 0000 0001"), vault)
    with pytest.raises(ConflictError, match="already"):
        register.add_recipient(citizen(), Address("+62812-0000-0001"), vault)
    register.add_recipient(citizen(channel=Channel.WHATSAPP), Address(PHONE), vault)
    register.add_recipient(citizen(region="99.02"), Address(PHONE), vault)
    assert len(register.find_recipients(REGION, "62 81200000001", vault)) == 2
    with pytest.raises(BadInputError, match="phone number"):
        register.add_recipient(citizen(), Address("halo"), vault)


def test_berhenti_stops_every_channel_of_a_number_in_any_spelling(register: Register, vault: Vault) -> None:
    both = [
        register.add_recipient(citizen(channel=channel), Address(PHONE), vault)
        for channel in (Channel.SMS, Channel.WHATSAPP)
    ]
    desk = DeliveryDesk(register, DeliverySettings())
    assert desk.issue(ACTUAL, rules_us=NOON_US, now_us=NOON_US)
    assert len(register.deliveries(state=DeliveryState.QUEUED)) == 2
    assert (
        register.stop_number(REGION, "0812-0000-0001", vault, source="sms:BERHENTI", now_us=NOON_US + 1) == 2
    )
    assert register.stop_number(REGION, PHONE, vault, source="sms:BERHENTI", now_us=NOON_US + 2) == 0
    assert register.recipients(REGION) == []
    assert {one.reason for one in register.deliveries()} == {"stopped"}
    log = register.consents(REGION)
    assert [(one.recipient_id, one.action, one.at_us, one.source) for one in log] == [
        *((one.id, ConsentAction.OUT, NOON_US + 1, "sms:BERHENTI") for one in both),
        (None, ConsentAction.OUT, NOON_US + 2, "sms:BERHENTI"),
    ]
    again = register.opt_in(both[0].id, source="formulir", now_us=NOON_US + 3)
    assert again.may_be_told


def test_who_stopped_is_not_told_and_the_log_says_when(register: Register, vault: Vault) -> None:
    place = register.add_recipient(agency(), HOOK, vault)
    assert not register.opt_out(place.id, source="surat", now_us=5).may_be_told
    assert [one.action for one in register.consents(REGION, recipient_id=place.id)] == [ConsentAction.OUT]
    assert [one.id for one in register.recipients(REGION, stopped=True)] == [place.id]
    with pytest.raises(NotFoundError):
        register.opt_out("nobody", source="surat", now_us=5)


def test_erasing_forgets_the_number_and_keeps_the_bare_log(register: Register, vault: Vault) -> None:
    person = register.add_recipient(citizen(name="Bu Siti"), Address(PHONE), vault)
    register.opt_in(person.id, source="formulir", now_us=NOON_US)
    DeliveryDesk(register, DeliverySettings()).issue(ACTUAL, rules_us=NOON_US, now_us=NOON_US)
    erased = register.erase_recipient(person.id, now_us=NOON_US + 1)
    assert (erased.name, erased.erased_us, erased.may_be_told) == ("", NOON_US + 1, False)
    assert register.address(person.id, vault) is None
    assert register.find_recipients(REGION, PHONE, vault) == []
    kept = everything(register)
    assert vault.lookup(PHONE) not in kept
    assert "Siti" not in kept
    (delivery,) = register.deliveries(recipient_id=person.id)
    assert (delivery.state, delivery.reason) == (DeliveryState.DROPPED, "stopped")
    with pytest.raises(ConflictError, match="erased"):
        register.opt_in(person.id, source="formulir", now_us=1)
    register.add_recipient(citizen(), Address(PHONE), vault)  # may come back as somebody new


def test_what_was_erased_is_not_left_in_the_pages_of_the_file(tmp_path: Path, vault: Vault) -> None:
    file = tmp_path / "register.db"
    upgrade(sqlite_url(file))
    with Register(sqlite_url(file)) as register:
        person = register.add_recipient(citizen(name="Bu Siti"), Address(PHONE), vault)
    assert b"Siti" in file.read_bytes()
    with Register(sqlite_url(file)) as register:
        register.erase_recipient(person.id, now_us=1)
    assert not file.with_name("register.db-wal").exists()
    assert b"Siti" not in file.read_bytes()


def test_a_number_of_nobody_can_be_forgotten(register: Register, vault: Vault) -> None:
    register.stop_number(REGION, PHONE, vault, source="sms:BERHENTI", now_us=1)
    assert vault.lookup(PHONE) in everything(register)
    assert register.forget_number(REGION, "081200000001", vault) == 1
    assert vault.lookup(PHONE) not in everything(register)


def test_old_consents_go_where_nobody_rests_on_them(register: Register, vault: Vault) -> None:
    living = register.add_recipient(citizen(), Address(PHONE), vault)
    gone = register.add_recipient(agency(), HOOK, vault)
    register.opt_in(living.id, source="formulir", now_us=10)
    register.opt_out(gone.id, source="surat", now_us=10)
    register.stop_number(REGION, "0812 9999 9999", vault, source="sms", now_us=10)
    assert register.delete_consents(before_us=10) == 0
    assert register.delete_consents(before_us=11) == 2
    assert [one.recipient_id for one in register.consents(REGION)] == [living.id]
