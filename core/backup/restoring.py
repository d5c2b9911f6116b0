"""`rapport restore`: an installation from a backup, whole or not at all.

The tables are made as they were when the backup was taken, filled, and then brought to
the newest revision, all in one transaction: so a backup goes into a newer version, and
into the other database. What fails on the way leaves the old tables as they were.
"""

import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from flask import Flask
from sqlalchemy.engine import Connection

from core import migrate
from core.backup import tables
from core.backup.archive import (
    Archive,
    BackupError,
    TableInside,
    Watch,
    unwatched,
    whole_archive,
)
from core.backup.taking import make_backup
from core.config import load_config
from core.contacts.erasing.again import ask_again, erase_waiting, erasures_in
from core.db import db, now
from core.ddl import CORE, SUFFIX, MigrationError, changing_tables
from core.files import file_store

CONFIG, BESIDE, KEY = "config.py", "config.restored.py", "secret_key"


@dataclass
class Restored:
    """What came back, and what a reader should know: plain sentences."""

    rows: int = 0
    files: int = 0
    steps: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def restore_backup(
    app: Flask,
    path: Path,
    *,
    replace: bool = False,
    without: Iterable[str] = (),
    watch: Watch = unwatched,
) -> Restored:
    """Bring back what `path` holds into the database and folders of `app`.

    `replace` puts it in the place of what is there, of which a backup is made first;
    `without` names plugins whose tables stay out. Raises `BackupError`.
    """
    done = Restored()
    with whole_archive(path, watch) as archive, app.app_context():
        left_out = set(without)
        _refuse_strangers(app, archive, left_out)
        erased = _erased_here()
        _make_room(app, path, done, replace)
        _bring_files(archive, done, watch)
        try:
            with changing_tables(db.engine) as connection:
                _bring_tables(app, connection, archive, left_out, done, watch)
                again = ask_again(connection, erased)
        except (sa.exc.DBAPIError, MigrationError) as error:
            raise BackupError(_why(error)) from error
        if again:
            with db.transaction():
                erase_waiting()
            done.remarks.append(
                f"Erased again, as they had been since the backup: {again} contacts."
            )
        _bring_settings(Path(app.instance_path), archive, done)
        # An index of other records would be searched; a missing one is made anew.
        shutil.rmtree(app.config["SEARCH_FOLDER"], ignore_errors=True)
        if archive.contents.missing:
            done.remarks.append(
                f"{len(archive.contents.missing)} files were missing when the backup "
                f"was made: {', '.join(archive.contents.missing)}"
            )
    return done


def _erased_here() -> list[dict[str, Any]]:
    """Read who was erased here, before what is here is replaced."""
    with db.engine.connect() as connection:
        return erasures_in(connection)


def _why(error: Exception) -> str:
    said = str(getattr(error, "orig", None) or getattr(error, "message", error))
    first = said.strip().partition("\n")[0].rstrip(".")
    return (
        f"The backup could not be restored, and nothing was changed: {first}. "
        "Stop web servers and workers first."
    )


def _refuse_strangers(app: Flask, archive: Archive, left_out: set[str]) -> None:
    """Refuse what this installation has no code for; raises `BackupError`."""
    known = {one.name: one for one in migrate.lineages(app)}
    told = archive.contents.lineages
    if CORE in left_out or left_out - set(told):
        names = ", ".join(sorted(left_out))
        raise BackupError(f"--without {names}: the backup has no such plugin.")
    strangers = sorted(set(told) - set(known) - left_out)
    if strangers:
        raise BackupError(
            f"The backup has tables of {', '.join(strangers)}, which is not "
            "installed or switched off: install it, or leave its tables out with "
            f"--without {strangers[0]}."
        )
    for name in set(told) - left_out:
        script = known[name].script
        try:
            found = script.get_revision(told[name]) if script else None
        except CommandError:
            found = None
        if found is None:
            raise BackupError(
                f"The backup was made by a newer {name} ({told[name]}; Rapport "
                f"{archive.contents.rapport}): install that version first."
            )


def _make_room(app: Flask, path: Path, done: Restored, replace: bool) -> None:
    with db.engine.connect() as connection:
        there = sa.inspect(connection).get_table_names()
    if not there:
        return
    if not replace:
        raise BackupError(
            "This installation has data already: --replace puts the backup in its "
            "place, after making a backup of what is there."
        )
    if f"{CORE}{SUFFIX}" not in there:
        raise BackupError("The database has tables that are not Rapport's.")
    stamp = f"{now():%Y%m%d-%H%M%S-%f}"
    beside = path.resolve().with_name(f"before-restore-{stamp}.rapport")
    make_backup(app, beside)
    done.remarks.append(f"What was there before is in {beside}.")


