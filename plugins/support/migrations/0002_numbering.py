"""The row that ticket numbers are taken from."""

import sqlalchemy as sa
from alembic import op

revision = "0002_numbering"
down_revision = "0001_first"

_NUMBERING = sa.table(
    "support_numbering", sa.column("id", sa.Integer), sa.column("last", sa.Integer)
)


def upgrade() -> None:
    """Start at 1000, so that the first ticket is #1001."""
    op.bulk_insert(_NUMBERING, [{"id": 1, "last": 1000}])


def downgrade() -> None:
    """Take the row away."""
    op.execute(_NUMBERING.delete())
