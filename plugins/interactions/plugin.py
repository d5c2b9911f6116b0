"""Cross-team notes: written once, seen by every team that should."""

from core import hookimpl
from plugins.interactions import demo as demo_part
from plugins.interactions import kinds, panels, subscribers, suggesting


@hookimpl
def register_blueprints():
    return [suggesting.bp]


@hookimpl
def register_interaction_kinds():
    return kinds.KINDS


@hookimpl
def register_subscribers():
    return subscribers.ALL


@hookimpl
def register_notifications():
    return subscribers.KINDS


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
