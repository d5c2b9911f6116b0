"""Administration: users, roles, settings, plugins, deliveries, the first hour."""

from flask import url_for

from core import hookimpl
from core.admin import leaving_views, permissions, private_views, styleguide, views
from core.admin.services import plugin_switching, private, queue
from core.events import EventType
from core.i18n import lazy_gettext as _l
from core.pages import MenuItem, PaletteItem
from core.permissions import can
from core.settings import CHANGED


@hookimpl
def init_app(app):
    app.extensions["rapport_landing"] = views.first_hour.landing


@hookimpl
def register_permissions():
    return [permissions.SYSTEM, permissions.USERS, permissions.SETTINGS]


@hookimpl
def register_blueprints():
    return [views.bp, leaving_views.bp, private_views.bp, styleguide.bp]


@hookimpl
def register_event_types():
    return [
        EventType(CHANGED, _l("Setting changed")),
        EventType(queue.GIVEN_UP, _l("Delivery given up")),
        EventType(queue.RUN_ASKED, _l("Job asked for")),
        EventType("user.signed_out", _l("Signed out by an administrator")),
        EventType("user.token_revoked", _l("Token revoked by an administrator")),
        EventType(plugin_switching.SWITCHED, _l("Plugin switched off or on")),
        EventType(plugin_switching.TAKEN_OUT, _l("Plugin removed")),
        EventType(plugin_switching.RETURNED, _l("Plugin put back")),
        EventType(private.OPENED, _l("Private entry opened by an administrator")),
    ]


@hookimpl
def register_notifications():
    return [private.TOLD]


@hookimpl
def menu_items():
    first = next((one for one in views.blueprint.DOORS if can(one[0])), None)
    if first is None:
        return []
    permission, endpoint = first
    return [MenuItem(_l("Administration"), endpoint, permission, "sliders", weight=95)]


@hookimpl
def palette_items():
    guide = url_for("styleguide.show")
    return [
        PaletteItem(_l("Style guide"), guide, permissions.SYSTEM, "places"),
        *_places(),
    ]


def _places() -> list[PaletteItem]:
    return [
        PaletteItem(title, url, permission, "places")
        for permission in (permissions.SYSTEM, permissions.USERS, permissions.SETTINGS)
        if can(permission)
        for title, url in views.blueprint.places(permission)
    ]


@hookimpl
def day_items():
    return views.first_hour.day_block()
