"""How often a worker began a dossier, so that what cannot be made comes to an end."""

import sqlalchemy as sa
from alembic import op

revision = "0007_dossier_tries"
down_revision = "0006_dossiers"

TABLE = "interactions_dossier"


def upgrade() -> None:
    """What waits already has all its tries before it."""
    with op.batch_alter_table(TABLE) as table:
        table.add_column(
            sa.Column("tries", sa.Integer(), nullable=False, server_default="0")
        )
    with op.batch_alter_table(TABLE) as table:
        table.alter_column("tries", server_default=None)


def downgrade() -> None:
    """Forget it."""
    with op.batch_alter_table(TABLE) as table:
        table.drop_column("tries")
