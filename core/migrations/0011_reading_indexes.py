"""Indexes by which a page is read without the rows it does not show."""

import sqlalchemy as sa
from alembic import op

revision = "0011_reading_indexes"
down_revision = "0010_import_pages"

_KEYS = "ix_contact_key_kind_value"
_OWNED = "ix_contact_owner_id"
_PINNED = "ix_interaction_pinned"
_IS_PINNED = sa.text("pinned_at IS NOT NULL")


def upgrade() -> None:
    op.drop_index(_KEYS, "contact_key")
    op.create_index(_KEYS, "contact_key", ["kind", "value", "contact_id"])
    op.drop_index(_OWNED, "contact")
    op.create_index(_OWNED, "contact", ["owner_id", "sort_name", "id"])
    op.create_index(
        _PINNED,
        "interaction",
        ["id"],
        postgresql_where=_IS_PINNED,
        sqlite_where=_IS_PINNED,
    )


def downgrade() -> None:
    op.drop_index(_PINNED, "interaction")
    op.drop_index(_OWNED, "contact")
    op.create_index(_OWNED, "contact", ["owner_id"])
    op.drop_index(_KEYS, "contact_key")
    op.create_index(_KEYS, "contact_key", ["kind", "value"])
