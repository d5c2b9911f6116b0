"""/admin: the pages of administration, one module for each of its parts."""

from core.admin.views import (
    blueprint,
    first_hour,
    house,
    kinds,
    machine,
    plugins,
    queue,
    roles,
    seeing,
    settings,
    start,
    teams,
    users,
)
from core.admin.views.blueprint import bp

__all__ = [
    "blueprint",
    "bp",
    "first_hour",
    "house",
    "kinds",
    "machine",
    "plugins",
    "queue",
    "roles",
    "seeing",
    "settings",
    "start",
    "teams",
    "users",
]
