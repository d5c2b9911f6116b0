"""Which contacts were merged, and the journal by which they are parted again."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016_merging"
down_revision = "0015_contacts_shown"

_JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
_STANDS = sa.text("parted_at IS NULL")


def _to(column: str, table: str, ondelete: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_contact_merge_{column}_{table}")
    return sa.ForeignKeyConstraint(
        [column], [f"{table}.id"], name=name, ondelete=ondelete
    )


def upgrade() -> None:
    op.create_table(
        "contact_merge",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kept_id", sa.Integer(), nullable=False),
        sa.Column("gone_id", sa.Integer(), nullable=False),
        sa.Column("merged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("merged_by_id", sa.Integer(), nullable=True),
        sa.Column("parted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("parted_by_id", sa.Integer(), nullable=True),
        _to("kept_id", "contact", "CASCADE"),
        _to("gone_id", "contact", "CASCADE"),
        _to("merged_by_id", "user", "SET NULL"),
        _to("parted_by_id", "user", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_merge")),
        sqlite_autoincrement=True,
    )
    for column in ("kept_id", "gone_id", "merged_by_id", "parted_by_id"):
        op.create_index(op.f(f"ix_contact_merge_{column}"), "contact_merge", [column])
    op.create_index(
        "uq_contact_merge_standing",
        "contact_merge",
        ["gone_id"],
        unique=True,
        postgresql_where=_STANDS,
        sqlite_where=_STANDS,
    )
    op.create_table(
        "contact_merge_cell",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("merge_id", sa.Integer(), nullable=False),
        sa.Column("table_name", sa.String(length=100), nullable=False),
        sa.Column("column_name", sa.String(length=100), nullable=False),
        sa.Column("key", _JSON, nullable=False),
        sa.Column("old", _JSON, nullable=True),
        sa.Column("new", _JSON, nullable=True),
        sa.ForeignKeyConstraint(
            ["merge_id"],
            ["contact_merge.id"],
            name=op.f("fk_contact_merge_cell_merge_id_contact_merge"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_merge_cell")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_contact_merge_cell_merge_id"), "contact_merge_cell", ["merge_id"]
    )
    op.create_index(op.f("ix_contact_merged_into_id"), "contact", ["merged_into_id"])
    # By whom it is read changes there with a merge, as everywhere else.
    op.create_index(
        op.f("ix_outgoing_mail_audience_id"), "outgoing_mail", ["audience_id"]
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_outgoing_mail_audience_id"), "outgoing_mail")
    op.drop_index(op.f("ix_contact_merged_into_id"), "contact")
    op.drop_table("contact_merge_cell")
    op.drop_table("contact_merge")
