"""Which follow-ups there are, for one reader."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased, contains_eager, joinedload, lazyload, load_only

from core.contacts.models import Contact
from core.contacts.services import in_these, rollup_of
from core.db import db
from core.schemas import Page, keyset_page
from core.statements import Prepared, prepared
from core.users.deputies import looked_after_by
from core.users.models import User
from core.visibility import visible_to
from plugins.interactions.follow_ups.models import FollowUp
from plugins.interactions.follow_ups.moments import midnight

# How many a contact's page and a block of "my day" show.
FEW = 5
MOST_OF_DAY = 10

_OWNER = joinedload(FollowUp.owner).options(
    load_only(User.name, User.kind), lazyload(User.roles), lazyload(User.teams)
)


@dataclass(frozen=True)
class OpenFollowUp:
    """A line of a contact's page."""

    id: int
    text: str
    remind_at: datetime
    owner: str


def listed(user: User) -> sa.Select[FollowUp]:
    """Select what `user` may see, each with its contact, which is not in the trash."""
    alive = aliased(Contact)
    return (
        visible_to(user, FollowUp)
        .join(alive, alive.id == FollowUp.contact_id)
        .where(alive.trashed_at.is_(None))
        .options(contains_eager(FollowUp.contact.of_type(alive)), _OWNER)
    )


def due_for(user: User, *, most: int = MOST_OF_DAY) -> Sequence[FollowUp]:
    """List what is due by tonight for `user` and those they stand in for."""
    query = listed(user).where(
        FollowUp.owner_id.in_(looked_after_by(user)),
        FollowUp.done_at.is_(None),
        FollowUp.remind_at < midnight(user),
    )
    query = query.order_by(FollowUp.remind_at, FollowUp.id).limit(most)
    return db.session.scalars(query).unique().all()


def count_due(user: User) -> Prepared:
    """Count how many there are, as far as a hundred."""
    counted = prepared(user, _count_due)
    return counted.told(
        follow_up_until=midnight(user), follow_up_owners=sorted(looked_after_by(user))
    )


def _count_due(user: User) -> sa.Select[Any]:
    owners: Any = sa.bindparam("follow_up_owners", expanding=True)
    alive = aliased(Contact)
    few = (
        visible_to(user, FollowUp)
        .join(alive, alive.id == FollowUp.contact_id)
        .where(
            alive.trashed_at.is_(None),
            FollowUp.owner_id.in_(owners),
            FollowUp.done_at.is_(None),
            FollowUp.remind_at
            < sa.bindparam("follow_up_until", type_=FollowUp.remind_at.type),
        )
        .with_only_columns(FollowUp.id)
        .limit(100)
    )
    return sa.select(sa.func.count()).select_from(few.subquery("due_follow_ups"))


def page_of_follow_ups(
    user: User,
    *,
    owners: Collection[int] | None = None,
    contact: int | None = None,
    entry: int | None = None,
    done: bool | None = False,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[FollowUp]:
    """Read a page of what `user` sees, what comes up first at the top.

    `done` gives what is done instead, the latest first, and None both.
    """
    query = listed(user)
    if owners is not None:
        query = query.where(FollowUp.owner_id.in_(owners))
    if contact is not None:
        query = query.where(FollowUp.contact_id == contact)
    if entry is not None:
        query = query.where(FollowUp.interaction_id == entry)
    if done is not None:
        open_ones = FollowUp.done_at.is_(None)
        query = query.where(~open_ones if done else open_ones)
    columns = [FollowUp.done_at if done else FollowUp.remind_at, FollowUp.id]
    return keyset_page(
        query, columns, cursor=cursor, limit=limit, descending=bool(done)
    )


def open_in_story(
    user: User, story: sa.Select[Any]
) -> sa.Select[int, str, datetime, str]:
    """Select what is open on the contacts of a `story`: see `rollup_of`.

    Gives id, text, moment and owner's name, as a part of a larger statement.
    """
    return (
        visible_to(user, FollowUp)
        .outerjoin(User, User.id == FollowUp.owner_id)
        .where(in_these(FollowUp.contact_id, story), FollowUp.done_at.is_(None))
        .with_only_columns(
            FollowUp.id, FollowUp.text, FollowUp.remind_at, User.name.label("owner")
        )
        .order_by(FollowUp.remind_at, FollowUp.id)
        .limit(FEW + 1)
    )


def open_on(user: User, contact: Contact) -> list[OpenFollowUp]:
    """List what is open on a contact and those of its story."""
    story = rollup_of(contact.kind, contact.id)
    rows = db.session.execute(open_in_story(user, story))
    return [shown_row(*one) for one in rows]


def shown_row(id_: int, text: str, remind_at: datetime, owner: str) -> OpenFollowUp:
    """Make a line of what `open_in_story` gave."""
    return OpenFollowUp(id_, text, remind_at, owner or "")
