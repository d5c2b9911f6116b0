"""What the administration shows: plugins and their health, the delivery queue."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from core.db import Model, db
from core.events import Delivery, Event
from core.plugin_manager import installed_plugins, plugin_names

if TYPE_CHECKING:
    from flask import Flask


@dataclass(frozen=True)
class PluginState:
    """An installed plugin: whether it is on, what it is for, how much it keeps."""

    name: str
    title: str
    on: bool
    tables: int
    waiting: int
    parked: int


@dataclass(frozen=True)
class Waiting:
    """A delivery that failed, with the event it is about."""

    delivery: Delivery
    event: Event


def plugin_states(app: "Flask") -> list[PluginState]:
    """Describe every installed plugin."""
    pm = app.extensions["rapport_pm"]
    on = plugin_names(app)
    counts = {
        row.subscriber: row
        for row in db.session.execute(
            sa.select(
                Delivery.subscriber,
                sa.func.count().filter(Delivery.parked_at.is_(None)).label("waiting"),
                sa.func.count(Delivery.parked_at).label("parked"),
            ).group_by(Delivery.subscriber)
        )
    }
    found = []
    for point in installed_plugins():
        name = point.name
        module = pm.get_plugin(name)
        mine = [row for key, row in counts.items() if key.partition(".")[0] == name]
        tables = [one for one in Model.metadata.tables if one.startswith(f"{name}_")]
        found.append(
            PluginState(
                name=name,
                title=(module.__doc__ or name).strip() if module else point.value,
                on=name in on,
                tables=len(tables),
                waiting=sum(row.waiting for row in mine),
                parked=sum(row.parked for row in mine),
            )
        )
    return found


def failing_deliveries(limit: int = 100) -> list[Waiting]:
    """List deliveries that failed at least once, parked ones first."""
    rows = db.session.execute(
        sa.select(Delivery, Event)
        .join(Event, Event.id == Delivery.event_id)
        .where(Delivery.attempts > 0)
        .order_by(Delivery.parked_at.is_(None), Delivery.id)
        .limit(limit)
    )
    return [Waiting(delivery, event) for delivery, event in rows]
