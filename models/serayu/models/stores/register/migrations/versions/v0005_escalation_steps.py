"""When each step of an escalation was told, and whether a gateway may lie in a private network."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table and the column."""
    op.create_table(
        "escalation_step",
        sa.Column("bulletin_id", sa.String(36), nullable=False),
        sa.Column("step", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["bulletin_id"], ["escalation.bulletin_id"], name="fk_escalation_step_bulletin_id_escalation"
        ),
        sa.PrimaryKeyConstraint("bulletin_id", "step", name="pk_escalation_step"),
    )
    op.add_column(
        "gateway", sa.Column("allow_private", sa.Boolean(), server_default=sa.false(), nullable=False)
    )


def downgrade() -> None:
    """Drop them again."""
    op.drop_column("gateway", "allow_private")
    op.drop_table("escalation_step")
