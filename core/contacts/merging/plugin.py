"""Merging contacts: the events of it, and what keeps it whole afterwards."""

from core import hookimpl
from core.contacts.merging import api, events, subscribers, views


@hookimpl
def register_blueprints():
    return [views.bp, api.bp]


@hookimpl
def register_event_types():
    return events.TYPES


@hookimpl
def register_subscribers():
    return subscribers.ALL


@hookimpl
def register_jobs():
    return subscribers.JOBS
