"""Outgoing mail: an outbox by events, sent by the worker."""

from core import hookimpl
from core.events import EventType
from core.i18n import lazy_gettext as _l
from core.mail import cli, jobs, permissions, services, settings, subscribers, views


@hookimpl
def register_blueprints():
    return [views.bp]


@hookimpl
def register_permissions():
    return [permissions.MANAGE]


@hookimpl
def register_settings():
    return settings.MailSettings


@hookimpl
def register_event_types():
    return [
        EventType(services.QUEUED, _l("Mail written down to be sent")),
        EventType(services.SENT_EVENT, _l("Mail sent")),
        EventType(services.REFUSED, _l("Mail not delivered")),
        EventType(services.CANCELLED_EVENT, _l("Mail taken back")),
    ]


@hookimpl
def register_subscribers():
    return subscribers.ALL


@hookimpl
def register_notifications():
    return subscribers.KINDS


@hookimpl
def register_jobs():
    return jobs.JOBS


@hookimpl
def register_checks():
    return jobs.CHECKS


@hookimpl
def register_commands():
    return [cli.mail]
