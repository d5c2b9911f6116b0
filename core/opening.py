"""Waiting before people outside see something: `core.visibility` asks here.

A record that was opened to them carries from when on they see it, so the clock alone
opens it, whether a worker runs or not; until then it can be taken back.
"""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import g, has_request_context

from core import settings
from core.audiences import Audience
from core.db import Record, db, now
from core.interactions.models import Interaction


def opening_time() -> datetime | None:
    """Give when what is opened now is seen outside; None is at once.

    Only what somebody opens on a page waits, for the setting `mail.portal_hold_seconds`:
    a program, an import or a command has no Undo to press.
    """
    if not has_request_context() or g.get("by_token"):
        return None
    wait = settings.get("mail")["portal_hold_seconds"]
    return now() + timedelta(seconds=wait) if wait else None


def waits_for_outside(record: Record) -> bool:
    """Say whether people outside, to whom `record` was opened, do not see it yet.

    What is attached to an entry waits with it.
    """
    opens_at: datetime | None = getattr(record, "opens_at", None)
    if opens_at is not None and opens_at > now():
        return True
    entry_id = getattr(record, "interaction_id", None)
    if entry_id is None or record.readers != "audience":
        return False
    with db.session.no_autoflush:
        entry = db.session.get(Interaction, entry_id)
    return entry is not None and waits_for_outside(entry)


def audience_by_now(record: Any) -> Audience | None:
    """Give who finds a record by now; None is colleagues alone.

    Who could read it before it was opened to more goes on finding it.
    """
    audience: Audience = record.audience
    if audience.kind != "shared" or not waits_for_outside(record):
        return audience
    before_id: int | None = getattr(record, "opens_from_id", None)
    before = db.session.get(Audience, before_id) if before_id else None
    return before if before is not None and before.kind == "shared" else None


def is_open(model: Any, opened: sa.Select[int]) -> sa.ColumnElement[bool]:
    """Say as SQL that a row opens by now, or was for an audience of `opened` before."""
    return sa.or_(
        model.opens_at.is_(None),
        model.opens_at <= now(),
        model.opens_from_id.in_(opened),
    )
