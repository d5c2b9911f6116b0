"""Reading whole tables out of a database and into one, row by row.

On PostgreSQL both ways are COPY. The tables are described by the database itself, so
that one which is older than the code, or has tables of a plugin that is gone, can be
read as well.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.backup.values import (
    Kind,
    converted,
    from_postgresql,
    from_sqlite,
    kind_of,
    to_postgresql,
    to_sqlite,
)
from core.ddl import CORE, SUFFIX
from core.migrate import owner_of

STEP = 500


@dataclass(frozen=True)
class Table:
    """A table as the database has it; `counter` is the column that counts up."""

    name: str
    lineage: str
    columns: Mapping[str, Kind]
    counter: str | None


def revisions(connection: Connection) -> dict[str, str]:
    """Name the revision of every lineage the database knows, installed or not."""
    found = {}
    for table in sorted(sa.inspect(connection).get_table_names()):
        if table.endswith(SUFFIX):
            query = sa.select(sa.column("version_num", sa.String)).select_from(
                sa.table(table)
            )
            if revision := connection.scalar(query):
                found[table.removesuffix(SUFFIX)] = str(revision)
    return found


def describe_tables(connection: Connection) -> list[Table]:
    """Describe every table but those that hold a lineage's revision."""
    inspector = sa.inspect(connection)
    names = [one for one in inspector.get_table_names() if not one.endswith(SUFFIX)]
    plugins = tuple(one for one in revisions(connection) if one != CORE)
    found = []
    for name in sorted(names):
        columns = {
            one["name"]: kind_of(one["type"])
            for one in inspector.get_columns(name)
            if not one.get("computed")
        }
        key = inspector.get_pk_constraint(name)["constrained_columns"]
        counts = len(key) == 1 and columns[key[0]] == "integer"
        lineage = owner_of(name, plugins) or CORE
        found.append(Table(name, lineage, columns, key[0] if counts else None))
    return found


def rows_of(connection: Connection, table: Table) -> Iterator[list[Any]]:
    """Read a table, each row as a backup writes it."""
    driver: Any = connection.connection.dbapi_connection
    kinds = list(table.columns.values())
    names = ", ".join(_quoted(connection, one) for one in table.columns)
    source = _quoted(connection, table.name)
    if connection.dialect.name == "sqlite":
        for row in driver.execute(f"SELECT {names} FROM {source}"):  # noqa: S608 - quoted names
            yield [from_sqlite(*pair) for pair in zip(row, kinds, strict=True)]
        return
    with (
        driver.cursor() as cursor,
        cursor.copy(f"COPY {source} ({names}) TO STDOUT") as copy,
    ):
        for row in copy.rows():
            yield [from_postgresql(*pair) for pair in zip(row, kinds, strict=True)]


def fill(
    connection: Connection,
    table: Table,
    kinds: Mapping[str, Kind],
    rows: Iterable[list[Any]],
) -> None:
    """Write rows whose columns are `kinds` into the empty `table`."""
    driver: Any = connection.connection.dbapi_connection
    pairs = [(kind, table.columns[name]) for name, kind in kinds.items()]
    names = ", ".join(_quoted(connection, one) for one in kinds)
    target = _quoted(connection, table.name)
    sqlite = connection.dialect.name == "sqlite"
    write = to_sqlite if sqlite else to_postgresql

    def ready() -> Iterator[list[Any]]:
        for row in rows:
            yield [
                write(converted(value, kind, wanted), wanted)
                for value, (kind, wanted) in zip(row, pairs, strict=True)
            ]

    if sqlite:
        marks = ", ".join("?" for _ in kinds)
        driver.executemany(f"INSERT INTO {target} ({names}) VALUES ({marks})", ready())  # noqa: S608 - quoted names
        return
    with (
        driver.cursor() as cursor,
        cursor.copy(f"COPY {target} ({names}) FROM STDIN") as copy,
    ):
        for row in ready():
            copy.write_row(row)


def last_id(connection: Connection, table: Table) -> int | None:
    """Give the last number a table gave out, also of a row that is gone."""
    if table.counter is None:
        return None
    if connection.dialect.name == "sqlite":
        if not sa.inspect(connection).has_table("sqlite_sequence"):
            return None
        found = connection.exec_driver_sql(
            "SELECT seq FROM sqlite_sequence WHERE name = ?", (table.name,)
        ).scalar()
        return found if found is None else int(found)
    sequence = _sequence(connection, table)
    if sequence is None:
        return None
    found = connection.exec_driver_sql(
        f"SELECT last_value FROM {sequence} WHERE is_called"  # noqa: S608 - PostgreSQL quoted it
    ).scalar()
    return found if found is None else int(found)


def set_last_id(connection: Connection, table: Table, last: int) -> None:
    """Have a table count on after `last`."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(
            "DELETE FROM sqlite_sequence WHERE name = ?", (table.name,)
        )
        connection.exec_driver_sql(
            "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table.name, last)
        )
    elif sequence := _sequence(connection, table):
        connection.execute(
            sa.text("SELECT setval(CAST(:name AS regclass), :last)"),
            {"name": sequence, "last": last},
        )


def _sequence(connection: Connection, table: Table) -> str | None:
    return connection.scalar(  # type: ignore[no-any-return]
        sa.text("SELECT pg_get_serial_sequence(:name, :counter)"),
        {"name": _quoted(connection, table.name), "counter": table.counter},
    )


def drop_all(connection: Connection) -> None:
    """Drop every table; the transaction around it can still take that back."""
    names = [
        _quoted(connection, one) for one in sa.inspect(connection).get_table_names()
    ]
    if connection.dialect.name == "sqlite":
        for name in names:
            connection.exec_driver_sql(f"DROP TABLE {name}")
    elif names:
        connection.exec_driver_sql(f"DROP TABLE {', '.join(names)} CASCADE")


@contextmanager
def without_foreign_keys(connection: Connection) -> Iterator[None]:
    """Let tables that point to each other be filled one after the other.

    SQLite's own transaction for changing tables looks at its end. On PostgreSQL the
    keys are taken off and put back, which checks every row.
    """
    if connection.dialect.name == "sqlite":
        yield
        return
    found = connection.execute(
        sa.text(
            "SELECT conrelid::regclass::text AS home, quote_ident(conname) AS name,"
            " pg_get_constraintdef(oid) AS said FROM pg_constraint"
            " WHERE contype = 'f' AND conparentid = 0"
            " AND connamespace = current_schema()::regnamespace ORDER BY 1, 2"
        )
    ).all()
    for one in found:
        connection.exec_driver_sql(f"ALTER TABLE {one.home} DROP CONSTRAINT {one.name}")
    yield
    for one in found:
        connection.exec_driver_sql(
            f"ALTER TABLE {one.home} ADD CONSTRAINT {one.name} {one.said}"
        )


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote(name)
