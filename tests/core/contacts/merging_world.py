"""Rows for merging: one of every kind in each table that points to a contact."""

from datetime import UTC, date, datetime
from itertools import count
from typing import Any

import sqlalchemy as sa

from core.audiences import AudienceSpec, intern_audience
from core.contacts.merging.references import audience_columns, contact_columns
from core.db import db
from core.ddl import tables_in

_number = count(1)
# What counts changes, and what only a journal of changes has.
COUNTERS = {"version", "updated_at"}
JOURNALS = {
    *("event", "delivery", "contact_merge", "contact_merge_cell"),
    *("audience", "audience_label", "idempotent_answer"),
}


def cells(*, skip=JOURNALS):
    """Read every cell of every table, but for what counts changes."""
    found = {}
    with db.read_only() as session:
        for table in tables_in(session.connection()):
            if table.name in skip:
                continue
            rows = session.execute(sa.select(table)).mappings().all()
            keys = [one.name for one in table.primary_key.columns]
            found[table.name] = {
                tuple(str(row[key]) for key in keys): {
                    name: value for name, value in row.items() if name not in COUNTERS
                }
                for row in rows
            }
    return found


def counts():
    """Count the rows of every table that points to a contact."""
    tables = {one.table for one in contact_columns()}
    with db.read_only() as session:
        return {
            table.name: session.scalar(sa.select(sa.func.count()).select_from(table))
            for table in tables
        }


class Filler:
    """Writes rows with the least that a table asks for, and their parents first."""

    def __init__(self, session, kind):
        """Write in `session`; contacts are of `kind`."""
        self.session = session
        self.kind = kind
        self.below: set[str] = set()

    def row(self, table: sa.Table, **given: Any) -> dict[str, Any]:
        """Add a row and give its primary key."""
        values = dict(given)
        for column in table.columns:
            if column.name in values or _fills_itself(table, column):
                continue
            value = self._value(column)
            if value is not None:
                values[column.name] = value
        done = self.session.connection().execute(sa.insert(table).values(values))
        return dict(
            zip(
                (one.name for one in table.primary_key.columns),
                done.inserted_primary_key,
                strict=True,
            )
        )

    def _value(self, column: sa.Column[Any]) -> Any:
        for key in column.foreign_keys:
            if column.nullable:
                return None
            return self._parent(key)
        if column.nullable or column.default is not None:
            return None if column.nullable else _default(column)
        return self._plain(column)

    def _parent(self, key: sa.ForeignKey) -> Any:
        table = key.column.table
        if table.name == "audience":
            return intern_audience(AudienceSpec("staff")).id
        return self.row(table)[key.column.name]

    def _plain(self, column: sa.Column[Any]) -> Any:
        at, kind = next(_number), column.type
        if isinstance(kind, sa.String | sa.Text):
            if column.table.name == "contact" and column.name == "kind":
                return self.kind
            length = getattr(kind, "length", None) or 20
            return f"w{at}"[:length]
        if isinstance(kind, sa.Boolean):
            return False
        if isinstance(kind, sa.Integer | sa.Numeric):
            return at
        if isinstance(kind, sa.Date):
            return date(2026, 3, 5)
        if isinstance(kind, sa.LargeBinary):
            return b"x"
        if isinstance(kind, sa.JSON):
            return {}
        return datetime(2026, 3, 5, tzinfo=UTC)


def _fills_itself(table: sa.Table, column: sa.Column[Any]) -> bool:
    alone = len(table.primary_key.columns) == 1
    number = isinstance(column.type, sa.Integer)
    return column.primary_key and alone and number and not column.foreign_keys


def _default(column: sa.Column[Any]) -> Any:
    default: Any = column.default
    return default.arg(None) if default.is_callable else default.arg


def point_everything_to(session, contact):
    """Give a contact a row in every column that can point to one.

    Names each as table and column, with the key of its row.
    """
    filler, made = Filler(session, contact.kind), []
    for column in contact_columns():
        key = filler.row(column.table, **{column.name: contact.id})
        made.append((column.table.name, column.name, key))
    shared = intern_audience(
        AudienceSpec("shared", shared_with=frozenset({contact.id}))
    )
    for column in audience_columns():
        key = filler.row(column.table, **{column.name: shared.id})
        made.append((column.table.name, column.name, key))
    return made
