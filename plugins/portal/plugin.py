"""The portal: customers check stock and order, vendors confirm."""

from flask import Blueprint
from marshmallow import Schema

from core import hookimpl
from core.demo import Demo
from core.events import EventType
from core.imports import ImportKind
from core.permissions import Permission
from core.records import RecordType
from plugins.portal import api, events, imports, permissions, search, settings
from plugins.portal import demo as demo_part


@hookimpl
def register_blueprints() -> list[Blueprint]:
    """Declare the API."""
    return [api.bp]


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
def register_records() -> list[RecordType]:
    """Declare products, orders and purchase orders as records."""
    return search.RECORDS


@hookimpl
def register_imports() -> list[ImportKind]:
    """Declare the kinds of files that can be brought in."""
    return imports.KINDS


@hookimpl
def load_demo(demo: Demo) -> None:
    """Load the trade of the demo company."""
    demo_part.load(demo)
