"""Meetings with guests, and private calendars."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004_meetings"
down_revision = "0003_hand_overs"


def upgrade() -> None:
    op.create_table(
        "interactions_calendar",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("ending", sa.String(length=8), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
            name=op.f("fk_interactions_calendar_user_id_user"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_interactions_calendar")),
        sa.UniqueConstraint(
            "secret_hash", name=op.f("uq_interactions_calendar_secret_hash")
        ),
    )
    op.create_table(
        "interactions_meeting",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("interaction_id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(length=255), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("organiser_id", sa.Integer(), nullable=True),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("place", sa.String(length=300), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("zone", sa.String(length=50), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "before",
            sa.JSON().with_variant(
                postgresql.JSONB(astext_type=sa.Text()), "postgresql"
            ),
            nullable=True,
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["interaction_id"],
            ["interaction.id"],
            name=op.f("fk_interactions_meeting_interaction_id_interaction"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organiser_id"],
            ["user.id"],
            name=op.f("fk_interactions_meeting_organiser_id_user"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interactions_meeting")),
        sa.UniqueConstraint(
            "interaction_id", name=op.f("uq_interactions_meeting_interaction_id")
        ),
        sa.UniqueConstraint("uid", name=op.f("uq_interactions_meeting_uid")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("interactions_meeting", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_interactions_meeting_organiser_id"),
            ["organiser_id"],
            unique=False,
        )

    op.create_table(
        "interactions_attendee",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("meeting_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("contact_id", sa.Integer(), nullable=True),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("language", sa.String(length=5), nullable=False),
        sa.Column("answer", sa.String(length=12), nullable=False),
        sa.Column("answered_for", sa.String(length=40), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seal", sa.String(length=64), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent", sa.String(length=80), nullable=False),
        sa.Column("sent_sequence", sa.Integer(), nullable=False),
        sa.Column("queued", sa.String(length=80), nullable=False),
        sa.Column("queued_sequence", sa.Integer(), nullable=False),
        sa.Column("mail_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["contact_id"],
            ["contact.id"],
            name=op.f("fk_interactions_attendee_contact_id_contact"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["mail_id"],
            ["outgoing_mail.id"],
            name=op.f("fk_interactions_attendee_mail_id_outgoing_mail"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["meeting_id"],
            ["interactions_meeting.id"],
            name=op.f("fk_interactions_attendee_meeting_id_interactions_meeting"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
            name=op.f("fk_interactions_attendee_user_id_user"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interactions_attendee")),
        sa.UniqueConstraint(
            "meeting_id",
            "address",
            name=op.f("uq_interactions_attendee_meeting_id_address"),
        ),
        sa.UniqueConstraint(
            "secret_hash", name=op.f("uq_interactions_attendee_secret_hash")
        ),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("interactions_attendee", schema=None) as batch_op:
        for column in ("contact_id", "mail_id", "user_id"):
            batch_op.create_index(
                batch_op.f(f"ix_interactions_attendee_{column}"),
                [column],
                unique=False,
            )


def downgrade() -> None:
    op.drop_table("interactions_attendee")
    op.drop_table("interactions_meeting")
    op.drop_table("interactions_calendar")
