"""The installed plugins: version, health, what they keep and what waits for them."""

from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from core.admin.services.plugin_switching import newest_archive, runs_at_next_start
from core.db import Model, db
from core.events import Delivery
from core.plugin_manager import installed_plugins, plugin_names
from core.settings import schemas

if TYPE_CHECKING:
    from core.app import CRM

# Measures of hooks, if this installation takes them: `plugin_health(app)`.
OBSERVING = "core.observing"


@dataclass(frozen=True)
class Table:
    """A table of a plugin, and how many rows it has."""

    name: str
    rows: int


@dataclass(frozen=True)
class PluginState:
    """An installed plugin: whether it is on, how it is, how much it keeps.

    `health` has `calls`, `milliseconds`, `slowest` and `errors` where hooks are
    measured, else it is None.
    """

    name: str
    about: str
    version: str
    on: bool
    has_settings: bool
    waiting: int
    failing: int
    parked: int
    last_errors: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    health: Any = None
    # What the next start brings, and whether an archive waits to be put back.
    next_on: bool = True
    archived: bool = False

    @property
    def rows(self) -> int:
        """How many rows its tables have together."""
        return sum(one.rows for one in self.tables)

    @property
    def waits_for_restart(self) -> bool:
        """Say whether the next start changes what runs."""
        return self.on != self.next_on

    @property
    def removed(self) -> bool:
        """Say whether it was taken out, so that it can be put back."""
        return self.archived and not self.next_on and not self.tables

    @property
    def well(self) -> bool:
        """Say whether nothing of it fails now."""
        errors = getattr(self.health, "errors", None)
        return not (self.failing or self.parked or errors)


def plugin_states(app: "CRM") -> list[PluginState]:
    """Describe every installed plugin."""
    on = plugin_names(app)
    waiting = _deliveries()
    health = _health(app)
    return [
        _state(app, point, point.name in on, waiting, health)
        for point in installed_plugins()
    ]


def _state(
    app: "CRM",
    point: EntryPoint,
    on: bool,
    deliveries: dict[str, Any],
    health: dict[str, Any],
) -> PluginState:
    name = point.name
    module = app.extensions["rapport_pm"].get_plugin(name)
    mine = [row for key, row in deliveries.items() if _owner(key) == name]
    return PluginState(
        name=name,
        about=(module.__doc__ or "").strip().partition("\n")[0] if module else "",
        version=point.dist.version if point.dist else "",
        on=on,
        has_settings=name in schemas(),
        waiting=sum(row.waiting for row in mine),
        failing=sum(row.failing for row in mine),
        parked=sum(row.parked for row in mine),
        last_errors=_last_errors(name) if any(row.tried for row in mine) else [],
        tables=_tables(name),
        health=health.get(name),
        next_on=runs_at_next_start(app, name),
        archived=newest_archive(app, name) is not None,
    )


def _owner(subscriber: str) -> str:
    return subscriber.partition(".")[0]


def _deliveries() -> dict[str, Any]:
    here = Delivery.parked_at.is_(None)
    query = sa.select(
        Delivery.subscriber,
        sa.func.count().filter(here).label("waiting"),
        sa.func.count().filter(here, Delivery.attempts > 0).label("failing"),
        sa.func.count(Delivery.parked_at).label("parked"),
        sa.func.count().filter(Delivery.attempts > 0).label("tried"),
    ).group_by(Delivery.subscriber)
    return {row.subscriber: row for row in db.session.execute(query)}


def _last_errors(name: str, most: int = 3) -> list[str]:
    query = (
        sa.select(Delivery.error)
        .where(
            sa.or_(
                Delivery.subscriber == name,
                Delivery.subscriber.startswith(f"{name}.", autoescape=True),
            ),
            Delivery.error.is_not(None),
        )
        .order_by(Delivery.id.desc())
        .limit(50)
    )
    found = (one for one in db.session.scalars(query) if one)
    return list(dict.fromkeys(found))[:most]


def _tables(name: str) -> list[Table]:
    # What the database has: a plugin that was taken out is still known to this process.
    there = sa.inspect(db.session.connection()).get_table_names()
    names = [
        one
        for one in sorted(set(there) & set(Model.metadata.tables))
        if one.startswith(f"{name}_") and Model.metadata.tables[one].primary_key
    ]
    if not names:
        return []
    counts = [
        sa.select(sa.literal(one), sa.func.count()).select_from(sa.table(one))
        for one in names
    ]
    rows = db.session.execute(sa.union_all(*counts))
    return sorted((Table(*row) for row in rows), key=lambda one: one.name)


def _health(app: "CRM") -> dict[str, Any]:
    """Give what was measured of the plugins' hooks, where they are measured."""
    if find_spec(OBSERVING) is None:
        return {}
    found: dict[str, Any] = import_module(OBSERVING).plugin_health(app)
    return found
