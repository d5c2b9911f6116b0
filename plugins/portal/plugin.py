"""The portal: customers check stock and order, vendors confirm."""

from flask import Blueprint
from marshmallow import Schema

from core import hookimpl
from core.db import Record
from core.demo import Demo
from core.events import EventType, Subscriber
from core.imports import ImportKind
from core.pages import (
    Action,
    DayItem,
    MenuItem,
    NotificationKind,
    PaletteItem,
    Panel,
)
from core.permissions import Permission
from core.records import RecordType
from plugins.portal import (
    api,
    events,
    imports,
    panels,
    permissions,
    search,
    settings,
    subscribers,
    views,
)
from plugins.portal import demo as demo_part


@hookimpl
def register_blueprints() -> list[Blueprint]:
    """Declare the pages and the API."""
    return [views.bp, api.bp]


@hookimpl
def register_permissions() -> list[Permission]:
    """Declare what roles may allow."""
    return permissions.ALL


@hookimpl
def register_settings() -> type[Schema]:
    """Declare the settings."""
    return settings.PortalSettings


@hookimpl
def register_event_types() -> list[EventType]:
    """Declare the facts that are announced."""
    return events.ALL


@hookimpl
def register_subscribers() -> list[Subscriber]:
    """Declare who is told of orders."""
    return subscribers.ALL


@hookimpl
def register_notifications() -> list[NotificationKind]:
    """Declare what people are told of."""
    return subscribers.KINDS


@hookimpl
def register_records() -> list[RecordType]:
    """Declare products, orders and purchase orders as records."""
    return search.RECORDS


@hookimpl
def register_imports() -> list[ImportKind]:
    """Declare the kinds of files that can be brought in."""
    return imports.KINDS


@hookimpl
def menu_items(user) -> list[MenuItem]:
    """Add the lines of the house's menu, or of the portal's."""
    return panels.menu(user)


@hookimpl
def record_panels(record, user) -> list[Panel]:
    """Add a contact's orders and purchase orders to its page."""
    return panels.of_record(record, user)


@hookimpl
def record_actions(record, user) -> list[Action]:
    """Add what one can do with a customer or vendor."""
    return panels.actions(record, user)


@hookimpl
def open_records(contact, user) -> list[Record]:
    """Name a customer's open orders to whoever takes them over or writes about them."""
    return panels.open_of(contact, user)


@hookimpl
def day_items(user) -> list[DayItem]:
    """Add new orders and moved dates to "my day"."""
    return panels.day(user)


@hookimpl
def palette_items(user) -> list[PaletteItem]:
    """Add the pages to Ctrl-K."""
    return panels.palette(user)


@hookimpl
def load_demo(demo: Demo) -> None:
    """Load the trade of the demo company."""
    demo_part.load(demo)
