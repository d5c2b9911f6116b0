"""News by e-mail: how each reader wants it, and what was mailed."""

import sqlalchemy as sa
from alembic import op

revision = "0013_news_by_mail"
down_revision = "0012_mentions_and_tags"


def _key(table: str, column: str, of: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column],
        [f"{of}.id"],
        name=op.f(f"fk_{table}_{column}_{of}"),
        ondelete="CASCADE",
    )


def upgrade() -> None:
    op.create_table(
        "notification_choice",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("way", sa.String(length=10), nullable=False),
        _key("notification_choice", "user_id", "user"),
        sa.PrimaryKeyConstraint("user_id", "kind", name=op.f("pk_notification_choice")),
    )
    op.create_table(
        "notification_summary",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("hour", sa.SmallInteger(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=True),
        _key("notification_summary", "user_id", "user"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_notification_summary")),
    )
    op.create_table(
        "notification_mailed",
        sa.Column("notification_id", sa.Integer(), nullable=False),
        sa.Column("mail_id", sa.Integer(), nullable=False),
        _key("notification_mailed", "notification_id", "notification"),
        _key("notification_mailed", "mail_id", "outgoing_mail"),
        sa.PrimaryKeyConstraint("notification_id", name=op.f("pk_notification_mailed")),
    )
    with op.batch_alter_table("notification_mailed") as batch_op:
        batch_op.create_index(batch_op.f("ix_notification_mailed_mail_id"), ["mail_id"])


def downgrade() -> None:
    with op.batch_alter_table("notification_mailed") as batch_op:
        batch_op.drop_index(batch_op.f("ix_notification_mailed_mail_id"))
    op.drop_table("notification_mailed")
    op.drop_table("notification_summary")
    op.drop_table("notification_choice")
