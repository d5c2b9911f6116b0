"""Who has a record open at this moment, and who does not want that to be seen."""

import sqlalchemy as sa
from alembic import op

revision = "0014_presence"
down_revision = "0013_news_by_mail"


def upgrade() -> None:
    op.create_table(
        "presence",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("about", sa.String(length=60), nullable=False),
        sa.Column("about_id", sa.Integer(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wrote_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
            name=op.f("fk_presence_user_id_user"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "about", "about_id", "user_id", name=op.f("pk_presence")
        ),
    )
    op.create_table(
        "presence_hidden",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
            name=op.f("fk_presence_hidden_user_id_user"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_presence_hidden")),
    )


def downgrade() -> None:
    op.drop_table("presence_hidden")
    op.drop_table("presence")
