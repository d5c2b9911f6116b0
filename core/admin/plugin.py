"""Administration: users, roles, plugins, deliveries."""

from flask import url_for

from core import hookimpl
from core.admin import permissions, styleguide, views
from core.i18n import lazy_gettext as _l
from core.importing import cli as importing
from core.pages import MenuItem, PaletteItem


@hookimpl
def register_permissions():
    return [permissions.SYSTEM, permissions.USERS]


@hookimpl
def register_blueprints():
    return [views.bp, styleguide.bp]


@hookimpl
def menu_items():
    title = _l("Administration")
    return [MenuItem(title, "admin.index", permissions.SYSTEM, "sliders", weight=95)]


@hookimpl
def palette_items():
    guide = url_for("styleguide.show")
    return [PaletteItem(_l("Style guide"), guide, permissions.SYSTEM, "places")]


@hookimpl
def register_commands():
    return [importing.imports]
