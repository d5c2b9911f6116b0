"""Who would come to see what: listed before a merge, and agreed to.

People outside see what is shared with their own contacts, so whoever belongs to one of
the two would see what the other's do. Colleagues see more only where their role limits
them to some contacts.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import lazyload

from core.contacts.models import Contact
from core.db import db
from core.permissions import can
from core.records import RecordType, record_types
from core.users.models import User
from core.visibility import as_if_one, visible_conditions, visible_to

# What people outside see because it belongs to their contact.
_OUTSIDE = ("shared", "audience")


@dataclass(frozen=True)
class Seen:
    """How many records of a type somebody would come to see.

    None where the one who asks may not read that type, and is told no number.
    """

    name: str
    title: object
    count: int | None


@dataclass(frozen=True)
class NewReader:
    """Somebody who would come to see what belongs to the contact `of_id`."""

    user_id: int
    name: str
    outside: bool
    of_id: int
    of: str
    sees: Sequence[Seen] = ()

    @property
    def marks(self) -> frozenset[str]:
        """Name what is agreed to: this person, and each type with its number."""
        beginning = f"{self.user_id}:{self.of_id}"
        numbers = {f"{beginning}:{one.name}:{one.count or ''}" for one in self.sees}
        return frozenset(numbers | {beginning})


def marks_of(readers: Iterable[NewReader]) -> frozenset[str]:
    """Name all that somebody agrees to who agrees to this list."""
    return frozenset(mark for one in readers for mark in one.marks)


def new_readers(
    kept: Contact, gone: Contact, changed: Mapping[str, Any], actor: User | None
) -> list[NewReader]:
    """List who would come to see what, those outside first.

    `changed` are the columns of the one that stays that the merge changes: its owner
    and team decide which colleagues see it.
    """
    outside = list(_outside(kept, gone, actor))
    return [*outside, *_inside(kept, gone, changed)]


# -- Outside -----------------------------------------------------------------------


def _outside(kept: Contact, gone: Contact, actor: User | None) -> Iterator[NewReader]:
    both = [kept.id, gone.id]
    query = sa.select(User).where(
        User.active,
        User.kind != "staff",
        sa.or_(User.contact_id.in_(both), User.person_id.in_(both)),
    )
    known: dict[Any, list[Seen]] = {}
    for user in db.session.scalars(query.order_by(User.name, User.id)).unique():
        own = {user.contact_id, user.person_id}
        if own >= {kept.id, gone.id}:
            continue
        alike = (user.kind, user.contact_id, user.person_id, user.permissions)
        if alike not in known:
            known[alike] = list(_gained(user, kept, gone, actor))
        of = gone if kept.id in own else kept
        sees = tuple(known[alike])
        yield NewReader(user.id, user.name, True, of.id, of.name, sees)


def _gained(
    user: User, kept: Contact, gone: Contact, actor: User | None
) -> Iterator[Seen]:
    for kind in record_types().values():
        if kind.model.readers not in _OUTSIDE or not can(kind.permission, user):
            continue
        before = _count(user, kind)
        with as_if_one(kept.id, gone.id):
            after = _count(user, kind)
        if after > before and kind.model is not Contact:
            known = actor is None or can(kind.permission, actor)
            yield Seen(kind.name, kind.title, after - before if known else None)


def _count(user: User, kind: RecordType) -> int:
    seen = visible_to(user, kind.model).options(lazyload("*"))
    ids = seen.with_only_columns(kind.model.id).subquery()
    query = sa.select(sa.func.count()).select_from(ids)
    return db.session.scalar(query) or 0


# -- Inside ------------------------------------------------------------------------


def _inside(
    kept: Contact, gone: Contact, changed: Mapping[str, Any]
) -> Iterator[NewReader]:
    owner = changed.get("owner_id", kept.owner_id)
    team = changed.get("team_id", kept.team_id)
    query = sa.select(User).where(User.active, User.kind == "staff")
    for user in db.session.scalars(query.order_by(User.name, User.id)).unique():
        conditions = visible_conditions(user, Contact)
        if not conditions:
            continue
        seen = sa.select(Contact.id).where(Contact.id.in_([kept.id, gone.id]))
        before = set(db.session.scalars(seen.where(*conditions)))
        if not _will_see(user, owner, team, kept.id in before):
            continue
        for one in (gone, kept):
            if one.id not in before:
                yield NewReader(user.id, user.name, False, one.id, one.name)


def _will_see(user: User, owner: int | None, team: int | None, before: bool) -> bool:
    """Say whether a colleague will see the one that stays.

    What a plugin narrows by is asked of it as it is now.
    """
    if user.reach == "all":
        return before
    mine = owner == user.id
    return mine or (user.reach == "team" and team in user.team_ids)
