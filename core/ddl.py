"""The one transaction in which tables may change, safe on both databases."""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from core.db import Model
from core.engine import may_write
from core.errors import CRMError
from core.i18n import _
from core.i18n import lazy_gettext as _l

CORE = "core"
SUFFIX = "_alembic_version"

# Any number will do, as long as every process of Rapport takes the same one.
LOCK = 7_370_612_044
# How long a second process waits for the first one's upgrade on SQLite.
WAIT_MS = 600_000


class MigrationError(CRMError):
    """The tables could not be brought to the asked revision; nothing has changed."""

    title = _l("The database was not changed")
    message = _l("The tables could not be brought to the asked revision.")


@contextmanager
def changing_tables(engine: Engine) -> Iterator[Connection]:
    """Open the one transaction of an upgrade; a second process waits for its end."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            # What is set here must not reach the next user of a pooled connection.
            driver: Any = connection.connection.driver_connection
            connection.detach()
            # To change a table SQLite builds it anew and drops the old one. Dropping
            # fires every ON DELETE and empties the tables that point to it, and
            # inside a transaction the switch has no effect.
            driver.execute("PRAGMA foreign_keys=OFF")
            driver.execute(f"PRAGMA busy_timeout={WAIT_MS}")
            # Said at the start, so that a second process waits for its turn.
            token = may_write.set(True)
            try:
                transaction = connection.begin()
            finally:
                may_write.reset(token)
            with transaction:
                last_ids = _last_ids(connection)
                yield connection
                _restore_last_ids(connection, last_ids)
                _check_foreign_keys(connection)
        else:
            # Whoever waited for the lock must see what the one before it did.
            connection.execution_options(isolation_level="READ COMMITTED")
            with connection.begin():
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
                yield connection


@contextmanager
def quietly() -> Iterator[None]:
    """Look at tables without a warning for each index that SQLite cannot tell of."""
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", "Skipped unsupported reflection", sa.exc.SAWarning
        )
        yield


def tables_in(connection: Connection) -> list[sa.Table]:
    """Give the tables of our models that the database has, in the order of their keys.

    A plugin that was taken out is still known to a process that runs on.
    """
    there = set(sa.inspect(connection).get_table_names())
    return [one for one in Model.metadata.sorted_tables if one.name in there]


def refuse_while_plugins_stand(connection: Connection) -> None:
    """Keep core's tables while a plugin's hang on them; raises `MigrationError`."""
    standing = [
        table.removesuffix(SUFFIX)
        for table in sa.inspect(connection).get_table_names()
        if table.endswith(SUFFIX) and table != f"{CORE}{SUFFIX}"
    ]
    if standing:
        raise MigrationError(
            _(
                "Core's tables carry those of %(plugins)s: take these back first.",
                plugins=", ".join(sorted(standing)),
            )
        )


def _check_foreign_keys(connection: Connection) -> None:
    broken = {row[0] for row in connection.exec_driver_sql("PRAGMA foreign_key_check")}
    if broken:
        raise MigrationError(
            _(
                "Rows of %(tables)s would point to nothing.",
                tables=", ".join(sorted(broken)),
            )
        )


def _last_ids(connection: Connection) -> dict[str, int]:
    if not sa.inspect(connection).has_table("sqlite_sequence"):
        return {}
    rows = connection.exec_driver_sql("SELECT name, seq FROM sqlite_sequence")
    return {row.name: row.seq for row in rows}


def _restore_last_ids(connection: Connection, before: dict[str, int]) -> None:
    """Keep the ids of deleted rows out of use: a rebuilt table forgets them."""
    after = _last_ids(connection)
    for table in before.keys() & set(sa.inspect(connection).get_table_names()):
        if after.get(table, -1) < before[table]:
            connection.exec_driver_sql(
                "DELETE FROM sqlite_sequence WHERE name = ?", (table,)
            )
            connection.exec_driver_sql(
                "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)",
                (table, before[table]),
            )


@sa.event.listens_for(sa.Table, "before_create")
def _keep_autoincrement(table: sa.Table, connection: Connection, **_: object) -> None:
    """Carry AUTOINCREMENT over to Alembic's rebuilt table; reflection omits it."""
    original = table.name.removeprefix("_alembic_tmp_")
    if connection.dialect.name == "sqlite" and original != table.name:
        created = connection.exec_driver_sql(
            "SELECT sql FROM sqlite_master WHERE name = ?", (original,)
        ).scalar_one()
        if re.search(r"\bAUTOINCREMENT\b", created):
            table.dialect_options["sqlite"]["autoincrement"] = True
