"""API keys: 256 random bits each, of which the register keeps only a hash.

A key is too random to be guessed from its hash, so a plain SHA-256 is enough (unlike for a password). It is
found by an index on the hash: what timing could tell is something about a hash, from which no key follows.
"""

import hashlib
import json
import secrets
from collections.abc import Sequence

from sqlalchemy import RowMapping, insert, or_, select, update

from serayu.models.access import ApiKey, NewKey, Role
from serayu.models.errors import NotFoundError
from serayu.models.stores.register.audit import write_audit
from serayu.models.stores.register.database import Database
from serayu.models.stores.register.schema import api_key
from serayu.models.times import US_PER_MINUTE
from serayu.models.uuid7 import uuid7

KEY_PREFIX = "sry_"
KEY_BYTES = 32
TOUCH_EVERY_US = 10 * US_PER_MINUTE  # a write for every request would wear an SD card [project proposal]


def secret_hash(secret: str) -> str:
    """Return what is kept of a secret: its SHA-256 in hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()


class Keys(Database):
    """The register's API keys."""

    def create_key(
        self,
        region: str,
        name: str,
        role: Role,
        *,
        now_us: int,
        stations: Sequence[str] = (),
        actor: str = "system",
    ) -> NewKey:
        """Make a key; its secret is in the answer and nowhere else.

        Parameters
        ----------
        region, name, role
            Where it is valid, whose it is (for people), what it may do.
        now_us
            Present, microseconds UTC.
        stations
            A farmer's own stations.
        actor
            Who makes it, for the audit trail.
        """
        secret = KEY_PREFIX + secrets.token_urlsafe(KEY_BYTES)
        key = ApiKey(uuid7(now_us), region, name, role, tuple(stations), now_us)
        row = {
            "id": key.id,
            "region": region,
            "name": name,
            "role": role.value,
            "hash": secret_hash(secret),
            "stations": json.dumps(key.stations),
            "created_us": now_us,
        }
        with self.writing() as connection:
            connection.execute(insert(api_key), row)
            detail = f"{role.value}: {name}"
            write_audit(
                connection,
                region,
                actor=actor,
                action="key.create",
                target=key.id,
                detail=detail,
                now_us=now_us,
            )
        return NewKey(secret, key)

    def find_key(self, secret: str) -> ApiKey | None:
        """Return the key of that secret; None for an unknown or revoked one."""
        if not secret.startswith(KEY_PREFIX):
            return None
        query = select(api_key).where(api_key.c.hash == secret_hash(secret), api_key.c.revoked_us.is_(None))
        with self.reading() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else _key(row)

    def touch_key(self, key_id: str, now_us: int) -> None:
        """Remember that a key was used, to ten minutes."""
        stale = or_(api_key.c.last_used_us.is_(None), api_key.c.last_used_us < now_us - TOUCH_EVERY_US)
        here = api_key.c.id == key_id
        with self.reading() as connection:
            if connection.execute(select(api_key.c.id).where(here, stale)).first() is None:
                return
        with self.writing() as connection:
            connection.execute(update(api_key).where(here, stale).values(last_used_us=now_us))

    def revoke_key(self, key_id: str, *, now_us: int, actor: str = "system") -> ApiKey:
        """Make a key invalid for ever; doing it again changes nothing.

        Raises
        ------
        NotFoundError
            No key of that id.
        """
        with self.writing() as connection:
            row = connection.execute(select(api_key).where(api_key.c.id == key_id)).mappings().first()
            if row is None:
                raise NotFoundError(f"there is no key {key_id!r}")
            if row["revoked_us"] is None:
                connection.execute(update(api_key).where(api_key.c.id == key_id).values(revoked_us=now_us))
                write_audit(
                    connection, row["region"], actor=actor, action="key.revoke", target=key_id, now_us=now_us
                )
            row = connection.execute(select(api_key).where(api_key.c.id == key_id)).mappings().one()
        return _key(row)

    def keys(self, region: str | None = None) -> list[ApiKey]:
        """Return all keys, revoked ones too, oldest first."""
        query = select(api_key).order_by(api_key.c.created_us, api_key.c.id)
        if region is not None:
            query = query.where(api_key.c.region == region)
        with self.reading() as connection:
            return [_key(row) for row in connection.execute(query).mappings()]


def _key(row: RowMapping) -> ApiKey:
    return ApiKey(
        id=row["id"],
        region=row["region"],
        name=row["name"],
        role=Role(row["role"]),
        stations=tuple(json.loads(row["stations"])),
        created_us=row["created_us"],
        revoked_us=row["revoked_us"],
        last_used_us=row["last_used_us"],
    )
