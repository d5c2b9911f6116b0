"""What core keeps for a plugin outside the plugin's own tables."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Flask
from sqlalchemy.engine import Connection

from core.db import Model, Record
from core.events import Delivery, Subscriber
from core.jobs import Job, JobRun
from core.migrate import Lineage, lineage_of
from core.permissions import Permission
from core.plugin_manager import PluginError, declared, plugin_names
from core.records import Link
from core.settings import Setting


@dataclass(frozen=True)
class Belongings:
    """A plugin's names, by which what core keeps for it is found."""

    plugin: str
    lineage: Lineage
    blueprints: tuple[str, ...]
    permissions: tuple[str, ...]
    subscribers: tuple[str, ...]
    jobs: tuple[str, ...]

    def tables(self, connection: Connection) -> list[str]:
        """Name its tables in the database, without that of its revision."""
        return [
            name
            for name in sorted(sa.inspect(connection).get_table_names())
            if self.lineage.owns(name) and name != self.lineage.version_table
        ]

    def records(self) -> list[type[Record]]:
        """List its record types' models."""
        return [
            mapper.class_
            for mapper in Model.registry.mappers
            if issubclass(mapper.class_, Record)
            and self.lineage.owns(str(mapper.local_table))
        ]

    def kept_by_core(self) -> Iterator[tuple[sa.Table, sa.ColumnElement[bool]]]:
        """Give the tables of core, and which rows in them are this plugin's."""
        yield table(Setting), Setting.key.startswith(f"{self.plugin}.", autoescape=True)
        yield table(JobRun), JobRun.name.in_(self.jobs)
        yield table(Delivery), Delivery.subscriber.in_(self.subscribers)
        refs = [f"{model.record_name()}/" for model in self.records()]
        sides = (Link.from_ref, Link.to_ref)
        found = [
            side.startswith(ref, autoescape=True) for side in sides for ref in refs
        ]
        yield table(Link), sa.or_(sa.false(), *found)


def table(model: Any) -> sa.Table:
    """Give the table of a model."""
    found: sa.Table = model.__table__
    return found


def belongings(app: Flask, name: str) -> Belongings:
    """Learn the names of a plugin; raises `PluginError` when it is not on."""
    if name not in plugin_names(app):
        raise PluginError(
            f"no plugin {name!r} is on here; there are: {', '.join(plugin_names(app))}"
        )

    def names(hook: str, kind: type) -> tuple[str, ...]:
        found = [one.name for who, one in declared(app, hook, kind) if who == name]
        return tuple(dict.fromkeys(found))

    return Belongings(
        plugin=name,
        lineage=lineage_of(app, name),
        blueprints=names("register_blueprints", Blueprint),
        permissions=names("register_permissions", Permission),
        subscribers=names("register_subscribers", Subscriber),
        jobs=names("register_jobs", Job),
    )
