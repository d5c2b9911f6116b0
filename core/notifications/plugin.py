"""Notifications: a page, a bell, and the kinds that people can switch off."""

from datetime import timedelta

from core import hookimpl
from core.events import EventType, Subscriber
from core.i18n import lazy_gettext as _l
from core.jobs import Job
from core.notifications import (
    api,
    choosing,
    kinds,
    mailing,
    services,
    settings,
    unsubscribe_views,
    views,
)


@hookimpl
def register_blueprints():
    return [views.bp, unsubscribe_views.bp, api.bp]


@hookimpl
def register_settings():
    return settings.NotificationSettings


@hookimpl
def register_event_types():
    return [
        EventType(services.CHANGED, _l("Notifications changed")),
        EventType(choosing.DUE, _l("News to be mailed unless they are read")),
    ]


@hookimpl
def register_subscribers():
    return [Subscriber("notifications.mail", (choosing.DUE,), mailing.mail_unread)]


@hookimpl
def register_notifications():
    return kinds.KINDS


@hookimpl
def register_jobs():
    return [
        Job("notifications.sweep", timedelta(days=1), services.forget_old),
        Job("notifications.summary", timedelta(minutes=10), mailing.mail_summaries),
    ]
