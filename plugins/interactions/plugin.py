"""Cross-team notes: written once, seen by every team that should."""

from core import hookimpl
from plugins.interactions import (
    answering,
    api,
    changing,
    dossier_views,
    events,
    kinds,
    looking,
    panels,
    reactions,
)
from plugins.interactions import demo as demo_part


@hookimpl
def register_blueprints():
    # One blueprint, with its pages in five modules.
    pages = [changing.bp, looking.bp, answering.bp, dossier_views.bp]
    return [*dict.fromkeys(pages), api.bp]


@hookimpl
def register_event_types():
    return [events.REACTED]


@hookimpl
def register_entry_parts():
    return [reactions.PART]


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
