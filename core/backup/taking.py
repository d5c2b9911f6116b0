"""`rapport backup`: everything of one moment, while people go on working.

The database is read in one snapshot first. Uploaded files never change and are stored
before the row that mentions them, so all that the snapshot mentions are there when
they are copied afterwards.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy.engine import Connection

from core import __version__
from core.backup import tables
from core.backup.archive import (
    SETTINGS,
    BackupError,
    Contents,
    TableInside,
    Watch,
    Writer,
    new_archive,
    unwatched,
)
from core.db import db, now, only_reading
from core.ddl import CORE
from core.files import file_store

# Every column of this name holds the hash of an uploaded file, whoever's table it is.
HASH = "sha256"


@dataclass(frozen=True)
class Taken:
    """What a backup holds, and the files it could not hold: hash by table."""

    rows: int
    files: int
    size: int
    missing: dict[str, str]


def make_backup(app: Flask, path: Path, watch: Watch = unwatched) -> Taken:
    """Write a backup of the installation to `path`.

    Raises `BackupError` when there is nothing to back up or `path` exists.
    """
    mentioned: dict[str, str] = {}
    with app.app_context(), new_archive(path) as (writer, file):
        with _one_moment() as connection:
            contents = _describe(connection)
            for table in watch("Tables", tables.describe_tables(connection)):
                inside = _add_table(writer, connection, table, mentioned)
                contents.tables.append(inside)
        _add_settings(writer, Path(app.instance_path), contents)
        _add_files(writer, mentioned, contents, watch)
        writer.close(contents)
        size = file.seek(0, 2)
    return Taken(
        rows=sum(one.rows for one in contents.tables),
        files=len(contents.files),
        size=size,
        missing={one: mentioned[one] for one in contents.missing},
    )


@contextmanager
def _one_moment() -> Iterator[Connection]:
    """Read the database as it is now, whatever is written meanwhile."""
    with only_reading(), db.engine.connect() as connection:
        if db.dialect == "postgresql":
            connection = connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        with connection.begin():
            yield connection


def _describe(connection: Connection) -> Contents:
    lineages = tables.revisions(connection)
    if CORE not in lineages:
        raise BackupError("There is nothing to back up: run rapport init first.")
    return Contents(
        rapport=__version__,
        made_at=now().isoformat(timespec="seconds"),
        database=connection.dialect.name,
        lineages=lineages,
    )


def _add_table(
    writer: Writer,
    connection: Connection,
    table: tables.Table,
    mentioned: dict[str, str],
) -> TableInside:
    place = list(table.columns).index(HASH) if HASH in table.columns else None

    def noted() -> Iterator[list[Any]]:
        for row in tables.rows_of(connection, table):
            if place is not None and row[place]:
                mentioned.setdefault(row[place], table.name)
            yield row

    count, digest = writer.add_rows(table.name, noted())
    return TableInside(
        name=table.name,
        lineage=table.lineage,
        columns=dict(table.columns),
        rows=count,
        sha256=digest,
        last_id=tables.last_id(connection, table),
    )


def _add_settings(writer: Writer, instance: Path, contents: Contents) -> None:
    for name in SETTINGS:
        if (instance / name).is_file():
            with (instance / name).open("rb") as file:
                writer.add_stream(f"instance/{name}", file)
            contents.settings.append(name)


def _add_files(
    writer: Writer, mentioned: dict[str, str], contents: Contents, watch: Watch
) -> None:
    store = file_store()
    for sha256 in watch("Files", sorted(mentioned)):
        # Looked at before, since what is in a ZIP cannot be taken out again.
        if not store.verify(sha256):
            contents.missing.append(sha256)
            continue
        with store.open(sha256) as file:
            writer.add_stream(f"files/{sha256}", file)
        contents.files.append(sha256)
