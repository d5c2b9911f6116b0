"""Cross-team notes: written once, seen by every team that should."""

from core import hookimpl
from plugins.interactions import (
    answering,
    changing,
    entry_api,
    events,
    kinds,
    linking_views,
    looking,
    looking_api,
    panels,
    reactions,
    subscribers,
    suggesting,
)
from plugins.interactions import demo as demo_part
from plugins.interactions.dossiers import forgetting
from plugins.interactions.dossiers import making as dossiers
from plugins.interactions.dossiers import views as dossier_views
from plugins.interactions.follow_ups import api as follow_up_api
from plugins.interactions.follow_ups import asked_views, imports, jobs, record
from plugins.interactions.follow_ups import panels as follow_up_panels
from plugins.interactions.follow_ups import subscribers as follow_up_subscribers
from plugins.interactions.follow_ups import views as follow_up_views
from plugins.interactions.following import api as following_api
from plugins.interactions.following import views as following_views
from plugins.interactions.hand_overs import api as hand_over_api
from plugins.interactions.hand_overs import imports as hand_over_imports
from plugins.interactions.hand_overs import jobs as hand_over_jobs
from plugins.interactions.hand_overs import panels as hand_over_panels
from plugins.interactions.hand_overs import record as hand_over_record
from plugins.interactions.hand_overs import subscribers as hand_over_subscribers
from plugins.interactions.hand_overs import views as hand_over_views
from plugins.interactions.meetings import answering as meeting_answering
from plugins.interactions.meetings import api as meeting_api
from plugins.interactions.meetings import events as meeting_events
from plugins.interactions.meetings import feed_views, moving
from plugins.interactions.meetings import subscribers as meeting_subscribers
from plugins.interactions.meetings import views as meeting_views


@hookimpl
def register_blueprints():
    # One blueprint for pages and one for programs, each in several modules.
    pages = [
        changing.bp,
        looking.bp,
        answering.bp,
        dossier_views.bp,
        suggesting.bp,
        linking_views.bp,
        following_views.bp,
        meeting_views.bp,
        meeting_answering.bp,
        feed_views.bp,
        follow_up_views.bp,
        asked_views.bp,
        hand_over_views.bp,
    ]
    programs = [
        meeting_api.bp,
        follow_up_api.bp,
        hand_over_api.bp,
        entry_api.bp,
        looking_api.bp,
        following_api.bp,
    ]
    return [*dict.fromkeys(pages), *dict.fromkeys(programs)]


@hookimpl
def register_event_types():
    return [*events.ALL, dossiers.ASKED, *meeting_events.TYPES]


@hookimpl
def register_entry_parts():
    return [reactions.PART]


@hookimpl
def refuse_entry_change(entry, user, changes):
    return moving.why_not(entry, user, changes)


@hookimpl
def register_records():
    return [record.RECORD, hand_over_record.RECORD]


@hookimpl
def register_jobs():
    return [*jobs.JOBS, *hand_over_jobs.JOBS, *forgetting.JOBS]


@hookimpl
def register_imports():
    return [imports.KIND, hand_over_imports.KIND]


@hookimpl
def register_interaction_kinds():
    return kinds.KINDS


@hookimpl
def register_subscribers():
    return [
        *subscribers.ALL,
        *follow_up_subscribers.ALL,
        *hand_over_subscribers.ALL,
        *meeting_subscribers.ALL,
        *dossiers.SUBSCRIBERS,
        *forgetting.SUBSCRIBERS,
    ]


@hookimpl
def register_notifications():
    return [
        *subscribers.KINDS,
        *jobs.KINDS,
        *follow_up_subscribers.KINDS,
        *hand_over_subscribers.KINDS,
        *meeting_events.KINDS,
        dossiers.READY,
    ]


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
