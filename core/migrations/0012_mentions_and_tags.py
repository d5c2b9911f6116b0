"""Whom the text of an entry calls, and its tags."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012_mentions_and_tags"
down_revision = "0011_reading_indexes"

_JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")


def upgrade() -> None:
    op.add_column(
        "interaction",
        sa.Column("mentions", _JSON, nullable=False, server_default=sa.text("'[]'")),
    )
    op.create_table(
        "interaction_tag",
        sa.Column("interaction_id", sa.Integer(), nullable=False),
        sa.Column("tag", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["interaction_id"],
            ["interaction.id"],
            name=op.f("fk_interaction_tag_interaction_id_interaction"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "interaction_id", "tag", name=op.f("pk_interaction_tag")
        ),
    )
    op.create_index(
        "ix_interaction_tag_tag", "interaction_tag", ["tag", "interaction_id"]
    )


def downgrade() -> None:
    op.drop_table("interaction_tag")
    op.drop_column("interaction", "mentions")
