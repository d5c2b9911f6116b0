"""Accounts, teams, roles, sign-in and API tokens."""

from datetime import timedelta

from core import hookimpl
from core.events import EventType
from core.i18n import lazy_gettext as _l
from core.idempotency import forget_old_answers
from core.jobs import Job
from core.users import api, cli, imports, keys_views, sessions, views


@hookimpl
def register_blueprints():
    return [views.bp, keys_views.bp, api.bp]


@hookimpl
def register_event_types():
    return [EventType("user.disabled", _l("Account closed"))]


@hookimpl
def register_jobs():
    return [
        Job("users.sweep", timedelta(hours=1), sessions.forget_old_sign_ins),
        Job("core.idempotency", timedelta(hours=1), forget_old_answers),
    ]


@hookimpl
def register_commands():
    return [cli.user, cli.token]


@hookimpl
def register_imports():
    return imports.KINDS