def _bring_files(archive: Archive, done: Restored, watch: Watch) -> None:
    store = file_store()
    for sha256 in watch("Files", archive.contents.files):
        if not store.verify(sha256):
            with archive.stream(f"files/{sha256}") as stream:
                store.put(stream, limit=None)
        done.files += 1


def _bring_tables(
    app: Flask,
    connection: Connection,
    archive: Archive,
    left_out: set[str],
    done: Restored,
    watch: Watch,
) -> None:
    if connection.dialect.name == "postgresql":
        # A server that still runs would have us wait for ever.
        connection.exec_driver_sql("SET LOCAL lock_timeout = '10s'")
    tables.drop_all(connection)
    wanted = {k: v for k, v in archive.contents.lineages.items() if k not in left_out}
    _migrate(app, connection, wanted)
    here = {one.name: one for one in tables.describe_tables(connection)}
    with tables.without_foreign_keys(connection):
        for table in here.values():
            # What the revisions themselves put in is in the backup too.
            connection.execute(sa.delete(sa.table(table.name)))
        inside = [one for one in archive.contents.tables if one.lineage not in left_out]
        for one in watch("Tables", inside):
            _bring_table(connection, archive, one, here.get(one.name), done)
        _begin_anew(connection)
    for lineage in left_out:
        done.remarks.append(f"The tables of {lineage} were left out.")
    heads = {one.name: one.head for one in migrate.lineages(app)}
    done.steps += _migrate(app, connection, heads)


def _migrate(
    app: Flask, connection: Connection, targets: Mapping[str, str | None]
) -> list[str]:
    steps: list[str] = []
    for lineage in migrate.lineages(app):
        target = targets.get(lineage.name)
        if target is None:
            continue

        def plan(
            _: object, script: ScriptDirectory, target: str = target
        ) -> migrate.Plan:
            return lambda current, _: script._upgrade_revs(target, current)

        steps += migrate.run_steps(lineage, connection, plan)
    return steps


def _bring_table(
    connection: Connection,
    archive: Archive,
    inside: TableInside,
    table: tables.Table | None,
    done: Restored,
) -> None:
    if table is None:
        done.remarks.append(
            f"The table {inside.name} was left out: no revision makes it."
        )
        return
    if unknown := set(inside.columns) - set(table.columns):
        raise BackupError(
            f"The backup's table {inside.name} has columns no revision makes: "
            f"{', '.join(sorted(unknown))}."
        )
    tables.fill(connection, table, inside.columns, archive.rows(inside.name))
    done.rows += inside.rows
    last = inside.last_id
    if table.counter is not None:
        counter = sa.column(table.counter, sa.Integer)
        query = sa.select(sa.func.max(counter)).select_from(sa.table(table.name))
        last = max(last or 0, connection.scalar(query) or 0)
    if last:
        tables.set_last_id(connection, table, last)


def _begin_anew(connection: Connection) -> None:
    """Forget what belonged to the processes and the database that were."""
    # A transaction's number of another PostgreSQL may lie in this one's future, and
    # hide the event until then. 0 is before everything that happens from now on.
    event = sa.table("event", sa.column("xid"))
    connection.execute(sa.update(event).values(xid=0).where(event.c.xid != 0))
    delivery = sa.table("delivery", sa.column("token"), sa.column("leased_until"))
    connection.execute(sa.update(delivery).values(token=None, leased_until=None))
    # Every job runs once at the start, the one that makes the index among them.
    connection.execute(sa.delete(sa.table("job_run")))


def _bring_settings(instance: Path, archive: Archive, done: Restored) -> None:
    inside = archive.contents.settings
    if KEY in inside:
        _write(instance / KEY, archive)
    else:
        done.remarks.append(
            "The secret key is not in the backup: set the same SECRET_KEY as before."
        )
    if CONFIG not in inside:
        return
    if not (instance / CONFIG).exists():
        before = _places(instance)
        _write(instance / CONFIG, archive)
        if _places(instance) == before:
            return
        (instance / CONFIG).unlink()
    _write(instance / BESIDE, archive, CONFIG)
    done.remarks.append(
        f"The settings of the backup are in {instance / BESIDE}; compare them with "
        f"{CONFIG}: they name another database or folder, or there were settings here."
    )


def _places(instance: Path) -> dict[str, Any] | None:
    """Tell where the settings of `instance` lead: a rehearsal must not end at home."""
    try:
        config = load_config(instance)
    except Exception:
        # The file is somebody's program; whatever it raises, it is not used as it is.
        return None
    return {key: config[key] for key in ("DATABASE_URL", "FILES_FOLDER")}


def _write(path: Path, archive: Archive, name: str | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    number = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with (
        os.fdopen(number, "wb") as file,
        archive.stream(f"instance/{name or path.name}") as stream,
    ):
        shutil.copyfileobj(stream, file)
    part.replace(path)
