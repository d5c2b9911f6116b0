"""As whom a colleague looks at the portal, by sign-in, and until when."""

import sqlalchemy as sa
from alembic import op

revision = "0020_viewing"
down_revision = "0019_saved_views"


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.add_column("user_session", sa.Column("viewing_id", sa.Integer()))
    op.add_column("user_session", sa.Column("viewing_until", moment, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("user_session") as table:
        table.drop_column("viewing_until")
        table.drop_column("viewing_id")
