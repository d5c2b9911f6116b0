"""Cross-team notes: written once, seen by every team that should."""

from core import hookimpl
from plugins.interactions import changing, kinds, panels
from plugins.interactions import demo as demo_part
from plugins.interactions.meetings import (
    answering,
    api,
    events,
    feed_views,
    subscribers,
)
from plugins.interactions.meetings import views as meeting_views


@hookimpl
def register_blueprints():
    # One blueprint, with its pages in several modules.
    pages = [changing.bp, meeting_views.bp, answering.bp, feed_views.bp]
    return [*dict.fromkeys(pages), api.bp]


@hookimpl
def register_event_types():
    return events.TYPES


@hookimpl
def register_subscribers():
    return subscribers.ALL


@hookimpl
def register_notifications():
    return events.KINDS


@hookimpl
def register_interaction_kinds():
    return kinds.KINDS


@hookimpl
def menu_items(user):
    return panels.menu(user)


@hookimpl
def record_panels(record, user):
    return panels.for_record(record, user)


@hookimpl
def record_actions(record, user):
    return panels.actions(record, user)


@hookimpl
def palette_items(user):
    return panels.palette(user)


@hookimpl
def day_items(user):
    return panels.day(user)


@hookimpl
def load_demo(demo):
    demo_part.load(demo)
