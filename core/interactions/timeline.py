"""Reading what was said and done: the story of a contact, and of the whole house."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, lazyload, load_only

from core.contacts.models import Contact
from core.contacts.services import rollup_of
from core.db import db, now
from core.interactions.models import Interaction, InteractionContact
from core.schemas import Page, keyset_page, page_of
from core.statements import prepared
from core.users.models import TeamMember, User
from core.visibility import visible_conditions, visible_to

# How many entries a page shows before "Older".
FIRST = 30

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
    kind: str | None = None,
    team: int | None = None,
    q: str = "",
    replies: bool = True,
    pinned_first: bool = False,
) -> Page[Interaction]:
    """Read the story of `contact` as `user` may know it, the latest first.

    An organisation's story is also that of its people and of the organisations below
    it. `team` asks for what its members wrote, `q` for words in the text. Without
    `replies` only what opens a conversation is given; with `pinned_first` pinned
    entries come before the others.
    """
    if not (cursor or kind or team or q):
        first = prepared(user, _first_of_story, contact.kind, replies, pinned_first)
        rows = first.scalars(story_of=contact.id, most=limit + 1)
        columns = [Interaction.occurred_at, Interaction.id]
        return page_of(rows, [Interaction.pinned] * pinned_first + columns, limit)
    query, columns = _of_story(user, contact.kind, contact.id, replies, pinned_first)
    query = query.where(*_wanted(kind, team, q))
    return keyset_page(query, columns, cursor=cursor, limit=limit, descending=True)


def _of_story(
    user: User, kind: str, contact_id: Any, replies: bool, pinned_first: bool
) -> tuple[sa.Select[Interaction], list[Any]]:
    """Select the story of a contact of this `kind`; also give what orders it."""
    # The times of a story stand in one index beside its contact, so its order costs
    # nothing of the entries themselves.
    story = (
        sa.select(
            InteractionContact.interaction_id.label("id"),
            InteractionContact.occurred_at,
        )
        .where(InteractionContact.contact_id.in_(rollup_of(kind, contact_id)))
        .distinct()
        .subquery("story")
    )
    query = _listed(user).join(story, story.c.id == Interaction.id)
    if not replies:
        query = query.where(Interaction.parent_id.is_(None))
    columns: list[Any] = [story.c.occurred_at, story.c.id]
    return query, [Interaction.pinned] * pinned_first + columns


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
    kind: str | None = None,
    team: int | None = None,
    author: int | None = None,
    parent: int | None = None,
    contact: Contact | None = None,
    replies: bool = True,
) -> Page[Interaction]:
    """Read what everybody wrote that `user` may read, the latest first.

    `author` and `parent` are ids; with `contact` only what concerns this contact
    itself, without those that roll up to it. Without `replies` only what opens a
    conversation is given.
    """
    query = _listed(user).where(*_wanted(kind, team, ""))
    if not replies:
        query = query.where(Interaction.parent_id.is_(None))
    if author is not None:
        query = query.where(Interaction.author_id == author)
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


def on_own_contacts(
    user: User, since: datetime, *, limit: int = 5
) -> list[Interaction]:
    """Read what colleagues wrote after `since` on the contacts that `user` owns."""
    mine = (
        sa.select(InteractionContact.interaction_id)
        .join(Contact, Contact.id == InteractionContact.contact_id)
        .where(Contact.owner_id == user.id)
        .where(InteractionContact.occurred_at >= since)
    )
    query = (
        _listed(user)
        .where(Interaction.id.in_(mine), Interaction.occurred_at >= since)
        .where(Interaction.author_id.is_distinct_from(user.id))
        .order_by(Interaction.occurred_at.desc(), Interaction.id.desc())
        .limit(limit)
    )
    return list(db.session.scalars(query))


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


def _wanted(kind: str | None, team: int | None, q: str) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if kind:
        conditions.append(Interaction.kind == kind)
    if team:
        members = sa.select(TeamMember.user_id).where(TeamMember.team_id == team)
        conditions.append(Interaction.author_id.in_(members))
    for word in q.split():
        anywhere = (
            column.icontains(word, autoescape=True)
            for column in (Interaction.body, Interaction.subject)
        )
        conditions.append(sa.or_(*anywhere))
    return conditions
