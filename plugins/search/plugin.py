"""Full-text search over everything the reader may see."""

from core import hookimpl
from core.pages import Check
from plugins.search import (
    api,
    cli,
    engine,
    indexing,
    jobs,
    panels,
    permissions,
    subscribers,
    views,
)


@hookimpl
def init_app(app):
    engine.open_engine(app)


@hookimpl
def register_blueprints():
    return [views.bp, api.bp]


@hookimpl
def register_permissions():
    return [permissions.READ]


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
def register_commands():
    return [cli.search]


@hookimpl
def menu_items(user):
    return panels.menu(user)


@hookimpl
def palette_results(user, query):
    return panels.palette(user, query)
