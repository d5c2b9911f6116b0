"""Contacts by name, without the trash: a page is chosen from the index alone."""

import sqlalchemy as sa
from alembic import op

revision = "0015_contacts_shown"
down_revision = "0014_presence"

SHOWN = sa.text("trashed_at IS NULL")


def upgrade() -> None:
    op.create_index(
        "ix_contact_shown",
        "contact",
        ["sort_name", "id"],
        postgresql_where=SHOWN,
        sqlite_where=SHOWN,
    )
    op.drop_index("ix_contact_sort_name_id", "contact")


def downgrade() -> None:
    op.create_index("ix_contact_sort_name_id", "contact", ["sort_name", "id"])
    op.drop_index("ix_contact_shown", "contact")
