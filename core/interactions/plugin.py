"""What was said and done with a contact: the shared record every team writes on."""

from core import hookimpl
from core.interactions import permissions


@hookimpl
def register_permissions():
    return [
        value
        for value in vars(permissions).values()
        if isinstance(value, permissions.Permission)
    ]
