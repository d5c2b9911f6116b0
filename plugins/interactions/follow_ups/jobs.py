"""Telling people that a follow-up is due."""

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from core.contacts.models import Contact
from core.db import db, now
from core.i18n import lazy_gettext as _l
from core.jobs import Job
from core.notifications.services import notify
from core.pages import NotificationKind
from plugins.interactions.follow_ups.models import FollowUp

DUE = NotificationKind("interactions.due", _l("A follow-up is due"), "alarm")
KINDS = [DUE]
# What one run tells of; the rest waits for the next minute.
MOST = 500


def tell_due() -> None:
    """Tell the owners of what is due, once for each moment it was put to.

    What came up while nobody was at work is told when somebody is again. Whoever may
    no longer see it is told nothing, and not asked about again.
    """
    alive = aliased(Contact)
    query = (
        sa.select(FollowUp)
        .join(alive, alive.id == FollowUp.contact_id)
        .where(
            FollowUp.told_at.is_(None),
            FollowUp.done_at.is_(None),
            FollowUp.trashed_at.is_(None),
            FollowUp.remind_at <= now(),
            alive.trashed_at.is_(None),
        )
        .order_by(FollowUp.remind_at)
        .limit(MOST)
    )
    found = db.session.scalars(query).all()
    for one in found:
        if one.owner is not None:
            notify(
                [one.owner],
                kind=DUE.name,
                record=one,
                text=_words(one),
                key=f"{DUE.name}:{one.id}:{one.remind_at.isoformat()}",
                deputies=True,
            )
    # Unrecorded: being told of it is no change of it.
    db.session.execute(
        sa.update(FollowUp)
        .where(FollowUp.id.in_([one.id for one in found]))
        .values(told_at=now(), updated_at=FollowUp.updated_at),
        execution_options={"unrecorded": True, "synchronize_session": False},
    )


def _words(follow_up: FollowUp) -> object:
    return _l(
        "%(name)s: %(what)s",
        name=follow_up.contact.name,
        what=follow_up.text[:200],
    )


JOBS = [Job("interactions.due", timedelta(minutes=1), tell_due)]
