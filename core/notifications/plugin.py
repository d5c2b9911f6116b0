"""Notifications: a page, a bell, and the kinds that people can switch off."""

from datetime import timedelta

from core import hookimpl
from core.events import EventType
from core.i18n import lazy_gettext as _l
from core.jobs import Job
from core.notifications import api, kinds, services, views


@hookimpl
def register_blueprints():
    return [views.bp, api.bp]


@hookimpl
def register_event_types():
    return [EventType(services.CHANGED, _l("Notifications changed"))]


@hookimpl
def register_notifications():
    return kinds.KINDS


@hookimpl
def register_jobs():
    return [Job("notifications.sweep", timedelta(days=1), services.forget_old)]
