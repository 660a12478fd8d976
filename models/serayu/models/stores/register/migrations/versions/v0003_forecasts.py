"""Forecasts of the river posts."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "forecast",
        sa.Column("region", sa.String(20), nullable=False),
        sa.Column("station", sa.String(40), nullable=False),
        sa.Column("issued_us", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("region", "station", "issued_us", name="pk_forecast"),
    )


def downgrade() -> None:
    """Drop it again."""
    op.drop_table("forecast")
