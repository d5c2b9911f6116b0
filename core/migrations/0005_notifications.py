"""Notifications, and what was taken back."""

import sqlalchemy as sa
from alembic import op

revision = "0005_notifications"
down_revision = "0004_mail"


def upgrade() -> None:
    op.create_table(
        "notification",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("about", sa.String(length=60), nullable=False),
        sa.Column("about_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(length=500), nullable=False),
        sa.Column("url", sa.String(length=300), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["by_id"],
            ["user.id"],
            name=op.f("fk_notification_by_id_user"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
            name=op.f("fk_notification_user_id_user"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification")),
        sa.UniqueConstraint("user_id", "key", name=op.f("uq_notification_user_id_key")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("notification", schema=None) as batch_op:
        batch_op.create_index(
            "ix_notification_about_about_id", ["about", "about_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_notification_by_id"), ["by_id"], unique=False
        )
        batch_op.create_index(
            "ix_notification_user_id_read_at_id",
            ["user_id", "read_at", "id"],
            unique=False,
        )

    op.create_table(
        "notification_mute",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
            name=op.f("fk_notification_mute_user_id_user"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", "kind", name=op.f("pk_notification_mute")),
    )
    op.create_table(
        "undone",
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_event_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["by_event_id"],
            ["event.id"],
            name=op.f("fk_undone_by_event_id_event"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["event_id"],
            ["event.id"],
            name=op.f("fk_undone_event_id_event"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_undone")),
    )
    with op.batch_alter_table("undone", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_undone_by_event_id"), ["by_event_id"], unique=False
        )
    op.create_index("ix_event_actor_id_id", "event", ["actor_id", "id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_event_actor_id_id", table_name="event")
    with op.batch_alter_table("undone", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_undone_by_event_id"))

    op.drop_table("undone")
    op.drop_table("notification_mute")
    with op.batch_alter_table("notification", schema=None) as batch_op:
        batch_op.drop_index("ix_notification_user_id_read_at_id")
        batch_op.drop_index(batch_op.f("ix_notification_by_id"))
        batch_op.drop_index("ix_notification_about_about_id")

    op.drop_table("notification")
