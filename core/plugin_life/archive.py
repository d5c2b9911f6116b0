"""The archive of a plugin: its rows as JSON lines, so exact that they can come back.

`manifest.json` says what and when; `tables/NAME.jsonl` holds a table, one row a line;
`core/NAME.jsonl` what core kept for the plugin; `files/HASH` the uploaded bytes.
SQLite's values are written as it keeps them, PostgreSQL's as the text it writes itself.
"""

import base64
import json
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias
from zipfile import ZipFile

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.types import NullType

from core.ddl import quietly

Values: TypeAlias = dict[str, Any]

CHUNK = 500


def own_tables(connection: Connection, names: Iterable[str]) -> list[sa.Table]:
    """Read the tables called `names` as the database has them, parents first."""
    metadata = sa.MetaData()
    names = set(names)
    with quietly():
        metadata.reflect(connection, only=sorted(names))
    waiting = [metadata.tables[name] for name in sorted(names)]
    order: list[sa.Table] = []
    while waiting:
        ready = [one for one in waiting if not _needs(one, waiting)]
        for one in ready or waiting[:1]:
            order.append(one)
            waiting.remove(one)
    return order


def _needs(table: sa.Table, waiting: list[sa.Table]) -> bool:
    return any(
        key.column.table in waiting
        and key.column.table is not table
        and not key.parent.nullable
        for key in table.foreign_keys
    )


def late_columns(table: sa.Table, later: set[str]) -> list[str]:
    """Name the columns that point into `later`, tables whose rows are yet to come."""
    return [
        key.parent.name
        for key in table.foreign_keys
        if key.parent.nullable and key.column.table.name in later
    ]


def rows_of(
    connection: Connection,
    table: sa.Table,
    where: sa.ColumnElement[bool] | None = None,
) -> Iterator[Values]:
    """Read rows with their values as the archive writes them."""
    columns = [_out(connection, one) for one in table.columns if one.computed is None]
    query = sa.select(*columns).order_by(*table.primary_key.columns)
    if where is not None:
        query = query.where(where)
    with connection.execution_options(yield_per=CHUNK).execute(query) as result:
        for row in result.mappings():
            yield {name: _plain(value) for name, value in row.items()}
    connection.execution_options(yield_per=None)


def _out(connection: Connection, column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    if connection.dialect.name == "sqlite":
        return sa.type_coerce(column, NullType()).label(column.name)
    return sa.cast(column, sa.Text).label(column.name)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    return value


def _raw(value: Any) -> Any:
    if isinstance(value, dict):
        return base64.b64decode(value["base64"])
    return value


def write_rows(archive: ZipFile, name: str, rows: Iterable[Values]) -> int:
    """Write rows as the lines of `name`; say how many."""
    count = 0
    with archive.open(name, "w", force_zip64=True) as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
            count += 1
    return count


def read_rows(archive: ZipFile, name: str) -> Iterator[Values]:
    """Read the lines of `name`; none when the archive has no such part."""
    if name in archive.namelist():
        with archive.open(name) as file:
            for line in file:
                yield json.loads(line)


def insert_rows(connection: Connection, table: sa.Table, rows: list[Values]) -> None:
    """Write rows back as they were, ids included."""
    if not rows:
        return
    quote = connection.dialect.identifier_preparer.quote
    names = ", ".join(quote(name) for name in rows[0])
    values = ", ".join(_in(connection, table.columns[name]) for name in rows[0])
    # As text: what is written is what was read, and no column type has a say in it.
    statement = f"INSERT INTO {quote(table.name)} ({names}) VALUES ({values})"  # noqa: S608 - names of the database's own
    connection.execute(
        sa.text(statement),
        [{f"v_{name}": _raw(value) for name, value in row.items()} for row in rows],
    )


def _in(connection: Connection, column: sa.Column[Any]) -> str:
    if connection.dialect.name == "sqlite":
        return f":v_{column.name}"
    return f"CAST(:v_{column.name} AS {column.type.compile(connection.dialect)})"


def fill_later(
    connection: Connection, table: sa.Table, name: str, values: list[tuple[Any, Any]]
) -> None:
    """Set the column `name` of rows, given as (primary key, value)."""
    if not values:
        return
    (key,) = table.primary_key.columns
    quote = connection.dialect.identifier_preparer.quote
    new, where = (_in(connection, one) for one in (table.columns[name], key))
    statement = (
        f"UPDATE {quote(table.name)} SET {quote(name)} = {new} "  # noqa: S608 - as above
        f"WHERE {quote(key.name)} = {where}"
    )
    connection.execute(
        sa.text(statement),
        [{f"v_{key.name}": row, f"v_{name}": value} for row, value in values],
    )


def last_id(connection: Connection, table: str) -> int | None:
    """Tell the highest id a table ever gave; its ids are never used again."""
    if connection.dialect.name == "sqlite":
        if not sa.inspect(connection).has_table("sqlite_sequence"):
            return None
        query = "SELECT seq FROM sqlite_sequence WHERE name = :table"
        found: int | None = connection.scalar(sa.text(query), {"table": table})
        return found
    sequence = _sequence(connection, table)
    if sequence is None:
        return None
    query = f"SELECT CASE WHEN is_called THEN last_value END FROM {sequence}"  # noqa: S608 - PostgreSQL's own name
    last: int | None = connection.scalar(sa.text(query))
    return last


def restore_last_id(connection: Connection, table: str, last: int | None) -> None:
    """Go on counting where the table stopped."""
    if last is None:
        return
    if connection.dialect.name == "sqlite":
        given = {"table": table, "last": last}
        changed = connection.execute(
            sa.text("UPDATE sqlite_sequence SET seq = :last WHERE name = :table"), given
        )
        if not changed.rowcount:
            connection.execute(
                sa.text("INSERT INTO sqlite_sequence VALUES (:table, :last)"), given
            )
        return
    sequence = _sequence(connection, table)
    connection.execute(
        sa.text("SELECT setval(CAST(:sequence AS regclass), :last)"),
        {"sequence": sequence, "last": last},
    )


def _sequence(connection: Connection, table: str) -> str | None:
    if "id" not in {one["name"] for one in sa.inspect(connection).get_columns(table)}:
        return None
    query = sa.text("SELECT pg_get_serial_sequence(:table, 'id')")
    found: str | None = connection.scalar(query, {"table": f'"{table}"'})
    return found
