"""Presence: who else has a contact or a ticket open, and who is writing."""

from datetime import timedelta

from core import hookimpl
from core.events import EventType
from core.i18n import lazy_gettext as _l
from core.jobs import Job
from core.presence import services, views


@hookimpl
def register_blueprints():
    return [views.bp]


@hookimpl
def register_event_types():
    return [EventType(services.CHANGED, _l("Somebody came to a record or left it"))]


@hookimpl
def register_jobs():
    return [Job("presence.sweep", timedelta(minutes=30), services.forget_old)]


@hookimpl
def init_app(app):
    app.jinja_env.globals.update(presence_hidden=services.is_hidden)
