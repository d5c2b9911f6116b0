"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001_first"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "documents_document",
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("current", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=True),
        sa.Column("interaction_id", sa.Integer(), nullable=True),
        sa.Column("audience_id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("trashed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["audience_id"],
            ["audience.id"],
            name=op.f("fk_documents_document_audience_id_audience"),
        ),
        sa.ForeignKeyConstraint(
            ["author_id"],
            ["user.id"],
            name=op.f("fk_documents_document_author_id_user"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"],
            ["contact.id"],
            name=op.f("fk_documents_document_contact_id_contact"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["interaction_id"],
            ["interaction.id"],
            name=op.f("fk_documents_document_interaction_id_interaction"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_documents_document")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("documents_document", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_documents_document_audience_id"),
            ["audience_id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_documents_document_author_id"), ["author_id"], unique=False
        )
        batch_op.create_index(
            "ix_documents_document_contact_id_updated_at",
            ["contact_id", "updated_at"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_documents_document_interaction_id"),
            ["interaction_id"],
            unique=False,
        )
        batch_op.create_index(
            "ix_documents_document_updated_at_id", ["updated_at", "id"], unique=False
        )

    op.create_table(
        "documents_opening",
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["documents_document.id"],
            name=op.f("fk_documents_opening_document_id_documents_document"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
            name=op.f("fk_documents_opening_user_id_user"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "document_id", "number", "user_id", name=op.f("pk_documents_opening")
        ),
    )
    with op.batch_alter_table("documents_opening", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_documents_opening_user_id"), ["user_id"], unique=False
        )

    op.create_table(
        "documents_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("filename", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("uploaded_by_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("text_state", sa.String(length=12), nullable=False),
        sa.Column("text_detail", sa.String(length=200), nullable=False),
        sa.Column("page_count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["documents_document.id"],
            name=op.f("fk_documents_version_document_id_documents_document"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["uploaded_by_id"],
            ["user.id"],
            name=op.f("fk_documents_version_uploaded_by_id_user"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_documents_version")),
        sa.UniqueConstraint(
            "document_id",
            "number",
            name=op.f("uq_documents_version_document_id_number"),
        ),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("documents_version", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_documents_version_sha256"), ["sha256"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_documents_version_uploaded_by_id"),
            ["uploaded_by_id"],
            unique=False,
        )


def downgrade() -> None:
    with op.batch_alter_table("documents_version", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_documents_version_uploaded_by_id"))
        batch_op.drop_index(batch_op.f("ix_documents_version_sha256"))

    op.drop_table("documents_version")
    with op.batch_alter_table("documents_opening", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_documents_opening_user_id"))

    op.drop_table("documents_opening")
    with op.batch_alter_table("documents_document", schema=None) as batch_op:
        batch_op.drop_index("ix_documents_document_updated_at_id")
        batch_op.drop_index(batch_op.f("ix_documents_document_interaction_id"))
        batch_op.drop_index("ix_documents_document_contact_id_updated_at")
        batch_op.drop_index(batch_op.f("ix_documents_document_author_id"))
        batch_op.drop_index(batch_op.f("ix_documents_document_audience_id"))

    op.drop_table("documents_document")
