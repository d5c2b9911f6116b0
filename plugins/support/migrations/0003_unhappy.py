"""Since when a customer waits for an answer, and when a ticket was opened again."""

import sqlalchemy as sa
from alembic import op

revision = "0003_unhappy"
down_revision = "0002_numbering"


def upgrade() -> None:
    """Whoever waits today does so since the ticket last changed, as far as we know."""
    with op.batch_alter_table("support_ticket") as table:
        for name in ("asked_at", "reopened_at"):
            table.add_column(sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    ticket = sa.table(
        "support_ticket",
        sa.column("state", sa.String),
        sa.column("asked_at", sa.DateTime),
        sa.column("updated_at", sa.DateTime),
    )
    waits = sa.update(ticket).where(ticket.c.state == "open")
    op.execute(waits.values(asked_at=ticket.c.updated_at))


def downgrade() -> None:
    """Forget both."""
    with op.batch_alter_table("support_ticket") as table:
        table.drop_column("reopened_at")
        table.drop_column("asked_at")
