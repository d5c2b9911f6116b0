"""Bringing in files: the pages under /import, the commands, clearing up."""

from datetime import timedelta

from flask import current_app, url_for

from core import hookimpl
from core.i18n import lazy_gettext as _l
from core.importing import check_views, cli, keeping, run_views, views
from core.importing.running import import_kinds
from core.jobs import Job
from core.pages import MenuItem, PaletteItem
from core.permissions import Permission, can


def _permission() -> Permission | None:
    """Give the first permission to bring something in that the reader has."""
    kinds = import_kinds(current_app).values()
    return next((one.permission for one in kinds if can(one.permission)), None)


@hookimpl
def register_blueprints():
    return [views.bp]


@hookimpl
def register_settings():
    return keeping.ImportSettings


@hookimpl
def register_jobs():
    return [Job("imports.sweep", timedelta(days=1), keeping.forget_old)]


@hookimpl
def register_commands():
    return [cli.imports]


@hookimpl
def menu_items():
    permission = _permission()
    if permission is None:
        return []
    return [MenuItem(_l("Import"), "imports.index", permission, "upload", weight=90)]


@hookimpl
def palette_items():
    permission = _permission()
    if permission is None:
        return []
    title = _l("Bring in a file")
    return [PaletteItem(title, url_for("imports.index"), permission, "actions")]


# Their routes are on the blueprint of `views`.
ROOMS = (check_views, run_views)
