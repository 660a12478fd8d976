"""First tables of the register: alerts, evaluator, keys, field links, audit."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables."""
    _alerts()
    _evaluator()
    _access()
    _audit()


def downgrade() -> None:
    """Drop everything again."""
    for table in (
        "audit",
        "field_token",
        "api_key",
        "evaluator_cursor",
        "evaluator_state",
        "alert_change",
        "alert",
    ):
        op.drop_table(table)


def _words(*names: str, length: int) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(length), nullable=False) for name in names]


def _times(*names: str, nullable: bool = False) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=nullable) for name in names]


def _alerts() -> None:
    op.create_table(
        "alert",
        sa.Column("id", sa.String(36), nullable=False),
        *_words("region", length=20),
        *_words("station", length=40),
        *_words("status", "level", "highest", "highest_by_threshold", length=8),
        *_words("reason", length=16),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.Column("level_m", sa.Double(), nullable=False),
        *_times("opened_us", "updated_us"),
        *_times("ended_us", "acknowledged_us", nullable=True),
        sa.Column("acknowledged_by", sa.Text()),
        sa.Column("acknowledged_note", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_alert"),
    )
    active = sa.text("status = 'active'")
    op.create_index(
        "ix_alert_active",
        "alert",
        ["region", "station"],
        unique=True,
        sqlite_where=active,
        postgresql_where=active,
    )
    op.create_index("ix_alert_opened", "alert", ["opened_us", "id"])
    op.create_index("ix_alert_station", "alert", ["region", "station", "opened_us"])
    op.create_table(
        "alert_change",
        sa.Column("id", NUMBER, nullable=False, autoincrement=True),
        *_words("alert_id", length=36),
        *_words("region", length=20),
        *_words("station", length=40),
        *_times("at_us", "recorded_us"),
        *_words("before", "after", "kind", length=8),
        *_words("reason", length=16),
        sa.Column("level_m", sa.Double(), nullable=False),
        sa.Column("slope_m_per_h", sa.Double()),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alert_change"),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name="fk_alert_change_alert_id_alert"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_alert_change_alert_id", "alert_change", ["alert_id"])


def _evaluator() -> None:
    op.create_table(
        "evaluator_state",
        *_words("region", length=20),
        *_words("station", length=40),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("region", "station", name="pk_evaluator_state"),
    )
    op.create_table(
        "evaluator_cursor",
        *_words("region", length=20),
        *_words("name", length=40),
        *_times("position"),
        sa.PrimaryKeyConstraint("region", "name", name="pk_evaluator_cursor"),
    )


def _access() -> None:
    op.create_table(
        "api_key",
        *_words("id", length=36),
        *_words("region", length=20),
        sa.Column("name", sa.Text(), nullable=False),
        *_words("role", length=16),
        *_words("hash", length=64),
        sa.Column("stations", sa.Text(), nullable=False),
        *_times("created_us"),
        *_times("revoked_us", "last_used_us", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_api_key"),
        sa.UniqueConstraint("hash", name="uq_api_key_hash"),
    )
    op.create_table(
        "field_token",
        *_words("id", length=36),
        *_words("region", length=20),
        *_words("station", length=40),
        sa.Column("label", sa.Text(), nullable=False),
        *_words("hash", length=64),
        *_times("created_us"),
        *_times("revoked_us", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_field_token"),
        sa.UniqueConstraint("hash", name="uq_field_token_hash"),
    )


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", NUMBER, nullable=False, autoincrement=True),
        *_times("at_us"),
        *_words("region", length=20),
        sa.Column("actor", sa.Text(), nullable=False),
        *_words("action", length=40),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
        sqlite_autoincrement=True,
    )
