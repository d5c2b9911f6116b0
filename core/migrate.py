"""Migrations: one lineage and one version table for core and for each plugin.

A lineage is a folder `migrations/` of files `0001_first.py`, `0002_….py` and nothing
else; the file's name is the revision's id. Core's lineage runs first, then the
plugins' by name, all in one transaction: an installation is never left half-way.
A plugin whose code is gone stops nobody, because nobody reads its version table.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata, produce_migrations
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, MigrationInfo
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from flask import Flask
from pluggy import PluginManager
from sqlalchemy.engine import Connection

from core.db import Model, db
from core.ddl import (
    CORE,
    SUFFIX,
    MigrationError,
    changing_tables,
    quietly,
    refuse_while_plugins_stand,
)
from core.i18n import _
from core.revisions import compose, render_item, write

# What Alembic calls to learn the steps: (revisions of the database, context) → steps.
Plan = Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Lineage:
    """The migrations of core or of one plugin; `plugins` names all installed ones."""

    name: str
    path: Path
    plugins: tuple[str, ...]

    @property
    def version_table(self) -> str:
        """Name the table that holds the lineage's current revision."""
        return f"{self.name}{SUFFIX}"

    @property
    def script(self) -> ScriptDirectory | None:
        """Read the folder; a plugin that has no tables needs none."""
        if not self.path.is_dir():
            return None
        return ScriptDirectory(str(self.path), version_locations=[str(self.path)])

    @property
    def head(self) -> str | None:
        """Name the newest revision of the code; raises when two claim to be it."""
        heads = self.script.get_heads() if self.script else []
        if len(heads) > 1:
            raise MigrationError(
                _(
                    "%(name)s: %(heads)s follow the same revision. "
                    "Let one of them follow the other.",
                    name=self.name,
                    heads=", ".join(sorted(heads)),
                )
            )
        return heads[0] if heads else None

    def owns(self, table: str) -> bool:
        """Say whether `table` is created and changed by this lineage."""
        return owner_of(table, self.plugins) == self.name

    def options(self) -> dict[str, Any]:
        """Tell Alembic what this lineage may see and where it writes its revision."""

        def visible(_object: object, name: str, kind: str, *_rest: object) -> bool:
            return kind != "table" or self.owns(name)

        return {
            "compare_type": True,
            "include_name": lambda name, kind, _: visible(None, name, kind),
            "include_object": visible,
            "render_as_batch": True,
            "render_item": render_item,
            "target_metadata": Model.metadata,
            "transactional_ddl": True,
            "version_table": self.version_table,
        }

    def context(self, connection: Connection) -> MigrationContext:
        """Give Alembic's view of the database for comparing and reading."""
        return MigrationContext.configure(connection, opts=self.options())

    def current(self, connection: Connection) -> str | None:
        """Name the revision the database is at."""
        return next(iter(self.context(connection).get_current_heads()), None)


@dataclass(frozen=True)
class LineageStatus:
    """Where one lineage stands: in the database, and in the code."""

    name: str
    current: str | None
    head: str | None


def lineages(app: Flask) -> list[Lineage]:
    """List core's lineage, then those of the registered plugins by name."""
    pm: PluginManager = app.extensions["rapport_pm"]
    folders: dict[str, Path] = {}
    plugin: Any
    for name, plugin in pm.list_name_plugin():
        # Core's own slices are registered too; their tables are core's.
        file = getattr(plugin, "__file__", None)
        if file and plugin.__name__.partition(".")[0] != CORE:
            folders[name] = Path(file).parent / "migrations"
    folders = dict(sorted(folders.items()))
    names = tuple(folders)
    core = Lineage(CORE, Path(__file__).parent / "migrations", names)
    return [core, *(Lineage(name, path, names) for name, path in folders.items())]


def upgrade(app: Flask, plugin: str | None = None, target: str = "head") -> list[str]:
    """Bring all lineages, or that of `plugin`, to `target`; say what was run."""
    with app.app_context(), changing_tables(db.engine) as connection:
        return [
            step
            for lineage in _chosen(app, plugin)
            for step in raise_tables(connection, lineage, target)
        ]


def raise_tables(
    connection: Connection, lineage: Lineage, target: str = "head"
) -> list[str]:
    """Bring one lineage to `target` within a transaction of `changing_tables`."""

    def plan(lineage: Lineage, script: ScriptDirectory) -> Plan:
        head = lineage.head if target == "head" else target
        return lambda current, _: script._upgrade_revs(head or "head", current)

    return run_steps(lineage, connection, plan)


def downgrade(app: Flask, plugin: str | None = None, target: str = "base") -> list[str]:
    """Take all lineages, or that of `plugin`, back to `target`; say what was undone.

    At base a lineage's tables and its version table are gone, with their rows.
    """
    done: list[str] = []
    with app.app_context(), changing_tables(db.engine) as connection:
        for lineage in reversed(_chosen(app, plugin)):
            if lineage.name == CORE and target == "base":
                refuse_while_plugins_stand(connection)
            done += take_back(connection, lineage, target)
    return done


