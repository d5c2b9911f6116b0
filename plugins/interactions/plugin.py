"""Cross-team notes: written once, seen by every team that should."""

from core import hookimpl
from plugins.interactions import changing, follow_views, kinds, panels, telling
from plugins.interactions import demo as demo_part


@hookimpl
def register_blueprints():
    # One blueprint, with its pages in several modules.
    return [*dict.fromkeys([changing.bp, follow_views.bp])]


@hookimpl
def register_interaction_kinds():
    return kinds.KINDS


@hookimpl
def register_subscribers():
    return telling.ALL


@hookimpl
def register_notifications():
    return telling.KINDS


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
