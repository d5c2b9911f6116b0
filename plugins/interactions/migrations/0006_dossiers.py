"""Dossiers that a worker makes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006_dossiers"
down_revision = "0005_following"

TABLE = "interactions_dossier"
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=False),
        sa.Column("wanted", _JSON, nullable=False),
        sa.Column("ending", sa.String(length=4), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("leased_until", _MOMENT, nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("entries", _JSON, nullable=False),
        sa.Column("refs", _JSON, nullable=False),
        sa.Column("sight", sa.String(length=64), nullable=False),
        sa.Column("asked_at", _MOMENT, nullable=False),
        sa.Column("made_at", _MOMENT, nullable=True),
        sa.Column("expires_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
            name=op.f(f"fk_{TABLE}_user_id_user"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"],
            ["contact.id"],
            name=op.f(f"fk_{TABLE}_contact_id_contact"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{TABLE}")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table(TABLE) as batch_op:
        for name in ("user_id", "contact_id", "expires_at"):
            batch_op.create_index(batch_op.f(f"ix_{TABLE}_{name}"), [name])


def downgrade() -> None:
    op.drop_table(TABLE)
