"""Hand-overs going out."""

from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from core.contacts.models import Contact
from core.db import db
from core.imports import key_of
from core.users.models import User
from core.visibility import visible_to
from plugins.interactions.hand_overs.models import HandOver
from plugins.interactions.hand_overs.services import items_shown

TABLE = (
    "id", "contact", "contact_key", "giver", "receiver", "word", "items", "left",
    "created_at", "finished_at",
)  # fmt: skip


def rows_of_hand_overs(
    found: Sequence[HandOver], user: User
) -> Iterator[dict[str, object]]:
    """Give the rows of a page of hand-overs: who, to whom, and how much is left."""
    about = visible_to(user, Contact).where(
        Contact.id.in_({o.contact_id for o in found})
    )
    contacts = {one.id: one for one in db.session.scalars(about).unique()}
    people = {one for made in found for one in (made.giver_id, made.receiver_id)}
    named = sa.select(User.id, User.email).where(User.id.in_(people))
    names = {row.id: row.email for row in db.session.execute(named)}
    shown = items_shown(user, found)
    for made in found:
        contact = contacts.get(made.contact_id)
        items = [one.item for one in shown[made.id]]
        yield {
            "id": made.id,
            "contact": contact.name if contact else None,
            "contact_key": key_of(contact) if contact else None,
            "giver": names.get(made.giver_id or 0),
            "receiver": names.get(made.receiver_id or 0),
            "word": made.word,
            "items": len(items),
            "left": sum(one.acknowledged_at is None for one in items),
            "created_at": made.created_at,
            "finished_at": made.finished_at,
        }
