"""Who stands in for whom, and by what a token is known again."""

import sqlalchemy as sa
from alembic import op

revision = "0007_deputies"
down_revision = "0006_house"


def upgrade() -> None:
    op.create_table(
        "user_deputy",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("deputy_id", sa.Integer(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["deputy_id"],
            ["user.id"],
            name=op.f("fk_user_deputy_deputy_id_user"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
            name=op.f("fk_user_deputy_user_id_user"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_deputy")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("user_deputy", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_user_deputy_user_id"), ["user_id"])
        batch_op.create_index(batch_op.f("ix_user_deputy_deputy_id"), ["deputy_id"])
    op.add_column(
        "api_token",
        sa.Column("ending", sa.String(length=8), nullable=False, server_default=""),
    )


def downgrade() -> None:
    with op.batch_alter_table("api_token", schema=None) as batch_op:
        batch_op.drop_column("ending")
    with op.batch_alter_table("user_deputy", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_user_deputy_deputy_id"))
        batch_op.drop_index(batch_op.f("ix_user_deputy_user_id"))
    op.drop_table("user_deputy")
