"""Who would come to see what: listed before a merge, and agreed to.

People outside see what is shared with their own contacts, so whoever belongs to one of
the two would see what the other's do. Colleagues see more only where their role limits
them to some contacts.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
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
# So many counts are asked in one statement: a row may not have columns without end.
_AT_ONCE = 200


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
    found = db.session.scalars(query.order_by(User.name, User.id)).unique()
    users = [one for one in found if not _own(one) >= {kept.id, gone.id}]
    gained = _gained({_alike(one): one for one in users}, kept, gone, actor)
    for user in users:
        of = gone if kept.id in _own(user) else kept
        sees = gained[_alike(user)]
        yield NewReader(user.id, user.name, True, of.id, of.name, sees)


def _own(user: User) -> set[int | None]:
    return {user.contact_id, user.person_id}


def _alike(user: User) -> Hashable:
    """Name what decides what somebody outside sees, so that nothing is asked twice."""
    return user.kind, user.contact_id, user.person_id, user.permissions


def _gained(
    users: Mapping[Hashable, User], kept: Contact, gone: Contact, actor: User | None
) -> dict[Hashable, tuple[Seen, ...]]:
    asked = [
        (alike, user, kind)
        for alike, user in users.items()
        for kind in record_types().values()
        if kind.model.readers in _OUTSIDE
        and kind.model is not Contact
        and can(kind.permission, user)
    ]
    before = [_count(user, kind) for _alike, user, kind in asked]
    with as_if_one(kept.id, gone.id):
        after = [_count(user, kind) for _alike, user, kind in asked]
    numbers = _numbers([*before, *after])
    seen: dict[Hashable, list[Seen]] = {alike: [] for alike in users}
    for (alike, _user, kind), had, has in zip(
        asked, numbers[: len(asked)], numbers[len(asked) :], strict=True
    ):
        if has > had:
            known = actor is None or can(kind.permission, actor)
            count = has - had if known else None
            seen[alike].append(Seen(kind.name, kind.title, count))
    return {alike: tuple(sees) for alike, sees in seen.items()}


def _count(user: User, kind: RecordType) -> sa.Select[int]:
    seen = visible_to(user, kind.model).options(lazyload("*"))
    ids = seen.with_only_columns(kind.model.id).subquery()
    return sa.select(sa.func.count()).select_from(ids)


def _numbers(counts: Sequence[sa.Select[int]]) -> list[int]:
    """Count many things in one statement, or a few where they are very many."""
    found: list[int] = []
    for first in range(0, len(counts), _AT_ONCE):
        columns = [one.scalar_subquery() for one in counts[first : first + _AT_ONCE]]
        found.extend(db.session.execute(sa.select(*columns)).one())
    return found


# -- Inside ------------------------------------------------------------------------


def _inside(
    kept: Contact, gone: Contact, changed: Mapping[str, Any]
) -> Iterator[NewReader]:
    owner = changed.get("owner_id", kept.owner_id)
    team = changed.get("team_id", kept.team_id)
    query = sa.select(User).where(User.active, User.kind == "staff")
    limited = [
        (user, conditions)
        for user in db.session.scalars(query.order_by(User.name, User.id)).unique()
        if (conditions := visible_conditions(user, Contact))
    ]
    asked = [
        sa.select(sa.func.count(Contact.id)).where(Contact.id == one.id, *conditions)
        for _user, conditions in limited
        for one in (gone, kept)
    ]
    numbers = _numbers(asked)
    for (user, _), sees_gone, sees_kept in zip(
        limited, numbers[::2], numbers[1::2], strict=True
    ):
        if not _will_see(user, owner, team, bool(sees_kept)):
            continue
        for one, sees in ((gone, sees_gone), (kept, sees_kept)):
            if not sees:
                yield NewReader(user.id, user.name, False, one.id, one.name)


def _will_see(user: User, owner: int | None, team: int | None, before: bool) -> bool:
    """Say whether a colleague will see the one that stays.

    What a plugin narrows by is asked of it as it is now.
    """
    if user.reach == "all":
        return before
    mine = owner == user.id
    return mine or (user.reach == "team" and team in user.team_ids)
