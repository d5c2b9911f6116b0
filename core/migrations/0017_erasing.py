"""When a contact was erased for good, by whom and why."""

import sqlalchemy as sa
from alembic import op

revision = "0017_erasing"
down_revision = "0016_merging"


def upgrade() -> None:
    with op.batch_alter_table("contact") as table:
        table.add_column(
            sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True)
        )
    op.create_table(
        "contact_erasure",
        sa.Column("contact_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("with_others", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"],
            ["contact.id"],
            name=op.f("fk_contact_erasure_contact_id_contact"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["by_id"],
            ["user.id"],
            name=op.f("fk_contact_erasure_by_id_user"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("contact_id", name=op.f("pk_contact_erasure")),
    )
    op.create_index("ix_contact_erasure_by_id", "contact_erasure", ["by_id"])


def downgrade() -> None:
    op.drop_table("contact_erasure")
    with op.batch_alter_table("contact") as table:
        table.drop_column("erased_at")
