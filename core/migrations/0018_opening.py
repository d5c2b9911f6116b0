"""From when on people outside see an entry that was opened to them."""

import sqlalchemy as sa
from alembic import op

revision = "0018_opening"
down_revision = "0017_erasing"


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.add_column("interaction", sa.Column("opens_at", moment, nullable=True))
    op.add_column("interaction", sa.Column("opens_from_id", sa.Integer()))


def downgrade() -> None:
    with op.batch_alter_table("interaction") as table:
        table.drop_column("opens_from_id")
        table.drop_column("opens_at")
