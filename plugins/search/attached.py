"""What hangs on a record, such as a file on an entry: `has:document` finds it.

Which records hang on which, their columns say (`goes_with`): whoever reads the one
reads the other, so that to find by it tells nothing.
"""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from core.db import Record, db, table_of
from core.records import RecordType, record_type_of, record_types


def _column(kind: RecordType) -> sa.Column[Any] | None:
    """Give the column in which records of a type name the one that they hang on."""
    table = table_of(kind.model)
    names = (one.info.get("goes_with") for one in table.c)
    return next((table.c[name] for name in names if name), None)


def hanging() -> Iterator[tuple[RecordType, sa.Column[Any]]]:
    """Name the types of which records hang on others, and the column that says so."""
    for kind in record_types().values():
        column = _column(kind)
        if column is not None:
            yield kind, column


def attached_to(record: Record) -> set[str]:
    """Name the types of what hangs on a record, but for what is in the trash."""
    own = table_of(type(record)).c.id
    return {
        kind.short
        for kind, column in hanging()
        if column.references(own) and _hangs(kind, column, record)
    }


def _hangs(kind: RecordType, column: sa.Column[Any], record: Record) -> bool:
    columns = table_of(kind.model).c
    found = sa.select(columns.id).where(column == record.id).limit(1)
    if "trashed_at" in columns:
        found = found.where(columns.trashed_at.is_(None))
    return db.session.scalar(found) is not None


def host_of(record: Record) -> str | None:
    """Name the record that another hangs on."""
    kind = record_type_of(record)
    column = _column(kind) if kind else None
    number = getattr(record, column.name) if column is not None else None
    if column is None or number is None:
        return None
    hosts = (
        f"{one.name}/{number}"
        for one in record_types().values()
        if column.references(table_of(one.model).c.id)
    )
    return next(hosts, None)
