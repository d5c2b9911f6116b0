"""Telling people that a follow-up became theirs, and moving it with its entry."""

import sqlalchemy as sa

from core.db import db
from core.events import Event, Subscriber
from core.i18n import lazy_gettext as _l
from core.interactions.models import Interaction
from core.notifications.services import notify
from core.pages import NotificationKind
from core.records import load_ref
from plugins.interactions.follow_ups.models import FollowUp
from plugins.interactions.follow_ups.services import move_with_entry
from plugins.interactions.hand_overs.reading import came_with_customer

HANDED = NotificationKind(
    "interactions.handed", _l("A follow-up became yours"), "arrow-right-circle"
)
KINDS = [HANDED]


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
    if event.type.endswith(".created") and _was_theirs(follow_up):
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


def _was_theirs(follow_up: FollowUp) -> bool:
    """Say whether it is the next one of what its owner had to do before."""
    if follow_up.previous_id is None:
        return False
    before = db.session.get(FollowUp, follow_up.previous_id)
    return before is not None and before.owner_id == follow_up.owner_id


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


ALL = [
    Subscriber(
        "interactions.follow_up_owner",
        ("interactions.follow_up.created", "interactions.follow_up.updated"),
        tell_new_owner,
        bulk=False,
    ),
    Subscriber("interactions.follow_up_moves", ("interaction.updated",), follow_entry),
]
