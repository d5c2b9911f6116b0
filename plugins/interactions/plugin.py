"""Cross-team notes: written once, seen by every team that should."""

from core import hookimpl
from plugins.interactions import demo as demo_part
from plugins.interactions import kinds, panels
from plugins.interactions.follow_ups import api as follow_up_api
from plugins.interactions.follow_ups import exports, record, telling
from plugins.interactions.follow_ups import panels as follow_up_panels
from plugins.interactions.hand_overs import panels as hand_over_panels
from plugins.interactions.hand_overs import record as hand_over_record
from plugins.interactions.hand_overs import telling as hand_over_telling
from plugins.interactions.hand_overs import views as hand_over_views


@hookimpl
def register_blueprints():
    return [hand_over_views.bp, follow_up_api.bp]


@hookimpl
def register_records():
    return [record.RECORD, hand_over_record.RECORD]


@hookimpl
def register_subscribers():
    return [*telling.SUBSCRIBERS, *hand_over_telling.SUBSCRIBERS]


@hookimpl
def register_jobs():
    return telling.JOBS


@hookimpl
def register_notifications():
    return [*telling.KINDS, *hand_over_telling.KINDS]


@hookimpl
def register_imports():
    return [exports.KIND]


@hookimpl
def register_interaction_kinds():
    return kinds.KINDS


@hookimpl
def menu_items(user):
    return [*panels.menu(user), *follow_up_panels.menu(user)]


@hookimpl
def record_panels(record, user):
    return panels.for_record(record, user)


@hookimpl
def record_actions(record, user):
    return [
        *panels.actions(record, user),
        *follow_up_panels.actions(record, user),
        *hand_over_panels.actions(record, user),
    ]


@hookimpl
def palette_items(user):
    return panels.palette(user)


@hookimpl
def day_items(user):
    return [*panels.day(user), *follow_up_panels.day(user), *hand_over_panels.day(user)]


@hookimpl
def load_demo(demo):
    demo_part.load(demo)
