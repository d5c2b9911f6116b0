"""Undo: Recent changes under /me."""

from core import hookimpl
from core.undo import views


@hookimpl
def register_blueprints():
    return [views.bp]
