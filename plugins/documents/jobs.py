"""Clearing up after uploads that came to nothing."""

from datetime import timedelta
from itertools import islice

import sqlalchemy as sa

from core.db import db, now
from core.files import file_store
from core.jobs import Job

# Uploads younger than this may still be under way, or not committed yet.
GRACE = timedelta(days=1)
_STEP = 500


def sweep() -> None:
    """Remove half-written files, and content that no row of any table mentions.

    Every table with a column `sha256` mentions content, also that of a plugin which is
    switched off.
    """
    store = file_store()
    before = now() - GRACE
    store.remove_unfinished(started_before=before)
    columns = _columns()
    hashes = store.hashes()
    while step := list(islice(hashes, _STEP)):
        for sha256 in set(step) - _mentioned(columns, step):
            store.remove(sha256, stored_before=before)


def _columns() -> list[sa.ColumnClause[str]]:
    """Find the columns that name content, in the database as it is."""
    with db.read_only() as session:
        inspector = sa.inspect(session.connection())
        return [
            sa.table(name, sa.column("sha256", sa.String)).c.sha256
            for name in inspector.get_table_names()
            if any(one["name"] == "sha256" for one in inspector.get_columns(name))
        ]


def _mentioned(columns: list[sa.ColumnClause[str]], hashes: list[str]) -> set[str]:
    found: set[str] = set()
    # A transaction of its own that only reads: unlinking takes time, and on SQLite
    # nobody else could write meanwhile.
    with db.read_only() as session:
        for column in columns:
            found |= set(session.scalars(sa.select(column).where(column.in_(hashes))))
    return found


ALL = [Job("documents.sweep", timedelta(days=1), sweep)]
