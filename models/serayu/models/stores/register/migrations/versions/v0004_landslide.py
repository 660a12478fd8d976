"""The newest landslide assessment of each region."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "landslide",
        sa.Column("region", sa.String(20), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("roads", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("region", name="pk_landslide"),
    )


def downgrade() -> None:
    """Drop it again."""
    op.drop_table("landslide")
