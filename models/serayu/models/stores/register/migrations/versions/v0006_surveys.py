"""Surveys with their findings, segments and photos, and what people say of the findings."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SURVEY = ["survey.region", "survey.id"]


def upgrade() -> None:
    """Create the tables."""
    _survey()
    _finding()
    _segment()
    op.create_table(
        "survey_photo",
        sa.Column("region", sa.String(20), nullable=False),
        sa.Column("survey_id", sa.String(64), nullable=False),
        sa.Column("photo", sa.String(200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["region", "survey_id"], _SURVEY, name="fk_survey_photo_region_survey"),
        sa.PrimaryKeyConstraint("region", "survey_id", "photo", name="pk_survey_photo"),
    )
    _review()


def downgrade() -> None:
    """Drop them again."""
    for table in ("review", "survey_photo", "segment", "finding", "survey"):
        op.drop_table(table)


def _survey() -> None:
    op.create_table(
        "survey",
        sa.Column("region", sa.String(20), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("detector", sa.Text(), nullable=False),
        sa.Column("first_us", sa.BigInteger()),
        sa.Column("last_us", sa.BigInteger()),
        sa.Column("findings", sa.Integer(), nullable=False),
        sa.Column("segments", sa.Integer(), nullable=False),
        sa.Column("pictures", sa.Integer(), nullable=False),
        sa.Column("published_us", sa.BigInteger(), nullable=False),
        sa.Column("published_by", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("region", "id", name="pk_survey"),
    )
    op.create_index("ix_survey_published", "survey", ["region", "published_us"])


def _finding() -> None:
    op.create_table(
        "finding",
        sa.Column("region", sa.String(20), nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("survey_id", sa.String(64), nullable=False),
        sa.Column("label", sa.String(24), nullable=False),
        sa.Column("score", sa.Double()),
        sa.Column("ruas", sa.String(40)),
        *(sa.Column(side, sa.Double(), nullable=False) for side in ("west", "south", "east", "north")),
        sa.Column("picture", sa.Boolean(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["region", "survey_id"], _SURVEY, name="fk_finding_region_survey"),
        sa.PrimaryKeyConstraint("region", "id", name="pk_finding"),
    )
    op.create_index("ix_finding_survey", "finding", ["region", "survey_id"])
    op.create_index("ix_finding_ruas", "finding", ["region", "ruas"])


def _segment() -> None:
    op.create_table(
        "segment",
        sa.Column("id", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("region", sa.String(20), nullable=False),
        sa.Column("survey_id", sa.String(64), nullable=False),
        sa.Column("ruas", sa.String(40), nullable=False),
        sa.Column("km_from", sa.Double(), nullable=False),
        *(sa.Column(side, sa.Double(), nullable=False) for side in ("west", "south", "east", "north")),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["region", "survey_id"], _SURVEY, name="fk_segment_region_survey"),
        sa.PrimaryKeyConstraint("id", name="pk_segment"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_segment_survey", "segment", ["region", "survey_id", "ruas", "km_from"], unique=True)


def _review() -> None:
    op.create_table(
        "review",
        sa.Column("id", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("region", sa.String(20), nullable=False),
        sa.Column("finding_id", sa.String(36), nullable=False),
        sa.Column("judgement", sa.String(8), nullable=False),
        sa.Column("label", sa.String(24)),
        sa.Column("key_id", sa.String(36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["region", "finding_id"], ["finding.region", "finding.id"], name="fk_review_region_finding"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_review"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_review_finding", "review", ["region", "finding_id", "id"])
