"""Which tickets somebody is unhappy with, and why: late, opened again, or too old."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from core import settings
from core.db import now
from core.i18n import _, ngettext
from plugins.support.models import Ticket

UNSOLVED = ("open", "waiting")


def _late_before() -> datetime:
    return now() - timedelta(hours=int(settings.get("support")["answer_hours"]))


def _old_before() -> datetime:
    return now() - timedelta(days=int(settings.get("support")["unsolved_days"]))


def is_unhappy() -> sa.ColumnElement[bool]:
    """Say as SQL what `why_unhappy` says in words."""
    return sa.and_(
        Ticket.state.in_(UNSOLVED),
        sa.or_(
            Ticket.reopened_at.is_not(None),
            # Never NULL, by which PostgreSQL would order it first.
            sa.and_(Ticket.asked_at.is_not(None), Ticket.asked_at < _late_before()),
            sa.and_(Ticket.state == "open", Ticket.created_at < _old_before()),
        ),
    )


def why_unhappy(ticket: Ticket) -> str:
    """Say in words why somebody is unhappy with a ticket; '' when nobody is."""
    if ticket.state not in UNSOLVED:
        return ""
    if ticket.reopened_at is not None:
        return _("opened again after it was solved")
    if ticket.asked_at is not None and ticket.asked_at < _late_before():
        return _("waits for an answer for %(time)s", time=_since(ticket.asked_at))
    if ticket.state == "open" and ticket.created_at < _old_before():
        return _("not solved for %(time)s", time=_since(ticket.created_at))
    return ""


def _since(moment: datetime) -> str:
    hours = int((now() - moment).total_seconds() // 3600)
    if hours < 48:
        return ngettext("%(num)d hour", "%(num)d hours", hours)
    return ngettext("%(num)d day", "%(num)d days", hours // 24)