def take_back(
    connection: Connection, lineage: Lineage, target: str = "base"
) -> list[str]:
    """Take one lineage back within a transaction of `changing_tables`."""

    def plan(lineage: Lineage, script: ScriptDirectory) -> Plan:
        return lambda current, _: script._downgrade_revs(target, current)

    done = run_steps(lineage, connection, plan)
    if lineage.current(connection) is None:
        version = sa.Table(lineage.version_table, sa.MetaData())
        connection.execute(sa.schema.DropTable(version, if_exists=True))
    return done


def lineage_of(app: Flask, plugin: str) -> Lineage:
    """Give the lineage of one plugin; raises `MigrationError` when it is not on."""
    (lineage,) = _chosen(app, plugin)
    return lineage


def status(app: Flask) -> list[LineageStatus]:
    """Tell for each lineage the revision of the database and that of the code."""
    with app.app_context(), db.engine.connect() as connection:
        return [
            LineageStatus(one.name, one.current(connection), one.head)
            for one in lineages(app)
        ]


def differences(app: Flask, plugin: str = CORE) -> list[Any]:
    """Compare the database with the models; empty when a lineage is at its head."""
    (lineage,) = _chosen(app, plugin)
    with app.app_context(), db.engine.connect() as connection, quietly():
        found: list[Any] = compare_metadata(lineage.context(connection), Model.metadata)
        return found


def new_revision(app: Flask, plugin: str, slug: str, message: str) -> Path:
    """Write the next migration of `plugin` from what the models have and tables lack.

    Needs a database at the lineage's head. Read what it wrote before you commit it;
    a migration that only moves rows is written by hand.
    """
    (lineage,) = _chosen(app, plugin)
    with app.app_context(), db.engine.connect() as connection, quietly():
        if not re.fullmatch(r"[a-z][a-z0-9_]*", slug):
            raise MigrationError(
                _("Use small letters, digits and _ in the short name.")
            )
        if lineage.current(connection) != lineage.head:
            raise MigrationError(_("Run `rapport db upgrade` first."))
        context = lineage.context(connection)
        made = produce_migrations(context, Model.metadata)
        if made.upgrade_ops is None or made.upgrade_ops.is_empty():
            raise MigrationError(_("The tables are as the models say."))
        number = int(lineage.head.partition("_")[0]) + 1 if lineage.head else 1
        text = compose(made, context, f"{number:04d}_{slug}", lineage.head, message)
    path = lineage.path / f"{number:04d}_{slug}.py"
    write(path, text)
    return path


def _chosen(app: Flask, plugin: str | None) -> list[Lineage]:
    every = lineages(app)
    chosen = [one for one in every if plugin in (None, one.name)]
    if chosen:
        return chosen
    with app.app_context():
        raise MigrationError(
            _(
                "There is no %(name)s here, only: %(names)s.",
                name=plugin,
                names=", ".join(one.name for one in every),
            )
        )


def run_steps(
    lineage: Lineage,
    connection: Connection,
    plan: Callable[[Lineage, ScriptDirectory], Plan],
) -> list[str]:
    """Run what `plan` says of a lineage in a transaction that changes tables."""
    script = lineage.script
    if script is None:
        return []
    done: list[str] = []

    def note(ctx: object, step: MigrationInfo, heads: object, run_args: object) -> None:
        done.append(f"{lineage.name} {step.up_revision_id}")

    fn = plan(lineage, script)
    try:
        with EnvironmentContext(Config(), script, fn=fn) as environment:
            environment.configure(
                connection=connection, on_version_apply=note, **lineage.options()
            )
            environment.run_migrations()
    except (CommandError, sa.exc.SQLAlchemyError) as error:
        raise MigrationError(
            _(
                "%(name)s, after %(step)s: %(reason)s",
                name=lineage.name,
                step=done[-1].partition(" ")[2] if done else "-",
                reason=str(error),
            )
        ) from error
    return done


def owner_of(table: str, plugins: Sequence[str]) -> str | None:
    """Name the lineage of `table`, if core or one of `plugins` has it."""
    # The class tells more than the name: a switched-off plugin's models may be loaded
    # in this process, and core's `contact_name` may look like a plugin's table.
    homes = {
        one.name: mapper.class_.__module__.partition(".")[0]
        for mapper in Model.registry.mappers
        for one in mapper.tables
        if isinstance(one, sa.Table)
    }
    home = homes.get(table)
    if home == CORE:
        return CORE
    named = [one for one in plugins if table.startswith(f"{one}_")]
    if named:
        return max(named, key=len)
    return CORE if home is None and table in Model.metadata.tables else None
