"""Imports by pages: a draft with its file, its choices, and the task of a worker."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010_import_pages"
down_revision = "0009_keys"

_JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
_MOMENT = sa.DateTime(timezone=True)
_BY = "fk_import_run_asked_by_id_user"

_ADDED = (
    ("file_kept", sa.Boolean(), sa.false()),
    ("rows", sa.Integer(), "0"),
    ("table", _JSON, "{}"),
    ("choices", _JSON, "{}"),
    ("found", _JSON, "{}"),
    ("task", sa.String(length=10), ""),
    ("token", sa.String(length=32), ""),
    ("part", sa.Float(), "0"),
)


def upgrade() -> None:
    with op.batch_alter_table("import_run", schema=None) as batch_op:
        for name, kind, default in _ADDED:
            batch_op.add_column(
                sa.Column(name, kind, nullable=False, server_default=default)
            )
        batch_op.add_column(sa.Column("leased_until", _MOMENT, nullable=True))
        batch_op.add_column(sa.Column("task_since", _MOMENT, nullable=True))
        batch_op.add_column(sa.Column("asked_by_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            op.f(_BY), "user", ["asked_by_id"], ["id"], ondelete="SET NULL"
        )
    op.create_table(
        "import_columns",
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("signature", sa.String(length=64), nullable=False),
        sa.Column("chosen", _JSON, nullable=False),
        sa.Column("used_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("kind", "signature", name=op.f("pk_import_columns")),
    )


def downgrade() -> None:
    op.drop_table("import_columns")
    with op.batch_alter_table("import_run", schema=None) as batch_op:
        batch_op.drop_constraint(op.f(_BY), type_="foreignkey")
        for name in ("asked_by_id", "task_since", "leased_until"):
            batch_op.drop_column(name)
        for name, _kind, _default in reversed(_ADDED):
            batch_op.drop_column(name)
