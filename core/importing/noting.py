"""Writing what a step of an import made, changed and refused."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from core.db import db
from core.importing.models import ImportEntry, ImportRefusal


def note_entries(rows: Sequence[dict[str, Any]]) -> None:
    """Note the records of a step; of one noted before, the version it has now."""
    if not rows:
        return
    make = postgresql.insert if db.dialect == "postgresql" else sqlite.insert
    statement = make(ImportEntry)
    db.session.execute(
        statement.on_conflict_do_update(
            index_elements=["run_id", "ref"],
            set_={"version": statement.excluded.version},
        ),
        list(rows),
    )


def note_refusals(rows: Sequence[dict[str, Any]]) -> None:
    """Note the rows that a step refused."""
    if rows:
        db.session.execute(sa.insert(ImportRefusal), list(rows))
