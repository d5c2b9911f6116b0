"""What somebody arranges for themselves: their keys and pinned contacts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009_keys"
down_revision = "0007_deputies"

_JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")


def upgrade() -> None:
    op.create_table(
        "user_desk",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("single_keys", sa.Boolean(), nullable=False),
        sa.Column("changed_keys", _JSON, nullable=False),
        sa.Column("pinned", _JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
            name=op.f("fk_user_desk_user_id_user"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_user_desk")),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    op.drop_table("user_desk")
