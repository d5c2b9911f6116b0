"""Telling people that a follow-up is due, and that one became theirs."""

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from core.contacts.models import Contact
from core.db import db, now
from core.events import Event, Subscriber
from core.i18n import lazy_gettext as _l
from core.interactions.models import Interaction
from core.jobs import Job
from core.notifications.services import notify
from core.pages import NotificationKind
from core.records import load_ref
from plugins.interactions.follow_ups.models import FollowUp
from plugins.interactions.follow_ups.services import move_with_entry
from plugins.interactions.hand_overs.reading import came_with_customer

DUE = NotificationKind("interactions.due", _l("A follow-up is due"), "alarm")
HANDED = NotificationKind(
    "interactions.handed", _l("A follow-up became yours"), "arrow-right-circle"
)
KINDS = [DUE, HANDED]
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


def tell_new_owner(event: Event) -> None:
    """Tell a colleague of what somebody else planned for them or handed to them."""
    follow_up = load_ref(event.subject)
    if not isinstance(follow_up, FollowUp) or follow_up.owner is None:
        return
    if follow_up.done_at or follow_up.trashed_at:
        return
    theirs = follow_up.owner_id == _made_owner(event)
    if not theirs or event.actor_id in {None, follow_up.owner_id}:
        return
    if came_with_customer(follow_up):
        # They are told of the hand-over, which names it.
        return
    notify(
        [follow_up.owner],
        kind=HANDED.name,
        record=follow_up,
        text=_l(
            "Yours now: %(name)s, %(what)s",
            name=follow_up.contact.name,
            what=follow_up.text[:200],
        ),
        key=f"{HANDED.name}:{event.id}",
        by=event.actor_id,
        deputies=True,
    )


def _made_owner(event: Event) -> int | None:
    """Give whom an event made the owner; None where it did not change whose it is."""
    values = event.data.get("values", {}).get("owner_id")
    if event.type.endswith(".updated"):
        return values[1] if values else None
    # It may have changed hands since it was planned, of which another event tells.
    query = sa.select(Event.data).where(
        Event.subject == event.subject, Event.type == "interactions.follow_up.updated"
    )
    for data in db.session.scalars(query.order_by(Event.id)):
        if "owner_id" in data.get("values", {}):
            return int(data["values"]["owner_id"][0] or 0)
    follow_up = load_ref(event.subject)
    return follow_up.owner_id if isinstance(follow_up, FollowUp) else None


def follow_entry(event: Event) -> None:
    """Move what hangs on the time of an entry, when that was moved."""
    if "occurred_at" not in event.data.get("fields", []):
        return
    entry = load_ref(event.subject)
    if isinstance(entry, Interaction):
        move_with_entry(entry)


SUBSCRIBERS = [
    Subscriber(
        "interactions.follow_up_owner",
        ("interactions.follow_up.created", "interactions.follow_up.updated"),
        tell_new_owner,
        bulk=False,
    ),
    Subscriber("interactions.follow_up_moves", ("interaction.updated",), follow_entry),
]
JOBS = [Job("interactions.due", timedelta(minutes=1), tell_due)]
