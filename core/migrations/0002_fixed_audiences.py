"""The two audiences that always exist: colleagues, and colleagues and customers."""

import hashlib
import json

import sqlalchemy as sa
from alembic import op

revision = "0002_fixed_audiences"
down_revision = "0001_first"

_AUDIENCE = sa.table(
    "audience",
    sa.column("id", sa.Integer),
    sa.column("key", sa.String),
    sa.column("kind", sa.String),
    sa.column("teams", sa.JSON),
    sa.column("users", sa.JSON),
    sa.column("shared_with", sa.JSON),
)
_LABEL = sa.table(
    "audience_label",
    sa.column("audience_id", sa.Integer),
    sa.column("label", sa.String),
)


def upgrade() -> None:
    """Write them with the ids that `core.visibility` names, unless they are there."""
    connection = op.get_bind()
    there = sa.select(_AUDIENCE.c.id).where(_AUDIENCE.c.id.in_([1, 2]))
    if connection.execute(there).first():
        return
    for number, kind in ((1, "staff"), (2, "customers")):
        key = hashlib.sha256(json.dumps([kind, [], [], []]).encode()).hexdigest()
        row = {"id": number, "key": key, "kind": kind}
        lists = {"teams": [], "users": [], "shared_with": []}
        op.bulk_insert(_AUDIENCE, [row | lists])
    op.bulk_insert(
        _LABEL,
        [
            {"audience_id": 1, "label": "staff"},
            {"audience_id": 2, "label": "staff"},
            {"audience_id": 2, "label": "portal"},
        ],
    )
    if connection.dialect.name == "postgresql":
        # Rows written with their ids do not move the sequence by themselves.
        op.execute("SELECT setval(pg_get_serial_sequence('audience', 'id'), 2)")


def downgrade() -> None:
    """Leave them: entries point to them, and the first revision knows them too."""
