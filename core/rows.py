"""Many rows of a table at once, as fast as the database takes them.

A statement with a parameter for each value of each row costs a client of PostgreSQL
more to put together than the server to run. There the rows travel as one JSON text,
under ids that are taken beforehand: `json_populate_recordset` in
https://www.postgresql.org/docs/current/functions-json.html.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.engine import refuse_while_reading


@dataclass(frozen=True)
class Renewing:
    """Which columns of a row change that is there already, known again `by` these."""

    by: tuple[str, ...]
    columns: tuple[str, ...]


# Fewer are written by a plain INSERT, whose text is known.
MANY = 20


def add_rows(
    session: Session,
    table: sa.Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    numbered: bool = True,
    computed: Mapping[str, sa.ColumnElement[Any]] | None = None,
    renewing: Renewing | None = None,
) -> list[int]:
    """Add rows that all have the same columns; give their ids in order.

    `computed` columns are what the database works out for each row. No ids are given
    where the table has no column `id`, or nobody asks: when it is not `numbered`.
    `renewing` says what a row that is there already takes from the new one.
    """
    if not rows:
        return []
    # The connection is asked below the session, which would see to this.
    refuse_while_reading()
    connection = session.connection()
    postgres = connection.dialect.name == "postgresql"
    if postgres and len(rows) >= MANY:
        return _add_as_json(connection, table, rows, numbered, computed or {}, renewing)
    make = postgresql.insert if postgres else sqlite.insert
    statement = _renewed(make(table), renewing)
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
    renewing: Renewing | None,
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
    statement = postgresql.insert(table).from_select(
        [*names, *computed, *left], chosen, include_defaults=False
    )
    sent_rows = json.dumps(rows, default=_plain)
    connection.execute(_renewed(statement, renewing), {"rows": sent_rows})
    return ids


def _renewed(statement: Any, renewing: Renewing | None) -> Any:
    if renewing is None:
        return statement
    return statement.on_conflict_do_update(
        index_elements=renewing.by,
        set_={name: statement.excluded[name] for name in renewing.columns},
    )


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
