"""Field links: a farmer opens ``/sawah/<token>`` without a key; of its 128 random bits a hash is kept."""

import secrets

from sqlalchemy import RowMapping, insert, select, update

from serayu.models.access import FieldToken, NewFieldToken
from serayu.models.errors import NotFoundError
from serayu.models.stores.register.audit import write_audit
from serayu.models.stores.register.database import Database
from serayu.models.stores.register.keys import secret_hash
from serayu.models.stores.register.schema import field_token
from serayu.models.uuid7 import uuid7

TOKEN_BYTES = 16


class FieldTokens(Database):
    """The register's field links."""

    def create_field_token(
        self, region: str, station: str, *, label: str, now_us: int, actor: str = "system"
    ) -> NewFieldToken:
        """Make a link to a field's page; its token is in the answer and nowhere else."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        record = FieldToken(uuid7(now_us), region, station, label, now_us)
        row = {
            "id": record.id,
            "region": region,
            "station": station,
            "label": label,
            "hash": secret_hash(token),
            "created_us": now_us,
        }
        with self.writing() as connection:
            connection.execute(insert(field_token), row)
            write_audit(
                connection,
                region,
                actor=actor,
                action="field.create",
                target=record.id,
                detail=f"{station}: {label}",
                now_us=now_us,
            )
        return NewFieldToken(token, record)

    def find_field_token(self, token: str) -> FieldToken | None:
        """Return the link of that token; None for an unknown or revoked one."""
        query = select(field_token).where(
            field_token.c.hash == secret_hash(token), field_token.c.revoked_us.is_(None)
        )
        with self.reading() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else _record(row)

    def revoke_field_token(self, token_id: str, *, now_us: int, actor: str = "system") -> FieldToken:
        """Make a link invalid for ever; doing it again changes nothing.

        Raises
        ------
        NotFoundError
            No link of that id.
        """
        here = field_token.c.id == token_id
        with self.writing() as connection:
            row = connection.execute(select(field_token).where(here)).mappings().first()
            if row is None:
                raise NotFoundError(f"there is no field link {token_id!r}")
            if row["revoked_us"] is None:
                connection.execute(update(field_token).where(here).values(revoked_us=now_us))
                write_audit(
                    connection,
                    row["region"],
                    actor=actor,
                    action="field.revoke",
                    target=token_id,
                    now_us=now_us,
                )
            row = connection.execute(select(field_token).where(here)).mappings().one()
        return _record(row)

    def field_tokens(self, region: str | None = None) -> list[FieldToken]:
        """Return all links, revoked ones too, oldest first."""
        query = select(field_token).order_by(field_token.c.created_us, field_token.c.id)
        if region is not None:
            query = query.where(field_token.c.region == region)
        with self.reading() as connection:
            return [_record(row) for row in connection.execute(query).mappings()]


def _record(row: RowMapping) -> FieldToken:
    return FieldToken(
        id=row["id"],
        region=row["region"],
        station=row["station"],
        label=row["label"],
        created_us=row["created_us"],
        revoked_us=row["revoked_us"],
    )
