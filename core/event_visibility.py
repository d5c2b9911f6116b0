"""Who learns of what happened: the truth of `core.visibility`, for events.

An event may outlive its record, or tell of one that its reader lost since, so it
carries who may learn of it from the moment it is written.
"""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.audiences import Audience
from core.cursors import MOST, between
from core.db import Record
from core.events import Event, EventScope
from core.interactions.models import Interaction
from core.opening import waits_for_outside
from core.permissions import can
from core.records import record_types
from core.sight import told
from core.statements import Prepared, prepared
from core.users.models import User
from core.visibility import (
    CUSTOMERS_AUDIENCE,
    STAFF_AUDIENCE,
    contact_id_of,
    open_contacts,
    opened_to,
    within,
)


def scope_of(session: Session, record: Record) -> EventScope:
    """Say who may learn of an event about `record`; written on the event itself.

    No audience means: colleagues, and the portal users of the contact.
    """
    contact = contact_id_of(record)
    if waits_for_outside(record):
        # What may still be taken back is no news outside; when it is open, they are
        # told that it is.
        return EventScope(contact, STAFF_AUDIENCE)
    if record.readers == "entry":
        entry = getattr(record, "interaction_id", None)
        return EventScope(contact, _audience_inside(session, entry))
    if record.readers == "audience":
        # `readers` says that it has one, which its type does not know.
        return EventScope(contact, record.audience_id)  # type: ignore[attr-defined]
    if record.readers == "customers":
        return EventScope(contact, CUSTOMERS_AUDIENCE)
    if record.readers == "shared" and contact is not None:
        return EventScope(contact, None)
    return EventScope(contact, STAFF_AUDIENCE)


def _audience_inside(session: Session, interaction_id: int | None) -> int:
    """Give who inside the house learns of what hangs on an entry."""
    if interaction_id is None:
        return STAFF_AUDIENCE
    inside = sa.case((Audience.kind == "shared", STAFF_AUDIENCE), else_=Audience.id)
    query = sa.select(inside).join(Interaction, Interaction.audience_id == Audience.id)
    with session.no_autoflush:
        found = session.scalars(query.where(Interaction.id == interaction_id))
        # Fails where there is none: an event without an audience is for everybody.
        return int(found.one())


def visible_events(user: User) -> sa.Select[Event]:
    """Select the events `user` may learn of, deleted records' included.

    Those about records of a type they may not read are left out.
    """
    return _visible(user, _shut_to(user))


def learned(user: User, *, limit: int = MOST) -> Prepared:
    """Prepare reading the events `user` may learn of, for `core.cursors.events_after`.

    Every open page asks after each change, so it is put together once for all.
    """
    return prepared(user, _learned, _shut_to(user), limit)


def _learned(user: User, shut: tuple[str, ...], limit: int) -> sa.Select[Event]:
    return between(_visible(user, shut), limit=limit)


def _shut_to(user: User) -> tuple[str, ...]:
    """Name the types of records that `user` may not read."""
    return tuple(k.name for k in record_types().values() if not can(k.permission, user))


def _visible(user: User, shut: tuple[str, ...]) -> sa.Select[Event]:
    opened = Event.audience_id.in_(opened_to(user))
    # As they are named by `core.presence` too.
    beginnings = [f"{prefix}{name}/" for name in shut for prefix in ("", "here.")]
    query = sa.select(Event).where(
        *(~Event.subject.startswith(one, autoescape=True) for one in beginnings)
    )
    if user.kind != "staff":
        own = sa.and_(
            Event.audience_id.is_(None), Event.contact_id.in_(open_contacts(user))
        )
        # A private audience opens to colleagues by its label; people outside have no
        # label of their own, and one thing that only they are told of: their bell.
        bell = sa.and_(
            Event.subject == user.ref, Event.type.startswith("notification.")
        )
        # Who of the house looks at what is no news for them, whatever it is.
        query = query.where(~Event.subject.startswith("here."))
        return query.where(sa.or_(opened, own, bell))
    anybody = sa.or_(
        opened, Event.audience_id.is_(None), Event.actor_id == told("me", user.id)
    )
    query = query.where(anybody)
    inside = within(user, Event.contact_id)
    if inside is not None:
        query = query.where(sa.or_(Event.contact_id.is_(None), inside))
    return query
