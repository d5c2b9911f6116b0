"""People and organisations, how they belong together, and the page that shows them."""

from core import hookimpl
from core.contacts import permissions


@hookimpl
def register_permissions():
    return [
        value
        for value in vars(permissions).values()
        if isinstance(value, permissions.Permission)
    ]
