"""Who may do what: roles, API keys, field links, and the record of what was done."""

import enum
from typing import NamedTuple

import msgspec


class Role(enum.StrEnum):
    """What a key may see and do; anonymous callers are `PUBLIC`."""

    DISHUB = "dishub"
    CREW = "crew"
    FARMER = "farmer"
    OPERATOR = "operator"
    PUBLIC = "public"


class ApiKey(msgspec.Struct, frozen=True):
    """A key as the register knows it: everything but the secret, of which only a hash is kept.

    Parameters
    ----------
    id, region, name, role
        UUIDv7, where it is valid, whose it is, what it may do.
    stations
        A farmer's own stations; empty for other roles, which see all.
    created_us, revoked_us, last_used_us
        Microseconds UTC; None where it did not happen.
    """

    id: str
    region: str
    name: str
    role: Role
    stations: tuple[str, ...]
    created_us: int
    revoked_us: int | None = None
    last_used_us: int | None = None


class NewKey(NamedTuple):
    """A key just made; the secret is not kept and can never be shown again."""

    secret: str
    key: ApiKey


class FieldToken(msgspec.Struct, frozen=True):
    """A farmer's link to the page of one field, without its secret part."""

    id: str
    region: str
    station: str
    label: str
    created_us: int
    revoked_us: int | None = None


class NewFieldToken(NamedTuple):
    """A field link just made; the token is not kept and can never be shown again."""

    token: str
    record: FieldToken


class AuditEntry(msgspec.Struct, frozen=True):
    """What somebody did: ``actor`` did ``action`` to ``target``; never holds a secret."""

    id: int
    at_us: int
    region: str
    actor: str
    action: str
    target: str
    detail: str
