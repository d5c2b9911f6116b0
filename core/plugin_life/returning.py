"""Put a removed plugin back, with its data, settings and permissions."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar
from zipfile import BadZipFile, ZipFile

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.engine import Connection

from core.db import db
from core.ddl import changing_tables
from core.events import Delivery, Event, fact_about, write_facts
from core.files import file_store
from core.migrate import raise_tables
from core.plugin_life.archive import (
    CHUNK,
    Values,
    fill_later,
    insert_rows,
    late_columns,
    own_tables,
    read_rows,
    restore_last_id,
)
from core.plugin_life.belongings import Belongings, belongings, table
from core.plugin_life.removing import FORMAT, archive_folder, session_on
from core.plugin_life.switch import turn_on
from core.plugin_manager import PluginError
from core.records import Link
from core.settings import Setting
from core.users.models import Role

T = TypeVar("T")


@dataclass
class Returned:
    """What came back; `lost` counts rows whose contact or user is gone meanwhile."""

    plugin: str
    tables: dict[str, int] = field(default_factory=dict)
    lost: int = 0
    roles: list[str] = field(default_factory=list)
    already: bool = False


def archives_of(instance: Path, name: str) -> list[Path]:
    """List the archives of a plugin, the newest last."""
    return [
        path
        for path in sorted(archive_folder(instance).glob(f"{name}-*.zip"))
        if path.name[len(name) + 1 :][:1].isdigit()
    ]


def put_back(app: Flask, archive: Path, name: str | None = None) -> Returned:
    """Bring back the plugin of `archive`: rows with their ids, settings, permissions.

    One transaction, after which the plugin is on. If its tables are there already,
    as after a crash or with `rapport plugin off`, they stay and it is only turned on.
    Raises `PluginError` when the archive is no such archive, is not of the plugin
    `name`, or does not fit here.
    """
    try:
        with ZipFile(archive) as opened:
            manifest = _manifest(opened, archive)
            if name is not None and manifest["plugin"] != name:
                said = f"{archive.name} is an archive of {manifest['plugin']!r}"
                raise PluginError(f"{said}, not of {name!r}: nothing was changed")
            return _bring_back(app, opened, manifest)
    except BadZipFile as error:
        raise PluginError(f"{archive.name} is damaged: {error}") from error


def _manifest(opened: ZipFile, path: Path) -> dict[str, Any]:
    if "manifest.json" not in opened.namelist():
        raise PluginError(f"{path.name} is no archive of a plugin")
    manifest: dict[str, Any] = json.loads(opened.read("manifest.json"))
    if manifest.get("format") != FORMAT:
        raise PluginError(f"{path.name} was written by a newer version of Rapport")
    return manifest


def _bring_back(app: Flask, opened: ZipFile, manifest: dict[str, Any]) -> Returned:
    with app.app_context():
        own = belongings(app, manifest["plugin"])
        back = Returned(own.plugin)
        with changing_tables(db.engine) as connection, session_on(app, connection):
            if manifest["dialect"] != connection.dialect.name:
                raise PluginError(
                    f"the archive is of {manifest['dialect']}, this is "
                    f"{connection.dialect.name}: put it back where it came from"
                )
            if own.lineage.head and own.lineage.current(connection):
                back.already = True
            else:
                _restore(connection, own, opened, manifest, back)
        turn_on(app, own.plugin)
        return back


def _restore(
    connection: Connection,
    own: Belongings,
    opened: ZipFile,
    manifest: dict[str, Any],
    back: Returned,
) -> None:
    for name in opened.namelist():
        if name.startswith("files/") and not file_store().exists(name[6:]):
            with opened.open(name) as file:
                file_store().put(file, limit=None)
    if manifest["revision"]:
        raise_tables(connection, own.lineage, manifest["revision"])
    _restore_tables(connection, own, opened, manifest, back)
    raise_tables(connection, own.lineage)
    _restore_core(connection, own, opened)
    _restore_roles(manifest, back)
    _tell_readers(own)


def _restore_tables(
    connection: Connection,
    own: Belongings,
    opened: ZipFile,
    manifest: dict[str, Any],
    back: Returned,
) -> None:
    tables = own_tables(connection, own.tables(connection))
    for one in reversed(tables):
        # What a migration writes into a new table is in the archive too.
        connection.execute(sa.delete(one))
    later = {one.name for one in tables}
    waiting: list[tuple[sa.Table, str, list[tuple[Any, Any]]]] = []
    for one in tables:
        late = late_columns(one, later)
        later.discard(one.name)
        noted: dict[str, list[tuple[Any, Any]]] = {name: [] for name in late}
        rows = read_rows(opened, f"tables/{one.name}.jsonl")
        count = 0
        for chunk in _chunks(rows, CHUNK):
            _set_aside(one, chunk, noted)
            kept = _standing(connection, one, chunk, set(late))
            back.lost += len(chunk) - len(kept)
            count += len(kept)
            insert_rows(connection, one, kept)
        back.tables[one.name] = count
        waiting += [(one, name, values) for name, values in noted.items()]
        restore_last_id(connection, one.name, manifest["last_ids"].get(one.name))
    for one, name, values in waiting:
        _fill(connection, one, name, values)


def _chunks(rows: Iterator[T], size: int) -> Iterator[list[T]]:
    while chunk := list(islice(rows, size)):
        yield chunk


def _set_aside(
    one: sa.Table, rows: list[Values], noted: dict[str, list[tuple[Any, Any]]]
) -> None:
    """Take out what points to rows that are not there yet."""
    for name, values in noted.items():
        (key,) = one.primary_key.columns
        for row in rows:
            if row[name] is not None:
                values.append((row[key.name], row[name]))
                row[name] = None


def _fill(
    connection: Connection, one: sa.Table, name: str, values: list[tuple[Any, Any]]
) -> None:
    (key,) = one.columns[name].foreign_keys
    for chunk in _chunks(iter(values), CHUNK):
        there = _present(connection, key, {value for _row, value in chunk})
        kept = [(row, value) for row, value in chunk if value in there]
        fill_later(connection, one, name, kept)


def _standing(
    connection: Connection, one: sa.Table, rows: list[Values], late: set[str]
) -> list[Values]:
    """Do to rows what deleting their contact or user would have done meanwhile."""
    for key in one.foreign_keys:
        name = key.parent.name
        if name in late:
            continue
        wanted = {row[name] for row in rows if row[name] is not None}
        gone = wanted - _present(connection, key, wanted)
        if gone and key.ondelete == "SET NULL":
            for row in rows:
                row[name] = None if row[name] in gone else row[name]
        elif gone:
            rows = [row for row in rows if row[name] not in gone]
    return rows


def _present(connection: Connection, key: sa.ForeignKey, wanted: set[Any]) -> set[Any]:
    """Say which of the values `wanted`, as archived, the key's target has."""
    if not wanted:
        return set()
    python: Any = key.column.type.python_type
    typed = {python(value): value for value in wanted}
    found = connection.scalars(sa.select(key.column).where(key.column.in_(typed)))
    return {typed[one] for one in found}


