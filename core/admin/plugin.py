"""Administration: users, roles, plugins, deliveries."""

from core import hookimpl
from core.admin import permissions


@hookimpl
def register_permissions():
    return [permissions.SYSTEM, permissions.USERS]
