"""The audit trail: who did what to which record, in the transaction that did it."""

from sqlalchemy import Connection, desc, insert, select

from serayu.models.access import AuditEntry
from serayu.models.stores.register.database import Database
from serayu.models.stores.register.schema import audit


def write_audit(
    connection: Connection,
    region: str,
    *,
    actor: str,
    action: str,
    target: str,
    detail: str = "",
    now_us: int,
) -> None:
    """Add an entry within a transaction; never put a secret in."""
    row = {
        "at_us": now_us,
        "region": region,
        "actor": actor,
        "action": action,
        "target": target,
        "detail": detail,
    }
    connection.execute(insert(audit), row)


class AuditLog(Database):
    """The register's audit trail."""

    def add_audit(
        self, region: str, *, actor: str, action: str, target: str, detail: str = "", now_us: int
    ) -> None:
        """Add an entry of its own; never put a secret in."""
        with self.writing() as connection:
            write_audit(
                connection, region, actor=actor, action=action, target=target, detail=detail, now_us=now_us
            )

    def audit_entries(
        self, region: str | None = None, *, before_id: int | None = None, limit: int = 100
    ) -> list[AuditEntry]:
        """Return entries, newest first; *before_id* is the last one of the page before."""
        query = select(audit).order_by(desc(audit.c.id)).limit(limit)
        if region is not None:
            query = query.where(audit.c.region == region)
        if before_id is not None:
            query = query.where(audit.c.id < before_id)
        with self.reading() as connection:
            return [AuditEntry(**row) for row in connection.execute(query).mappings()]
