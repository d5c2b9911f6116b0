"""Support: tickets whose messages are interactions."""

from core import hookimpl
from plugins.support import (
    api,
    events,
    exports,
    panels,
    permissions,
    search,
    settings,
    subscribers,
    views,
)
from plugins.support import demo as demo_part


@hookimpl
def register_blueprints():
    return [views.bp, api.bp]


@hookimpl
def register_permissions():
    return [permissions.READ, permissions.WRITE]


@hookimpl
def register_settings():
    return settings.SupportSettings


@hookimpl
def register_event_types():
    return events.TYPES


@hookimpl
def register_subscribers():
    return subscribers.ALL


@hookimpl
def register_notifications():
    return subscribers.KINDS


@hookimpl
def register_records():
    return [search.RECORD]


@hookimpl
def register_imports():
    return [exports.KIND]


@hookimpl
def menu_items(user):
    return panels.menu(user)


@hookimpl
def record_panels(record, user):
    return panels.of_record(record, user)


@hookimpl
def record_actions(record, user):
    return panels.actions(record, user)


@hookimpl
def day_items(user):
    return panels.day(user)


@hookimpl
def open_records(contact, user):
    return panels.unsolved(contact, user)


@hookimpl
def palette_items(user):
    return panels.palette(user)


@hookimpl
def load_demo(demo):
    demo_part.load(demo)
