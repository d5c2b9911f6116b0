"""The house's logo, and how far the first hour went."""

import sqlalchemy as sa
from alembic import op

revision = "0006_house"
down_revision = "0005_notifications"


def upgrade() -> None:
    op.create_table(
        "house_logo",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("media_type", sa.String(length=40), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_house_logo")),
    )
    op.create_table(
        "first_hour_step",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["by_id"],
            ["user.id"],
            name=op.f("fk_first_hour_step_by_id_user"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_first_hour_step")),
    )


def downgrade() -> None:
    op.drop_table("first_hour_step")
    op.drop_table("house_logo")
