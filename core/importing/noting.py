"""Writing what a step of an import made, changed and refused."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from core.db import db, table_of
from core.importing.models import ImportEntry, ImportRefusal
from core.rows import Renewing, add_rows


def note_entries(rows: Sequence[dict[str, Any]]) -> None:
    """Note the records of a step; of one noted before, the version it has now."""
    again = Renewing(by=("run_id", "ref"), columns=("version",))
    table = table_of(ImportEntry)
    add_rows(db.session, table, rows, numbered=False, renewing=again)


def note_refusals(rows: Sequence[dict[str, Any]]) -> None:
    """Note the rows that a step refused."""
    if rows:
        db.session.execute(sa.insert(ImportRefusal), list(rows))
