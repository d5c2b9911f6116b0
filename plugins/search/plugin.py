"""Full-text search over everything the reader may see."""

from core import hookimpl
from core.pages import Check
from plugins.search import (
    api,
    cli,
    engine,
    health_views,
    indexing,
    jobs,
    panels,
    permissions,
    saved,
    saved_views,
    settings,
    subscribers,
    views,
)


@hookimpl
def init_app(app):
    engine.open_engine(app)


@hookimpl
def register_blueprints():
    # One blueprint for pages, in several modules.
    pages = [views.bp, saved_views.bp, health_views.bp]
    return [*dict.fromkeys(pages), api.bp]


@hookimpl
def register_permissions():
    return [permissions.READ, permissions.MANAGE]


@hookimpl
def register_settings():
    return settings.SearchSettings


@hookimpl
def register_subscribers():
    return subscribers.SUBSCRIBERS


@hookimpl
def register_jobs():
    return jobs.JOBS


@hookimpl
def register_checks():
    return [Check("search", indexing.what_is_wrong)]


@hookimpl
def register_notifications():
    return [saved.NEWS]


@hookimpl
def register_commands():
    return [cli.search]


@hookimpl
def menu_items(user):
    return panels.menu(user)


@hookimpl
def record_panels(record, user):
    return panels.related(record, user)


@hookimpl
def palette_items(user):
    return panels.places(user)


@hookimpl
def palette_results(user, query):
    return panels.palette(user, query)
