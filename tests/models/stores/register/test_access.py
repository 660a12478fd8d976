"""Contract of the register's keys, field links and audit, on SQLite and on a real PostgreSQL."""

import pytest
from sqlalchemy import text

from serayu.models.access import Role
from serayu.models.errors import BadInputError, NotFoundError
from serayu.models.stores.register import Register
from serayu.models.stores.register.keys import TOUCH_EVERY_US

REGION = "33.02"


def everything_stored(register: Register) -> str:
    """All rows of all tables as one text."""
    with register.reading() as connection:
        tables = ("api_key", "field_token", "audit")
        queries = [text(f"SELECT * FROM {name}") for name in tables]  # noqa: S608 -- constants
        return "\n".join(str(row) for query in queries for row in connection.execute(query))


@pytest.mark.parametrize("role", list(Role))
def test_a_key_is_found_by_its_secret_until_it_is_revoked(register: Register, role: Role) -> None:
    secret, key = register.create_key(REGION, "Dinas", role, now_us=5, stations=("sawah-1",), actor="Bu Siti")
    assert register.find_key(secret) == key
    assert (key.role, key.stations, key.created_us) == (role, ("sawah-1",), 5)
    revoked = register.revoke_key(key.id, now_us=9)
    assert revoked.revoked_us == 9
    assert register.find_key(secret) is None
    assert register.revoke_key(key.id, now_us=10).revoked_us == 9, "the first time counts"
    assert register.keys(REGION) == [revoked]
    assert register.keys("99.01") == []
    assert [entry.action for entry in register.audit_entries()] == ["key.revoke", "key.create"]


@pytest.mark.parametrize("secret", ["", "sry_", "sry_nothing", "kunci-lama", "sry_\x00", "sry_é"])
def test_an_unknown_secret_finds_no_key(register: Register, secret: str) -> None:
    register.create_key(REGION, "Dinas", Role.DISHUB, now_us=5)
    assert register.find_key(secret) is None


def test_secrets_are_long_random_and_never_stored(register: Register) -> None:
    made = [register.create_key(REGION, f"k{n}", Role.CREW, now_us=n) for n in range(20)]
    tokens = [register.create_field_token(REGION, "sawah-1", label="Blok B", now_us=n) for n in range(20)]
    assert len({new.secret for new in made}) == 20
    assert all(
        new.secret.startswith("sry_") and len(new.secret) == 4 + 43 for new in made
    )  # 256 bits in base64
    assert all(len(new.token) == 22 for new in tokens)  # 128 bits in base64
    stored = everything_stored(register)
    assert not any(new.secret[4:] in stored for new in made)
    assert not any(new.token in stored for new in tokens)
    assert "Blok B" in stored


def test_use_of_a_key_is_noted_every_ten_minutes(register: Register) -> None:
    key = register.create_key(REGION, "Dinas", Role.DISHUB, now_us=5).key
    for now_us, noted in ((10, 10), (10 + TOUCH_EVERY_US, 10), (11 + TOUCH_EVERY_US, 11 + TOUCH_EVERY_US)):
        register.touch_key(key.id, now_us)
        assert register.keys()[0].last_used_us == noted


def test_a_field_link_is_found_by_its_token_until_it_is_revoked(register: Register) -> None:
    token, record = register.create_field_token(REGION, "sawah-1", label="Sawah Pak Tarno", now_us=5)
    assert register.find_field_token(token) == record
    assert register.find_field_token(token[:-1]) is None
    assert register.find_field_token("") is None
    revoked = register.revoke_field_token(record.id, now_us=9)
    assert register.find_field_token(token) is None
    assert register.revoke_field_token(record.id, now_us=10) == revoked
    assert register.field_tokens() == [revoked]
    assert register.field_tokens("99.01") == []


def test_revoking_what_does_not_exist_is_refused(register: Register) -> None:
    with pytest.raises(NotFoundError, match="no key 'x'"):
        register.revoke_key("x", now_us=1)
    with pytest.raises(NotFoundError, match="no field link 'x'"):
        register.revoke_field_token("x", now_us=1)


def test_the_audit_trail_is_paged_newest_first(register: Register) -> None:
    for number in range(5):
        register.add_audit(
            REGION, actor="Bu Siti", action="test", target=str(number), detail="✓ ꦧ", now_us=number
        )
    register.add_audit("99.01", actor="x", action="test", target="y", now_us=1)
    first = register.audit_entries(REGION, limit=3)
    rest = register.audit_entries(REGION, before_id=first[-1].id, limit=3)
    assert [entry.target for entry in first + rest] == ["4", "3", "2", "1", "0"]
    assert first[0].detail == "✓ ꦧ"
    assert len(register.audit_entries()) == 6


def test_text_that_a_database_cannot_hold_is_bad_input_or_comes_back_whole(register: Register) -> None:
    try:
        register.add_audit(REGION, actor="a\x00b", action="test", target="", now_us=1)
    except BadInputError as error:
        assert "cannot hold" in str(error)  # noqa: PT017 -- one of two right answers
    else:
        assert register.audit_entries()[0].actor == "a\x00b"
