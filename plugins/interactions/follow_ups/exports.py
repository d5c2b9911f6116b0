"""Follow-ups going out."""

from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from core.contacts.models import Contact
from core.db import db
from core.i18n import lazy_gettext as _l
from core.imports import Export, ImportKind
from core.interactions.permissions import READ
from core.users.models import User
from plugins.interactions.follow_ups.models import FollowUp
from plugins.interactions.follow_ups.schemas import FollowUpSchema

_TABLE = (
    "id", "text", "contact", "interaction", "owner", "due_at", "remind_at", "done_at",
    "repeat",
)  # fmt: skip


def rows_of_follow_ups(
    found: Sequence[FollowUp], user: User
) -> Iterator[dict[str, object]]:
    """Give the rows of a page of follow-ups, with the names of whom they concern."""
    del user
    contacts = _names(Contact, {one.contact_id for one in found})
    owners = _names(User, {one.owner_id for one in found if one.owner_id})
    for one in found:
        every = one.repeat_every
        yield {
            "id": one.id,
            "text": one.text,
            "contact": contacts.get(one.contact_id),
            "interaction": one.interaction_id,
            "owner": owners.get(one.owner_id or 0),
            "due_at": one.due_at,
            "remind_at": one.remind_at,
            "done_at": one.done_at,
            "repeat": f"{every} {one.repeat_unit}" if every else "",
        }


def _names(model: type[Contact] | type[User], ids: set[int]) -> dict[int, str]:
    query = sa.select(model.id, model.name).where(model.id.in_(ids))
    with db.read_only() as session:
        return {row.id: row.name for row in session.execute(query)}


KIND = ImportKind(
    name="follow-ups",
    title=_l("Follow-ups"),
    schema=FollowUpSchema,
    bring=None,
    permission=READ,
    export=Export(FollowUp, rows_of_follow_ups, _TABLE),
)
