"""Opening tickets, answering them, and moving them along."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, lazyload

from core.audiences import Audience, AudienceSpec, intern_audience, widens
from core.contacts.models import Contact
from core.db import db, now
from core.errors import Forbidden, Invalid, NotFound
from core.events import announce
from core.i18n import _
from core.interactions.models import Interaction
from core.interactions.opening import opening_of
from core.interactions.rules import gains_readers
from core.interactions.services import write_interaction
from core.interactions.taking_back import take_back_opening
from core.opening import opening_time, waits_for_outside
from core.readers import choose_audience
from core.users.models import User
from core.visibility import visible_to
from plugins.support.models import Message, Numbering, Ticket

STATES = ("open", "waiting", "solved", "closed")


def open_ticket(
    contact: Contact,
    *,
    author: User,
    subject: str,
    body: str,
    audience: AudienceSpec | None = None,
) -> Ticket:
    """Open a ticket about `contact` with its first message.

    A customer's own ticket is shared with their organisation; a colleague's is for
    their teams unless `audience` says otherwise. Raises `Invalid` without a subject
    or a message.
    """
    if not subject.strip():
        raise Invalid(errors={"subject": [_("Say in a few words what it is about.")]})
    spec = audience or choose_audience(author, None, contact=contact)
    ticket = Ticket(
        number=_next_number(),
        subject=subject,
        contact_id=contact.id,
        author_id=author.id,
        owner_id=author.id if author.kind == "staff" else None,
        audience=intern_audience(spec),
        asked_at=now(),
        opens_at=opening_of(author, spec, None),
    )
    db.session.add(ticket)
    db.session.flush()
    _say(ticket, author, body, spec)
    announce("support.ticket.opened", ticket, {"number": ticket.number})
    return ticket


def _next_number() -> int:
    """Give the next number; two tickets at once wait for each other here."""
    step = (
        sa.update(Numbering)
        .where(Numbering.id == 1)
        .values(last=Numbering.last + 1)
        .returning(Numbering.last)
    )
    number = db.session.scalar(step)
    if number is None:
        raise RuntimeError("the row of support_numbering is gone: migrate again")
    return number


def _say(ticket: Ticket, author: User, body: str, spec: AudienceSpec) -> Interaction:
    said = write_interaction(
        ticket.contact,
        author=author,
        body=body,
        kind="message",
        audience=spec,
        subject=f"#{ticket.number} {ticket.subject}"[:300],
        direction="in" if author.kind != "staff" else "out",
    )
    db.session.add(Message(interaction_id=said.id, ticket_id=ticket.id))
    db.session.flush()
    return said


def reply(ticket: Ticket, *, author: User, body: str) -> Interaction:
    """Answer so that the customer reads it; a customer's own words do the same.

    A ticket that was internal so far opens to the customer with this, its subject
    included.
    """
    if author.kind == "staff":
        spec = outside_of(ticket)
        _share(ticket, spec)
        _move(ticket, "waiting")
        ticket.asked_at = None
    else:
        spec = choose_audience(author, None)
        _move(ticket, "open")
        ticket.asked_at = ticket.asked_at or now()
    said = _say(ticket, author, body, spec)
    fact = {"by": author.kind, "entry": said.id}
    announce("support.ticket.answered", ticket, fact)
    return said


def state_for(user: User, ticket: Ticket) -> str:
    """Say in which state `user` sees a ticket: outside not yet as an answer left it."""
    if user.kind != "staff" and waits_for_outside(ticket):
        return ticket.opens_from_state or ticket.state
    return ticket.state


def in_state(user: User, state: str) -> sa.ColumnElement[bool]:
    """Say as SQL that `user` sees a ticket in `state`."""
    if user.kind == "staff":
        return Ticket.state == state
    waits = sa.and_(Ticket.opens_at > now(), Ticket.opens_from_state.is_not(None))
    return sa.case((waits, Ticket.opens_from_state), else_=Ticket.state) == state


def outside_of(ticket: Ticket) -> AudienceSpec:
    """Say who reads a reply on a ticket: its customer, or whom it is shared with."""
    readers = ticket.audience.spec.shared_with or frozenset({ticket.contact_id})
    return AudienceSpec("shared", shared_with=readers)


def add_note(
    ticket: Ticket, *, author: User, body: str, audience: AudienceSpec | None = None
) -> Interaction:
    """Write an internal note on a ticket; it never becomes a reply.

    Its readers are colleagues who may read the ticket, whose subject it carries.
    Raises `Forbidden` for people outside, `Invalid` for an audience with outsiders or
    one that the ticket itself is hidden from.
    """
    if author.kind != "staff":
        raise Forbidden
    spec = audience or choose_audience(author, None)
    if gains_readers(ticket.audience.spec, spec, author):
        if audience is not None:
            said = _("A note on a ticket is for those who read the ticket.")
            raise Invalid(errors={"audience": [said]})
        spec = ticket.audience.spec
    if spec.kind == "shared":
        said = _("An internal note is for colleagues. Use Reply to answer outside.")
        raise Invalid(errors={"audience": [said]})
    return _say(ticket, author, body, spec)


def _share(ticket: Ticket, spec: AudienceSpec) -> None:
    at = opening_time()
    if at is not None:
        # Also where they see the ticket already: what happens to it is no news yet.
        if not waits_for_outside(ticket):
            ticket.opens_from_id = ticket.audience_id
            ticket.opens_from_state = ticket.state
        ticket.opens_at = at
    if widens(ticket.audience.spec, spec):
        ticket.audience = intern_audience(spec)
        db.session.flush()
        announce("support.ticket.shared", ticket)


def take_back_reply(ticket: Ticket, entry: Interaction, *, actor: User) -> None:
    """Take a reply back before people outside see it; the ticket waits for one again.

    A ticket that it opened to them is for its former readers. Raises `NotFound` for
    what is not of the ticket, `Conflict` when it is too late.
    """
    if entry.id not in {one.interaction_id for one in _messages_of(ticket)}:
        raise NotFound
    take_back_opening(entry, actor=actor)
    others = [
        one.interaction
        for one in _messages_of(ticket)
        if one.interaction.trashed_at is None
    ]
    if waits_for_outside(ticket) and not any(waits_for_outside(o) for o in others):
        before = db.session.get(Audience, ticket.opens_from_id or 0)
        ticket.audience = before or ticket.audience
        ticket.opens_at = ticket.opens_from_id = ticket.opens_from_state = None
    shared = [one for one in others if one.audience.kind == "shared"]
    asked = None if shared else ticket.created_at
    for one in shared:
        from_us = one.author is not None and one.author.kind == "staff"
        asked = None if from_us else asked or one.occurred_at
    ticket.asked_at = asked
    if ticket.state == "waiting" and asked is not None:
        _move(ticket, "open")
    db.session.flush()


def _messages_of(ticket: Ticket) -> Sequence[Message]:
    query = sa.select(Message).where(Message.ticket_id == ticket.id)
    return db.session.scalars(query.order_by(Message.interaction_id)).unique().all()


def change_ticket(
    ticket: Ticket,
    *,
    actor: User,
    subject: str | None = None,
    state: str | None = None,
    owner: User | None = None,
) -> Ticket:
    """Change a ticket; a customer may only solve or re-open their own.

    Raises `Invalid` for an unknown state, `Forbidden` for what is not theirs to change.
    """
    if actor.kind != "staff":
        if subject is not None or owner is not None or state not in {"open", "solved"}:
            raise Forbidden
    elif subject is not None:
        ticket.subject = subject
    if owner is not None:
        if owner.kind != "staff":
            raise Invalid(errors={"owner": [_("Only a colleague can own a ticket.")]})
        ticket.owner_id = owner.id
    if state is not None:
        _move(ticket, state)
    db.session.flush()
    return ticket


def put_back_ticket(ticket: Ticket, values: Mapping[str, Any], actor: User) -> None:
    """Give a ticket former values again; one that was nobody's is so again."""
    if "owner_id" in values and values["owner_id"] is None and actor.kind == "staff":
        ticket.owner_id = None
    owner = values.get("owner_id")
    change_ticket(
        ticket,
        actor=actor,
        subject=values.get("subject"),
        state=values.get("state"),
        owner=db.session.get(User, owner) if owner else None,
    )


