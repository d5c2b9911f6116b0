"""The tables of the PostgreSQL engine, which are PostgreSQL's only.

They have a schema of their own: what they hold is made from the records, so it is in no
backup and compared with no model. Those of each index are made with it.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002_postgres"
down_revision = "0001_saved"

SCHEMA = "rapport_search"


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    # What stands there after a restore is an index of other records.
    op.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
    op.execute(f"CREATE SCHEMA {SCHEMA}")
    op.create_table(
        "index_version",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("schema_version", sa.Text(), nullable=False),
        sa.Column("analysis_version", sa.Text(), nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("documents", sa.BigInteger(), nullable=False),
        sa.Column("words", sa.BigInteger(), nullable=False),
        sa.Column("long", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_index_version"),
        schema=SCHEMA,
    )
    op.create_table(
        "change",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=True),
        sa.Column("labels", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("contact_id", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=True),
        sa.Column("rev", sa.BigInteger(), nullable=True),
        sa.Column("facets", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("length", sa.BigInteger(), nullable=True),
        sa.Column("words", postgresql.TSVECTOR(), nullable=True),
        sa.Column("rest", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_change"),
        sa.UniqueConstraint("key", name="uq_change_key"),
        # A change matters to a build only, and none outlives the server's end.
        prefixes=["UNLOGGED"],
        schema=SCHEMA,
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
