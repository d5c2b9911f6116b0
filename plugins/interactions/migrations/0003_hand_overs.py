"""Customers that are handed over, and what of it was looked at."""

import sqlalchemy as sa
from alembic import op

revision = "0003_hand_overs"
down_revision = "0002_follow_ups"

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "interactions_hand_over",
        sa.Column("contact_id", sa.Integer(), nullable=False),
        sa.Column("giver_id", sa.Integer(), nullable=True),
        sa.Column("receiver_id", sa.Integer(), nullable=True),
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("finished_at", _MOMENT, nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"],
            ["contact.id"],
            name=op.f("fk_interactions_hand_over_contact_id_contact"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["giver_id"],
            ["user.id"],
            name=op.f("fk_interactions_hand_over_giver_id_user"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["receiver_id"],
            ["user.id"],
            name=op.f("fk_interactions_hand_over_receiver_id_user"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interactions_hand_over")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("interactions_hand_over", schema=None) as batch_op:
        for column in ("contact_id", "giver_id", "receiver_id"):
            name = batch_op.f(f"ix_interactions_hand_over_{column}")
            batch_op.create_index(name, [column], unique=False)
    op.create_table(
        "interactions_handed",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("hand_over_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("ref", sa.String(length=100), nullable=False),
        sa.Column("acknowledged_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["hand_over_id"],
            ["interactions_hand_over.id"],
            name=op.f("fk_interactions_handed_hand_over_id_interactions_hand_over"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interactions_handed")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("interactions_handed", schema=None) as batch_op:
        for column in ("hand_over_id", "ref"):
            name = batch_op.f(f"ix_interactions_handed_{column}")
            batch_op.create_index(name, [column], unique=False)


def downgrade() -> None:
    op.drop_table("interactions_handed")
    op.drop_table("interactions_hand_over")
