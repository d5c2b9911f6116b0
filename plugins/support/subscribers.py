"""Telling people of their tickets: that one became theirs, that one was answered."""

import sqlalchemy as sa

from core.db import db
from core.events import Event, Subscriber, announce
from core.i18n import lazy_gettext as _l
from core.interactions.models import Interaction
from core.notifications.services import notify
from core.opening import waits_for_outside
from core.pages import NotificationKind
from core.records import load_ref
from core.users.models import User
from plugins.support.models import Message, Ticket

ASSIGNED = NotificationKind(
    "support.assigned", _l("A ticket became yours"), "life-preserver"
)
ANSWERED = NotificationKind(
    "support.answered",
    _l("An answer on a ticket of yours"),
    "chat-dots",
    ("staff", "customer", "vendor"),
)
KINDS = [ASSIGNED, ANSWERED]


def tell_owner(event: Event) -> None:
    """Tell a colleague that somebody else gave them a ticket."""
    ticket = load_ref(event.subject)
    if "owner_id" not in event.data.get("fields", []):
        return
    if not isinstance(ticket, Ticket) or ticket.owner is None or not event.actor_id:
        return
    notify(
        [ticket.owner],
        kind=ASSIGNED.name,
        record=ticket,
        text=_l(
            "Yours now: #%(number)d %(subject)s",
            number=ticket.number,
            subject=ticket.subject,
        ),
        key=f"{ASSIGNED.name}:{event.id}",
        by=event.actor_id,
        deputies=True,
    )


def tell_of_answer(event: Event) -> None:
    """Tell the owner what the customer answered, and the customer what we did."""
    ticket = load_ref(event.subject)
    if not isinstance(ticket, Ticket):
        return
    outside = event.data.get("by") != "staff"
    entry = db.session.get(Interaction, event.data.get("entry", 0))
    if not outside and entry is not None:
        if waits_for_outside(entry):
            return  # `tell_of_open_answer` tells of it when they see it.
        if entry.trashed_at is not None or entry.audience.kind != "shared":
            return  # It was taken back.
    _tell(ticket, event, event.data.get("entry"), outside=outside)


def tell_of_open_answer(event: Event) -> None:
    """Tell the customer what we answered, once they see it, and open pages of it."""
    entry = load_ref(event.subject)
    query = sa.select(Ticket).join(Message, Message.ticket_id == Ticket.id)
    if not isinstance(entry, Interaction) or entry.trashed_at is not None:
        return
    found = db.session.scalars(query.where(Message.interaction_id == entry.id))
    ticket = found.unique().one_or_none()
    if ticket is None:
        return
    announce("support.ticket.shared", ticket)
    _tell(ticket, event, entry.id, outside=False, by=entry.author_id)


def _tell(
    ticket: Ticket,
    event: Event,
    entry: int | None,
    *,
    outside: bool,
    by: int | None = None,
) -> None:
    reader = db.session.get(User, ticket.author_id) if ticket.author_id else None
    if outside:
        reader = ticket.owner
    if reader is None or (reader.kind == "staff") != outside:
        return
    words = {"number": ticket.number, "subject": ticket.subject}
    from_customer = _l(
        "%(name)s answered: #%(number)d %(subject)s",
        name=ticket.contact.name,
        **words,
    )
    from_us = _l("You have an answer: #%(number)d %(subject)s", **words)
    notify(
        [reader],
        kind=ANSWERED.name,
        record=ticket,
        text=from_customer if outside else from_us,
        # Who is told of the entry for another reason too is told of it once.
        key=f"interaction:{entry or f'ticket-{event.id}'}",
        by=by or event.actor_id,
        deputies=True,
    )


ALL = [
    Subscriber("support.owner", ("support.ticket.updated",), tell_owner),
    Subscriber("support.opening", ("interaction.opened",), tell_of_open_answer),
    Subscriber("support.answer", ("support.ticket.answered",), tell_of_answer),
]
