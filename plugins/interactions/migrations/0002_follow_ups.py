"""What is to be done about contacts, and when."""

import sqlalchemy as sa
from alembic import op

revision = "0002_follow_ups"
down_revision = "0001_timeline"

_OPEN = "done_at IS NULL AND trashed_at IS NULL"
_UNTOLD = f"{_OPEN} AND told_at IS NULL"
_MOMENT = sa.DateTime(timezone=True)


def _link(column: str, to: str, ondelete: str) -> sa.ForeignKeyConstraint:
    name = f"fk_interactions_follow_up_{column}_{to}"
    return sa.ForeignKeyConstraint(
        [column], [f"{to}.id"], name=op.f(name), ondelete=ondelete
    )


def upgrade() -> None:
    op.create_table(
        "interactions_follow_up",
        sa.Column("text", sa.String(length=500), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=False),
        sa.Column("interaction_id", sa.Integer(), nullable=True),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("after_minutes", sa.Integer(), nullable=True),
        sa.Column("snoozed_until", _MOMENT, nullable=True),
        sa.Column("remind_at", _MOMENT, nullable=False),
        sa.Column("told_at", _MOMENT, nullable=True),
        sa.Column("done_at", _MOMENT, nullable=True),
        sa.Column("repeat_every", sa.Integer(), nullable=True),
        sa.Column("repeat_unit", sa.String(length=5), nullable=False),
        sa.Column("previous_id", sa.Integer(), nullable=True),
        sa.Column("trashed_at", _MOMENT, nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        _link("contact_id", "contact", "CASCADE"),
        _link("interaction_id", "interaction", "CASCADE"),
        _link("author_id", "user", "SET NULL"),
        _link("owner_id", "user", "SET NULL"),
        _link("previous_id", "interactions_follow_up", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interactions_follow_up")),
        sa.UniqueConstraint(
            "previous_id", name=op.f("uq_interactions_follow_up_previous_id")
        ),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("interactions_follow_up", schema=None) as batch_op:
        for column in ("contact_id", "interaction_id", "author_id", "owner_id"):
            name = batch_op.f(f"ix_interactions_follow_up_{column}")
            batch_op.create_index(name, [column], unique=False)
        batch_op.create_index(
            "ix_interactions_follow_up_open",
            ["owner_id", "remind_at"],
            unique=False,
            postgresql_where=sa.text(_OPEN),
            sqlite_where=sa.text(_OPEN),
        )
        batch_op.create_index(
            "ix_interactions_follow_up_untold",
            ["remind_at"],
            unique=False,
            postgresql_where=sa.text(_UNTOLD),
            sqlite_where=sa.text(_UNTOLD),
        )


def downgrade() -> None:
    op.drop_table("interactions_follow_up")
