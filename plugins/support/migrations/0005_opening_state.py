"""In which state people outside see a ticket until they see the answer on it."""

import sqlalchemy as sa
from alembic import op

revision = "0005_opening_state"
down_revision = "0004_opening"


def upgrade() -> None:
    op.add_column("support_ticket", sa.Column("opens_from_state", sa.String(10)))


def downgrade() -> None:
    with op.batch_alter_table("support_ticket") as table:
        table.drop_column("opens_from_state")
