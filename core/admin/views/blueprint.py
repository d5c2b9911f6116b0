"""The blueprint that all pages of administration share, and its tabs."""

from typing import Any

from flask import Blueprint, url_for

from core.admin.permissions import SETTINGS, SYSTEM, USERS
from core.i18n import _
from core.mail.permissions import MANAGE
from core.permissions import Permission, can

# Where each kind of administrator comes in.
DOORS = (
    (SYSTEM, "admin.index"),
    (USERS, "admin.list_users"),
    (SETTINGS, "admin.settings"),
)

bp = Blueprint("admin", __name__, url_prefix="/admin")


@bp.app_context_processor
def _tabs() -> dict[str, Any]:
    return {"admin_tabs": tabs}


def _pages() -> list[tuple[str, Permission, str, str]]:
    return [
        ("start", SYSTEM, _("Overview"), "admin.index"),
        ("users", USERS, _("Users"), "admin.list_users"),
        ("teams", USERS, _("Teams"), "admin.list_teams"),
        ("roles", USERS, _("Roles"), "admin.list_roles"),
        ("why", USERS, _("Who sees what"), "admin.why"),
        ("settings", SETTINGS, _("Settings"), "admin.settings"),
        ("plugins", SYSTEM, _("Plugins"), "admin.plugins"),
        ("deliveries", SYSTEM, _("Deliveries"), "admin.deliveries"),
        ("mail", MANAGE, _("Outgoing mail"), "mail.outbox"),
        ("jobs", SYSTEM, _("Jobs"), "admin.jobs"),
        ("system", SYSTEM, _("System"), "admin.system_page"),
    ]


def tabs(current: str) -> list[tuple[str, str, bool, None]]:
    """Give the tabs that the reader may open; `current` is the name of one."""
    return [
        (title, url_for(endpoint), name == current, None)
        for name, permission, title, endpoint in _pages()
        if can(permission)
    ]


def places(permission: Permission) -> list[tuple[str, str]]:
    """Give the pages that ask for `permission`, for Ctrl-K: title and address."""
    return [
        (_("Administration: %(page)s", page=title), url_for(endpoint))
        for _name, asked, title, endpoint in _pages()
        if asked == permission
    ]
