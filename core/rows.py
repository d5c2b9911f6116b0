"""Many rows of a table at once, as fast as the database takes them.

A statement with a parameter for each value of each row costs a client of PostgreSQL
more to put together than the server to run. There the rows travel as one JSON text,
under ids that are taken beforehand: `json_populate_recordset` in
https://www.postgresql.org/docs/current/functions-json.html.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.engine import refuse_while_reading

# Fewer are written by a plain INSERT, whose text is known.
MANY = 20


def add_rows(
    session: Session,
    table: sa.Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    numbered: bool = True,
    computed: Mapping[str, sa.ColumnElement[Any]] | None = None,
) -> list[int]:
    """Add rows that all have the same columns; give their ids in order.

    `computed` columns are what the database works out for each row. No ids are given
    where the table has no column `id`, or nobody asks: when it is not `numbered`.
    """
    if not rows:
        return []
    # The connection is asked below the session, which would see to this.
    refuse_while_reading()
    connection = session.connection()
    if connection.dialect.name == "postgresql" and len(rows) >= MANY:
        return _add_as_json(connection, table, rows, numbered, computed or {})
    statement = sa.insert(table)
    if computed:
        statement = statement.values(computed)
    if not numbered or "id" not in table.c:
        connection.execute(statement, list(rows))
        return []
    ordered = statement.returning(table.c.id, sort_by_parameter_order=True)
    return list(connection.scalars(ordered, list(rows)))


def _add_as_json(
    connection: sa.Connection,
    table: sa.Table,
    rows: Sequence[Mapping[str, Any]],
    numbered: bool,
    computed: Mapping[str, sa.ColumnElement[Any]],
) -> list[int]:
    ids: list[int] = []
    if numbered and "id" in table.c:
        ids = _take_ids(connection, table, len(rows))
        rows = [{"id": one, **row} for one, row in zip(ids, rows, strict=True)]
    quote = connection.dialect.identifier_preparer.quote
    name, names = quote(table.name), list(rows[0])
    sent: list[Any] = [sa.literal_column(f"sent.{quote(one)}") for one in names]
    source = sa.text(
        f"json_populate_recordset(NULL::{name}, CAST(:rows AS json)) AS sent"
    )
    # What is left out takes its default here, as a plain INSERT would give it.
    left = {
        column.name: sa.bindparam(f"left_{column.name}", _default(column), column.type)
        for column in table.columns
        if column.name not in {*names, *computed} and column.default is not None
    }
    chosen = sa.select(*sent, *computed.values(), *left.values()).select_from(source)
    statement = sa.insert(table).from_select(
        [*names, *computed, *left], chosen, include_defaults=False
    )
    connection.execute(statement, {"rows": json.dumps(rows, default=_plain)})
    return ids


def _take_ids(connection: sa.Connection, table: sa.Table, count: int) -> list[int]:
    sequence = sa.func.pg_get_serial_sequence(f'"{table.name}"', "id")
    query = sa.select(sa.func.nextval(sequence)).select_from(
        sa.func.generate_series(1, count)
    )
    return list(connection.scalars(query))


def _default(column: sa.Column[Any]) -> Any:
    default: Any = column.default
    return default.arg(None) if default.is_callable else default.arg


def _plain(value: object) -> str:
    if isinstance(value, datetime) and value.tzinfo is None:
        raise ValueError("a time without a zone cannot be stored")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{value!r} has no form in JSON")
