"""Reading what was said and done: the story of a contact, and of the whole house."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Unpack

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload, lazyload, load_only

from core.columns import UTCDateTime
from core.contacts.models import Contact
from core.contacts.services import in_story
from core.db import db, now
from core.interactions.filters import Wanted, conditions_of
from core.interactions.models import Interaction, InteractionContact, InteractionTag
from core.schemas import Page, keyset_page, page_of
from core.statements import prepared
from core.users.models import User
from core.visibility import visible_conditions, visible_to

# How many entries a page shows before "Older".
FIRST = 20

# Of an author a list needs the name, not what they may do.
_AUTHOR = joinedload(Interaction.author).options(
    load_only(User.name, User.kind), lazyload(User.roles), lazyload(User.teams)
)


def timeline(
    user: User,
    contact: Contact,
    *,
    cursor: str | None = None,
    limit: int = FIRST,
    replies: bool = True,
    pinned_first: bool = False,
    **wanted: Unpack[Wanted],
) -> Page[Interaction]:
    """Read the story of `contact` as `user` may know it, the latest first.

    An organisation's story is also that of its people and of the organisations below
    it. Without `replies` only what opens a conversation is given; with `pinned_first`
    pinned entries come before the others; `wanted` narrows it.
    """
    only = conditions_of(wanted)
    if not (cursor or only):
        first = prepared(user, _first_of_story, contact.kind, replies, pinned_first)
        rows = first.scalars(story_of=contact.id, most=limit + 1)
        columns = [Interaction.occurred_at, Interaction.id]
        return page_of(rows, [Interaction.pinned] * pinned_first + columns, limit)
    query, columns = _of_story(user, contact.kind, contact.id, replies, pinned_first)
    query = query.where(*only)
    return keyset_page(query, columns, cursor=cursor, limit=limit, descending=True)


def _of_story(
    user: User, kind: str, contact_id: Any, replies: bool, pinned_first: bool
) -> tuple[sa.Select[Interaction], list[Any]]:
    """Select the story of a contact of this `kind`; also give what orders it."""
    # The times of a story stand in one index beside its contact, and those that are
    # pinned in another, so its order costs nothing of the entries themselves.
    link, entry = InteractionContact, aliased(Interaction)
    at_top = sa.select(entry.id).where(entry.pinned_at.is_not(None))
    pinned = link.interaction_id.in_(at_top).label("pinned")
    latest_first: list[Any] = [link.occurred_at.desc(), link.interaction_id.desc()]
    story = (
        sa.select(link.interaction_id.label("id"), link.occurred_at, pinned)
        .where(in_story(link.contact_id, kind, contact_id))
        .distinct()
        # In order before the entries are read, so that a page reads no more of them.
        .order_by(*([pinned.desc()] * pinned_first), *latest_first)
        .subquery("story")
    )
    query = _listed(user).join(story, story.c.id == Interaction.id)
    if not replies:
        query = query.where(Interaction.parent_id.is_(None))
    columns: list[Any] = [story.c.occurred_at, story.c.id]
    return query, [story.c.pinned] * pinned_first + columns


def _first_of_story(
    user: User, kind: str, replies: bool, pinned_first: bool
) -> sa.Select[Interaction]:
    whose: Any = sa.bindparam("story_of")
    query, columns = _of_story(user, kind, whose, replies, pinned_first)
    latest_first = [one.desc() for one in columns]
    return query.order_by(*latest_first).limit(sa.bindparam("most"))


def latest(
    user: User,
    *,
    cursor: str | None = None,
    limit: int = FIRST,
    parent: int | None = None,
    contact: Contact | None = None,
    replies: bool = True,
    **wanted: Unpack[Wanted],
) -> Page[Interaction]:
    """Read what everybody wrote that `user` may read, the latest first.

    `parent` is the id of what was answered; with `contact` only what concerns this
    contact itself, without those that roll up to it. Without `replies` only what opens
    a conversation is given; `wanted` narrows it.
    """
    query = _listed(user).where(*conditions_of(wanted))
    if not replies:
        query = query.where(Interaction.parent_id.is_(None))
    if parent is not None:
        query = query.where(Interaction.parent_id == parent)
    if contact is not None:
        concerned = sa.select(InteractionContact.interaction_id)
        concerned = concerned.where(InteractionContact.contact_id == contact.id)
        query = query.where(Interaction.id.in_(concerned))
    columns = [Interaction.occurred_at, Interaction.id]
    return keyset_page(query, columns, cursor=cursor, limit=limit, descending=True)


def replies_to(
    user: User, interaction: Interaction, *, cursor: str | None = None, limit: int = 50
) -> Page[Interaction]:
    """Read the answers to an entry that `user` may read, the first one first."""
    query = _listed(user).where(Interaction.parent_id == interaction.id)
    columns = [Interaction.occurred_at, Interaction.id]
    return keyset_page(query, columns, cursor=cursor, limit=limit)


def tags_beginning(user: User, begin: str, *, limit: int = 8) -> list[str]:
    """Name tags of entries that `user` may read, the most used ones first."""
    found = InteractionTag.tag
    visible = visible_to(user, Interaction).with_only_columns(Interaction.id)
    query = (
        sa.select(found)
        .where(found.startswith(begin.casefold(), autoescape=True))
        .where(InteractionTag.interaction_id.in_(visible))
        .group_by(found)
        .order_by(sa.func.count().desc(), found)
        .limit(limit)
    )
    return list(db.session.scalars(query))


def for_my_day(
    user: User, since: datetime, until: datetime, *, limit: int = 5
) -> tuple[list[Interaction], list[Interaction], int]:
    """Read what `user` has before them today, and what is new with their customers.

    Gives the entries they planned from now to `until`, the next one first; the latest
    that colleagues wrote after `since` on the contacts they own; and how many those
    are in all. One statement.
    """
    ranked = _ranked(user, since, until)
    query = (
        sa.select(Interaction, ranked.c.planned, ranked.c.total)
        .join(ranked, ranked.c.id == Interaction.id)
        .where(sa.or_(ranked.c.planned, ranked.c.place <= limit))
        .order_by(Interaction.occurred_at.desc(), Interaction.id.desc())
        .options(_AUTHOR)
    )
    rows = db.session.execute(query).unique().all()
    before_me = [row[0] for row in rows if row.planned]
    found = [row for row in rows if not row.planned]
    count = found[0].total if found else 0
    return before_me[::-1][:limit], [row[0] for row in found], count


def _ranked(user: User, since: datetime, until: datetime) -> sa.Subquery:
    """Number what is planned, and what is new, each from the latest on."""
    # Seen in the statement: a day is little of all that was ever written.
    begin: Any = sa.bindparam(
        None, since, UTCDateTime(), unique=True, literal_execute=True
    )
    # Asked of each entry: those of a day are fewer than those of all one's customers.
    mine = sa.exists().where(
        InteractionContact.interaction_id == Interaction.id,
        InteractionContact.contact_id == Contact.id,
        Contact.owner_id == user.id,
    )
    moment = now()
    planned = sa.and_(
        Interaction.author_id == user.id,
        # What began an hour ago may still be going on.
        Interaction.occurred_at >= moment - timedelta(hours=1),
        Interaction.occurred_at > Interaction.created_at,
        Interaction.occurred_at < until,
    )
    news = sa.and_(
        mine,
        Interaction.occurred_at.between(since, moment),
        Interaction.author_id.is_distinct_from(user.id),
    )
    is_planned = planned.label("planned")
    place = sa.func.row_number().over(
        partition_by=planned, order_by=(Interaction.occurred_at.desc(), Interaction.id)
    )
    total = sa.func.count().over(partition_by=planned)
    return (
        visible_to(user, Interaction)
        .with_only_columns(
            Interaction.id,
            is_planned,
            place.label("place"),
            total.label("total"),
        )
        .where(Interaction.occurred_at >= begin, sa.or_(planned, news))
        .subquery()
    )


def last_contacts(user: User, contact_ids: Collection[int]) -> dict[int, datetime]:
    """Say when something last happened with each contact, as far as `user` may know.

    One statement; a contact without an entry this user may read is left out.
    """
    if not contact_ids:
        return {}
    query = (
        sa.select(
            InteractionContact.contact_id, sa.func.max(InteractionContact.occurred_at)
        )
        .join(Interaction, Interaction.id == InteractionContact.interaction_id)
        .where(InteractionContact.contact_id.in_(contact_ids))
        .where(Interaction.trashed_at.is_(None), Interaction.occurred_at <= now())
        .where(*visible_conditions(user, Interaction))
        .group_by(InteractionContact.contact_id)
    )
    return {row[0]: row[1] for row in db.session.execute(query)}


def _listed(user: User) -> sa.Select[Interaction]:
    return visible_to(user, Interaction).options(_AUTHOR)
