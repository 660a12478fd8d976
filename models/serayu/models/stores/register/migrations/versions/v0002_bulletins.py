"""Bulletins, recipients with their consents, deliveries with their attempts, escalations."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables."""
    _bulletins()
    _recipients()
    _consents()
    _deliveries()
    _escalations()


def downgrade() -> None:
    """Drop them again."""
    for table in (
        "escalation",
        "delivery_attempt",
        "delivery",
        "consent",
        "gateway",
        "recipient",
        "bulletin",
    ):
        op.drop_table(table)


def _words(*names: str, length: int, nullable: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(length), nullable=nullable) for name in names]


def _texts(*names: str, nullable: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=nullable) for name in names]


def _times(*names: str, nullable: bool = False) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=nullable) for name in names]


def _counts(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer(), nullable=False) for name in names]


def _bulletins() -> None:
    op.create_table(
        "bulletin",
        sa.Column("number", NUMBER, nullable=False, autoincrement=True),
        *_words("id", "alert_id", length=36),
        *_times("change_id", nullable=True),
        *_words("region", length=20),
        *_words("station", length=40),
        *_words("hazard", length=16),
        *_words("msg_type", "status", "level", length=8),
        *_times("sent_us", "expires_us", "recorded_us"),
        *_texts("body"),
        sa.PrimaryKeyConstraint("number", name="pk_bulletin"),
        sa.UniqueConstraint("id", name="uq_bulletin_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_bulletin_change", "bulletin", ["alert_id", "change_id"], unique=True)
    op.create_index("ix_bulletin_alert", "bulletin", ["alert_id", "number"])
    op.create_index("ix_bulletin_region", "bulletin", ["region", "number"])


def _recipients() -> None:
    op.create_table(
        "recipient",
        *_words("id", length=36),
        *_words("region", length=20),
        *_texts("name"),
        *_words("audience", length=8),
        *_words("channel", length=16),
        *_texts("languages", "hazards"),
        *_words("lowest", length=8),
        *_texts("stations"),
        *_texts("quiet", nullable=True),
        *_counts("step"),
        sa.Column("allow_private", sa.Boolean(), nullable=False),
        *_times("created_us"),
        *_times("opted_in_us", "stopped_us", "erased_us", nullable=True),
        *_texts("address", "secret", nullable=True),
        *_words("address_hash", length=64, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_recipient"),
    )
    columns = ["region", "channel", "address_hash"]
    op.create_index("ix_recipient_address", "recipient", columns, unique=True)
    op.create_table(
        "gateway",
        *_words("region", length=20),
        *_words("channel", length=16),
        *_texts("url"),
        sa.PrimaryKeyConstraint("region", "channel", name="pk_gateway"),
    )


def _consents() -> None:
    op.create_table(
        "consent",
        sa.Column("id", NUMBER, nullable=False, autoincrement=True),
        *_words("region", length=20),
        *_words("recipient_id", length=36, nullable=True),
        *_words("address_hash", length=64, nullable=True),
        *_words("action", length=4),
        *_times("at_us"),
        *_texts("source"),
        sa.PrimaryKeyConstraint("id", name="pk_consent"),
        sa.ForeignKeyConstraint(["recipient_id"], ["recipient.id"], name="fk_consent_recipient_id_recipient"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_consent_address", "consent", ["region", "address_hash"])


def _deliveries() -> None:
    op.create_table(
        "delivery",
        *_words("id", "bulletin_id", "alert_id", length=36),
        *_words("region", length=20),
        *_words("recipient_id", length=36),
        *_words("level", length=8),
        *_counts("step"),
        *_words("state", length=8),
        *_words("reason", length=40, nullable=True),
        *_times("not_before_us", "retry_us", "created_us"),
        *_times("ended_us", nullable=True),
        *_times("expires_us"),
        *_counts("attempts"),
        *_words("leased_by", length=80, nullable=True),
        *_times("leased_until_us", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_delivery"),
        sa.ForeignKeyConstraint(["bulletin_id"], ["bulletin.id"], name="fk_delivery_bulletin_id_bulletin"),
        sa.ForeignKeyConstraint(
            ["recipient_id"], ["recipient.id"], name="fk_delivery_recipient_id_recipient"
        ),
    )
    op.create_index("ix_delivery_once", "delivery", ["bulletin_id", "recipient_id"], unique=True)
    op.create_index("ix_delivery_alert", "delivery", ["alert_id", "recipient_id"])
    op.create_index("ix_delivery_recipient", "delivery", ["recipient_id", "created_us"])
    queued = sa.text("state = 'queued'")
    op.create_index(
        "ix_delivery_due", "delivery", ["region", "retry_us"], sqlite_where=queued, postgresql_where=queued
    )
    op.create_table(
        "delivery_attempt",
        *_words("delivery_id", length=36),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        *_times("at_us"),
        *_counts("elapsed_ms"),
        sa.Column("ok", sa.Boolean(), nullable=False),
        *_texts("detail"),
        sa.PrimaryKeyConstraint("delivery_id", "number", name="pk_delivery_attempt"),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name="fk_delivery_attempt_delivery_id_delivery"
        ),
    )


def _escalations() -> None:
    op.create_table(
        "escalation",
        *_words("bulletin_id", "alert_id", length=36),
        *_words("region", length=20),
        *_words("level", length=8),
        *_counts("step"),
        *_times("due_us", nullable=True),
        *_times("started_us"),
        *_times("acknowledged_us", nullable=True),
        *_texts("acknowledged_by", nullable=True),
        *_times("ended_us", nullable=True),
        sa.PrimaryKeyConstraint("bulletin_id", name="pk_escalation"),
        sa.ForeignKeyConstraint(["bulletin_id"], ["bulletin.id"], name="fk_escalation_bulletin_id_bulletin"),
    )
    op.create_index("ix_escalation_alert_id", "escalation", ["alert_id"])
