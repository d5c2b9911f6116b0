"""Who follows a contact or a thread."""

import sqlalchemy as sa
from alembic import op

revision = "0005_following"
down_revision = "0004_meetings"

TABLE = "interactions_follow"


def upgrade() -> None:
    columns = []
    for name, of in (("contact_id", "contact"), ("interaction_id", "interaction")):
        key = op.f(f"fk_{TABLE}_{name}_{of}")
        columns.append(sa.Column(name, sa.Integer(), nullable=True))
        columns.append(
            sa.ForeignKeyConstraint([name], [f"{of}.id"], name=key, ondelete="CASCADE")
        )
    op.create_table(
        TABLE,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        *columns,
        sa.Column("wanted", sa.Boolean(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
            name=op.f(f"fk_{TABLE}_user_id_user"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{TABLE}")),
        sa.UniqueConstraint(
            "user_id", "contact_id", name=op.f(f"uq_{TABLE}_user_id_contact_id")
        ),
        sa.UniqueConstraint(
            "user_id", "interaction_id", name=op.f(f"uq_{TABLE}_user_id_interaction_id")
        ),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table(TABLE) as batch_op:
        for name in ("contact_id", "interaction_id"):
            batch_op.create_index(batch_op.f(f"ix_{TABLE}_{name}"), [name])


def downgrade() -> None:
    with op.batch_alter_table(TABLE) as batch_op:
        for name in ("contact_id", "interaction_id"):
            batch_op.drop_index(batch_op.f(f"ix_{TABLE}_{name}"))
    op.drop_table(TABLE)
