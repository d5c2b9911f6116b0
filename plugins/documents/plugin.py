"""Document management: versioned files kept with the contact they concern."""

from core import hookimpl
from plugins.documents import (
    api,
    attached,
    checks,
    events,
    form_views,
    jobs,
    panels,
    permissions,
    portal_views,
    search,
    settings,
    sharing_views,
    subscribers,
    views,
)
from plugins.documents import demo as demo_part


@hookimpl
def register_blueprints():
    # One blueprint, with its pages in four modules.
    pages = [views.bp, form_views.bp, sharing_views.bp, portal_views.bp]
    return [*dict.fromkeys(pages), api.bp]


@hookimpl
def register_permissions():
    return [permissions.READ, permissions.WRITE, permissions.SHARE]


@hookimpl
def register_settings():
    return settings.DocumentSettings


@hookimpl
def register_event_types():
    return events.ALL


@hookimpl
def register_subscribers():
    return subscribers.ALL


@hookimpl
def register_jobs():
    return jobs.ALL


@hookimpl
def register_records():
    return [search.RECORD]


@hookimpl
def register_entry_files():
    return [attached.FILES]


@hookimpl
def register_checks():
    return checks.ALL


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
def load_demo(demo):
    demo_part.load(demo)
