"""Take a plugin and all that belongs to it away, and keep it in an archive."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import sqlalchemy as sa
from flask import Flask, g
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from core import __version__
from core.db import db, now
from core.ddl import changing_tables
from core.engine import may_write
from core.events import fact_about, write_facts
from core.files import file_store
from core.migrate import take_back
from core.plugin_life.archive import last_id, own_tables, rows_of, write_rows
from core.plugin_life.belongings import Belongings, belongings
from core.plugin_life.planning import file_hashes
from core.plugin_life.switch import sync_folder, turn_off
from core.plugin_manager import PluginError
from core.users.models import Role

FORMAT = 1


@dataclass
class Removed:
    """What was taken away, and where it is kept."""

    plugin: str
    archive: Path
    tables: dict[str, int] = field(default_factory=dict)
    roles: list[str] = field(default_factory=list)


def remove_plugin(app: Flask, name: str) -> Removed:
    """Archive and remove a plugin's tables, settings, permissions, links, deliveries.

    All of it in one transaction, before whose end the archive lies safely on the disk
    and the plugin is off: a crash leaves everything as it was, or a plugin that is off
    with its tables still there, which removing it again finishes. Raises `PluginError`
    when the plugin is not on in `app` or its tables are not up to date.
    """
    with app.app_context():
        own = belongings(app, name)
        with changing_tables(db.engine) as connection, session_on(app, connection):
            revision = own.lineage.current(connection)
            if revision != own.lineage.head:
                raise PluginError(
                    f"the tables of {name!r} are not up to date: run rapport db upgrade"
                )
            _hold(connection, own)
            archive = _fresh_path(Path(app.config["INSTANCE"]), name)
            removed = _write_archive(connection, own, archive, revision)
            _tell_readers(own)
            _forget(connection, own)
            take_back(connection, own.lineage)
            # Last, so that its transaction is all that is left to happen.
            turn_off(app, name)
        return removed


@contextmanager
def session_on(app: Flask, connection: Connection) -> Iterator[Session]:
    """Use the session within the transaction of `connection`."""
    outer = g.get("rapport_session")
    token = may_write.set(True)
    session = g.rapport_session = Session(connection)
    session.info["app"] = app
    try:
        yield session
        session.flush()
    finally:
        session.expunge_all()
        session.close()
        may_write.reset(token)
        g.rapport_session = outer


def _hold(connection: Connection, own: Belongings) -> None:
    """Let nobody write a row that the archive would miss; SQLite has one writer."""
    names = own.tables(connection)
    if connection.dialect.name == "postgresql" and names:
        quote = connection.dialect.identifier_preparer.quote
        listed = ", ".join(quote(one) for one in names)
        connection.exec_driver_sql(f"LOCK TABLE {listed} IN ACCESS EXCLUSIVE MODE")


def archive_folder(instance: Path) -> Path:
    """Say where archives lie."""
    return instance / "archive"


def _fresh_path(instance: Path, name: str) -> Path:
    folder = archive_folder(instance)
    folder.mkdir(mode=0o700, exist_ok=True)
    for left in folder.glob(f"{name}-*.part"):
        left.unlink()
    stamp = datetime.now(UTC).strftime("%Y-%m-%d-%H%M%S")
    path, number = folder / f"{name}-{stamp}.zip", 2
    while path.exists():
        path, number = folder / f"{name}-{stamp}-{number}.zip", number + 1
    return path


def _write_archive(
    connection: Connection, own: Belongings, path: Path, revision: str | None
) -> Removed:
    part = path.with_suffix(".part")
    removed = Removed(own.plugin, path)
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "plugin": own.plugin,
        "core": __version__,
        "made_at": now().isoformat(),
        "dialect": connection.dialect.name,
        "revision": revision,
        "last_ids": {},
        "roles": _roles(own),
    }
    with part.open("xb") as file:
        with ZipFile(file, "w", ZIP_DEFLATED) as archive:
            for table in own_tables(connection, own.tables(connection)):
                manifest["last_ids"][table.name] = last_id(connection, table.name)
                removed.tables[table.name] = write_rows(
                    archive, f"tables/{table.name}.jsonl", rows_of(connection, table)
                )
            for table, where in own.kept_by_core():
                rows = rows_of(connection, table, where)
                write_rows(archive, f"core/{table.name}.jsonl", rows)
            _write_files(archive, own)
            manifest["tables"] = removed.tables
            archive.writestr("manifest.json", json.dumps(manifest, indent=2))
        file.flush()
        os.fsync(file.fileno())
    part.chmod(0o600)
    part.replace(path)
    sync_folder(path.parent)
    removed.roles = sorted(manifest["roles"])
    return removed


def _write_files(archive: ZipFile, own: Belongings) -> None:
    """Keep the uploaded bytes too: a sweep removes what no row mentions."""
    for sha256 in file_hashes(own):
        if file_store().exists(sha256):
            archive.write(file_store().path(sha256), f"files/{sha256}", ZIP_STORED)


def _roles(own: Belongings) -> dict[str, dict[str, list[str]]]:
    """Remember what each role allows now, and what is left of it afterwards."""
    found = {}
    for role in db.session.scalars(sa.select(Role)):
        after = [one for one in role.permissions if one not in own.permissions]
        if after != role.permissions:
            found[role.name] = {"before": role.permissions, "after": after}
    return found


def _tell_readers(own: Belongings) -> None:
    """Announce each record as deleted, so that search forgets it."""
    for model in own.records():
        query = sa.select(model).execution_options(yield_per=500)
        for page in db.session.scalars(query).partitions():
            verb = f"{model.record_name()}.deleted"
            data = {"removed_with": own.plugin}
            facts = [fact_about(db.session, verb, one, data) for one in page]
            write_facts(db.session, facts)
            for one in page:
                db.session.expunge(one)


def _forget(connection: Connection, own: Belongings) -> None:
    for role in db.session.scalars(sa.select(Role)):
        left = [one for one in role.permissions if one not in own.permissions]
        if left != role.permissions:
            role.permissions = left
    db.session.flush()
    for table, where in own.kept_by_core():
        connection.execute(sa.delete(table).where(where))
