"""How far readers have read, and how they reacted."""

import sqlalchemy as sa
from alembic import op

revision = "0001_timeline"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "interactions_seen",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=False),
        sa.Column("entry", sa.Integer(), nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"],
            ["contact.id"],
            name=op.f("fk_interactions_seen_contact_id_contact"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
            name=op.f("fk_interactions_seen_user_id_user"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "user_id", "contact_id", name=op.f("pk_interactions_seen")
        ),
    )
    with op.batch_alter_table("interactions_seen", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_interactions_seen_contact_id"), ["contact_id"], unique=False
        )

    op.create_table(
        "interactions_reaction",
        sa.Column("interaction_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("reacted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["interaction_id"],
            ["interaction.id"],
            name=op.f("fk_interactions_reaction_interaction_id_interaction"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
            name=op.f("fk_interactions_reaction_user_id_user"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "interaction_id", "name", "user_id", name=op.f("pk_interactions_reaction")
        ),
    )
    with op.batch_alter_table("interactions_reaction", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_interactions_reaction_user_id"), ["user_id"], unique=False
        )


def downgrade() -> None:
    op.drop_table("interactions_reaction")
    op.drop_table("interactions_seen")