def _move(ticket: Ticket, state: str) -> None:
    if state not in STATES:
        said = _("A ticket is one of: %(states)s.", states=", ".join(STATES))
        raise Invalid(errors={"state": [said]})
    if state == ticket.state:
        return
    done = state in {"solved", "closed"}
    again = ticket.solved_at is not None and not done
    ticket.state = state
    ticket.solved_at = now() if done else None
    if done:
        ticket.reopened_at = ticket.asked_at = None
    elif again:
        ticket.reopened_at = now()


def thread(ticket: Ticket, user: User) -> Sequence[Interaction]:
    """Give what `user` may read of what was said on a ticket, oldest first."""
    query = (
        visible_to(user, Interaction)
        .join(Message, Message.interaction_id == Interaction.id)
        .where(Message.ticket_id == ticket.id)
        .order_by(Interaction.occurred_at, Interaction.id)
        # Of those who wrote, only the names are shown.
        .options(
            joinedload(Interaction.author).options(
                lazyload(User.roles), lazyload(User.teams)
            )
        )
    )
    return db.session.scalars(query).unique().all()


def first_words(tickets: Sequence[Ticket], user: User) -> dict[int, str]:
    """Give the first message of each ticket that `user` may read, by ticket id."""
    if not tickets:
        return {}
    visible = visible_to(user, Interaction).subquery()
    first = (
        sa.select(Message.ticket_id, sa.func.min(visible.c.id).label("first"))
        .join(visible, visible.c.id == Message.interaction_id)
        .where(Message.ticket_id.in_([one.id for one in tickets]))
        .group_by(Message.ticket_id)
        .subquery()
    )
    rows = db.session.execute(
        sa.select(first.c.ticket_id, Interaction.body).join(
            Interaction, Interaction.id == first.c.first
        )
    )
    return {row.ticket_id: row.body for row in rows}
