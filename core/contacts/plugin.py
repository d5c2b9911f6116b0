"""People and organisations, how they belong together, and the page that shows them."""

from core import hookimpl
from core.contacts import (
    api,
    events,
    imports,
    panels,
    permissions,
    rail,
    saved_views,
    search,
    settings,
    subscribers,
)
from core.contacts.erasing import again
from core.contacts.erasing import api as erasing_api
from core.contacts.erasing import views as erasing_views
from core.parts import draw
from core.permissions import Permission


@hookimpl
def init_app(app):
    app.jinja_env.globals["draw_part"] = draw


@hookimpl
def register_blueprints():
    return [saved_views.bp, api.bp, erasing_views.bp, erasing_api.bp]


@hookimpl
def register_permissions():
    return [one for one in vars(permissions).values() if isinstance(one, Permission)]


@hookimpl
def register_settings():
    return settings.ContactSettings


@hookimpl
def register_event_types():
    return events.TYPES


@hookimpl
def register_subscribers():
    return subscribers.ALL


@hookimpl
def register_jobs():
    return again.JOBS


@hookimpl
def register_notifications():
    return subscribers.KINDS


@hookimpl
def register_records():
    return [search.RECORD]


@hookimpl
def register_imports():
    return [imports.KIND]


@hookimpl
def menu_items(user):
    return panels.menu(user)


@hookimpl
def record_panels(record, user):
    return panels.for_record(record, user)


@hookimpl
def palette_items(user):
    return panels.palette(user)


@hookimpl
def palette_results(user, query):
    return rail.palette_lines(user, query)


@hookimpl
def day_items(user):
    return panels.day(user)
