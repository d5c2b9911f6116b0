"""Accounts, teams, roles, sign-in and API tokens."""

from datetime import timedelta

from core import hookimpl
from core.events import EventType, Subscriber
from core.i18n import lazy_gettext as _l
from core.idempotency import forget_old_answers
from core.jobs import Job
from core.users import (
    api,
    cli,
    deputies,
    deputy_views,
    imports,
    keys_views,
    leaving,
    me_views,
    panels,
    password_views,
    passwords,
    permissions,
    sessions,
    viewing,
    viewing_views,
)


@hookimpl
def register_blueprints():
    return [
        me_views.bp,
        keys_views.bp,
        password_views.bp,
        deputy_views.bp,
        viewing_views.bp,
        api.bp,
    ]


@hookimpl
def register_permissions():
    return [permissions.VIEW_AS]


@hookimpl
def record_actions(record, user):
    return panels.actions(record, user)


@hookimpl
def register_event_types():
    left = leaving.LeftSchema
    return [
        EventType("user.disabled", _l("Account closed")),
        EventType("user.left", _l("Colleague left"), left),
        EventType("user.handing_over", _l("Work is changing hands"), left),
        EventType(viewing.STARTED, _l("A colleague looked at what they see")),
        EventType(passwords.ASKED, _l("Link for a forgotten password asked for")),
        EventType(passwords.CHANGED, _l("Password changed")),
    ]


@hookimpl
def register_subscribers():
    types = ("user.left", "user.handing_over")
    return [
        Subscriber("users.handover", types, leaving.go_on),
        Subscriber("users.passwords", (passwords.ASKED,), passwords.answer_request),
    ]


@hookimpl
def init_app(app):
    app.jinja_env.globals.update(
        absence_of=deputies.absence_of, deputies_named_by=deputies.deputies_named_by
    )


@hookimpl
def register_jobs():
    return [
        Job("users.sweep", timedelta(hours=1), sessions.forget_old_sign_ins),
        Job("users.links", timedelta(days=1), passwords.forget_old_requests),
        Job("core.idempotency", timedelta(hours=1), forget_old_answers),
    ]


@hookimpl
def register_commands():
    return [cli.user, cli.token]


@hookimpl
def register_imports():
    return imports.KINDS
