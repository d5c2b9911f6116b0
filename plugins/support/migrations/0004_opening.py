"""From when on people outside see a ticket that was opened to them."""

import sqlalchemy as sa
from alembic import op

revision = "0004_opening"
down_revision = "0003_unhappy"


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.add_column("support_ticket", sa.Column("opens_at", moment, nullable=True))
    op.add_column("support_ticket", sa.Column("opens_from_id", sa.Integer()))


def downgrade() -> None:
    with op.batch_alter_table("support_ticket") as table:
        table.drop_column("opens_from_id")
        table.drop_column("opens_at")