def _restore_core(connection: Connection, own: Belongings, opened: ZipFile) -> None:
    known = set(own.subscribers)
    for model, unique in (
        (Setting, ("key",)),
        (Link, ("from_ref", "to_ref", "kind")),
        (Delivery, ("event_id", "subscriber")),
    ):
        one = table(model)
        rows = list(read_rows(opened, f"core/{one.name}.jsonl"))
        if model is Delivery:
            rows = [row for row in rows if row["subscriber"] in known]
            events = {int(row["event_id"]) for row in rows}
            query = sa.select(Event.id).where(Event.id.in_(events))
            there = set(connection.scalars(query))
            rows = [row for row in rows if int(row["event_id"]) in there]
        _add_missing(connection, one, rows, unique)


def _add_missing(
    connection: Connection, one: sa.Table, rows: list[Values], unique: tuple[str, ...]
) -> None:
    """Add the rows that nobody has written again meanwhile."""
    present = {
        tuple(str(value) for value in row)
        for row in connection.execute(sa.select(*[one.columns[u] for u in unique]))
    }
    fresh = [row for row in rows if tuple(str(row[u]) for u in unique) not in present]
    insert_rows(connection, one, fresh)


def _restore_roles(manifest: dict[str, Any], back: Returned) -> None:
    for role in db.session.scalars(sa.select(Role)):
        remembered = manifest["roles"].get(role.name)
        if remembered is None:
            continue
        if role.permissions == remembered["after"]:
            role.permissions = remembered["before"]
        else:
            gone = [p for p in remembered["before"] if p not in remembered["after"]]
            role.permissions = [*dict.fromkeys([*role.permissions, *gone])]
        back.roles.append(role.name)
    db.session.flush()


def _tell_readers(own: Belongings) -> None:
    """Announce each record as changed, so that search finds it again."""
    for model in own.records():
        query = sa.select(model).execution_options(yield_per=CHUNK)
        for page in db.session.scalars(query).partitions():
            verb = f"{model.record_name()}.updated"
            data = {"fields": [], "values": {}, "put_back": own.plugin}
            facts = [fact_about(db.session, verb, one, data) for one in page]
            write_facts(db.session, facts)
            for one in page:
                db.session.expunge(one)
