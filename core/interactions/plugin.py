"""What was said and done with a contact: the shared record every team writes on."""

from core import hookimpl
from core.interactions import (
    api,
    events,
    imports,
    linked,
    permissions,
    search,
    subscribers,
)


@hookimpl
def register_blueprints():
    return [api.bp]


@hookimpl
def register_permissions():
    return [
        permissions.READ,
        permissions.WRITE,
        permissions.SHARE,
        permissions.MODERATE,
    ]


@hookimpl
def register_event_types():
    return [
        events.MENTIONED,
        events.WIDENED,
        events.NARROWED,
        events.OPENING,
        events.OPENED,
    ]


@hookimpl
def register_subscribers():
    return subscribers.ALL


@hookimpl
def register_records():
    return [search.RECORD]


@hookimpl
def register_entry_parts():
    return [linked.PART]


@hookimpl
def register_imports():
    return [imports.KIND]
