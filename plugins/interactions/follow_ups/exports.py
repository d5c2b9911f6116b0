"""Follow-ups going out."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from core.contacts.models import Contact
from core.db import Record, db
from core.imports import key_of
from core.interactions.models import Interaction
from core.users.models import User
from core.visibility import visible_to
from plugins.interactions.follow_ups.models import FollowUp

TABLE = (
    "id", "text", "contact", "contact_key", "interaction_key", "owner", "author",
    "due_at", "after_minutes", "snoozed_until", "remind_at", "done_at", "repeat",
    "previous_key",
)  # fmt: skip
_SAME = ("id", "text", "due_at", "after_minutes", "snoozed_until", "remind_at")


def rows_of_follow_ups(
    found: Sequence[FollowUp], user: User
) -> Iterator[dict[str, object]]:
    """Give the rows of a page of follow-ups; other records stand there by their keys.

    What `user` may not see is not named.
    """
    contacts = _seen(Contact, {one.contact_id for one in found}, user)
    entries = _seen(Interaction, {one.interaction_id or 0 for one in found}, user)
    before = _seen(FollowUp, {one.previous_id or 0 for one in found}, user)
    people = {id_ for one in found for id_ in (one.owner_id, one.author_id) if id_}
    query = sa.select(User.id, User.email).where(User.id.in_(people))
    mails = {row.id: row.email for row in db.session.execute(query)}
    for one in found:
        contact = contacts.get(one.contact_id)
        row: dict[str, object] = {name: getattr(one, name) for name in _SAME}
        yield row | {
            "contact": contact.name if contact else None,
            "contact_key": key_of(contact) if contact else None,
            "interaction_key": _key(entries, one.interaction_id),
            "owner": mails.get(one.owner_id or 0),
            "author": mails.get(one.author_id or 0),
            "done_at": one.done_at,
            "repeat": f"{one.repeat_every} {one.repeat_unit}" * bool(one.repeat_every),
            "previous_key": _key(before, one.previous_id),
        }


def _seen(model: Any, ids: Collection[int], user: User) -> dict[int, Any]:
    query = visible_to(user, model).where(model.id.in_(ids))
    return {one.id: one for one in db.session.scalars(query).unique()}


def _key(found: dict[int, Record], number: int | None) -> str | None:
    record = found.get(number or 0)
    return key_of(record) if record else None
