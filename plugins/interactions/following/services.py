"""Following a contact or a thread: saying so, and who does.

Who owns a contact follows it, and who wrote in a thread follows that, without a row
of their own; a row says otherwise, or adds somebody.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased

from core.contacts.models import Affiliation, Contact
from core.db import db, now, table_of
from core.interactions.models import Interaction
from core.users.models import User
from core.visibility import visible_conditions
from plugins.interactions.following.models import Follow

# More names than this are counted, not listed.
NAMED = 12


@dataclass
class Followers:
    """Who follows one thing, by the id of their account, and who does not want to."""

    wanted: dict[int, User] = field(default_factory=dict)
    silent: set[int] = field(default_factory=set)

    def add(self, users: Iterable[User | None], said: Iterable[Follow]) -> None:
        """Take in who follows without asking, and then what people said."""
        self.wanted |= {one.id: one for one in users if one is not None}
        for row in said:
            if row.wanted:
                self.wanted[row.user_id] = row.user
            else:
                self.silent.add(row.user_id)
                self.wanted.pop(row.user_id, None)

    @property
    def names(self) -> list[str]:
        """Name the colleagues among them who can be told, in order."""
        return sorted(
            one.name
            for one in self.wanted.values()
            if one.active and one.kind == "staff"
        )


# -- Saying so ---------------------------------------------------------------------


def follow(user: User, record: Contact | Interaction, *, wanted: bool = True) -> None:
    """Have `user` told of what is new on a contact or in a thread, or not told.

    Doing it twice is harmless.
    """
    target = _target(record)
    make: Any = postgresql.insert if db.dialect == "postgresql" else sqlite.insert
    row = {"user_id": user.id, "wanted": wanted, "since": now(), **target}
    statement = make(table_of(Follow)).values(row)
    statement = statement.on_conflict_do_update(
        index_elements=["user_id", *target], set_={"wanted": wanted}
    )
    db.session.execute(statement)


def _target(record: Contact | Interaction) -> dict[str, int]:
    if isinstance(record, Contact):
        return {"contact_id": record.id}
    return {"interaction_id": root_of(record)}


# -- Who follows -------------------------------------------------------------------


def followers_of(record: Contact | Interaction, viewer: User) -> Followers:
    """Give who follows a contact, or the thread of an entry, as `viewer` may know."""
    if isinstance(record, Contact):
        return by_contact([record.id])[record.id][1]
    return of_thread(record, visible_conditions(viewer, Interaction))


def of_thread(
    entry: Interaction, known: Iterable[sa.ColumnElement[bool]] = ()
) -> Followers:
    """Give who wrote in the thread of an entry, or said that they follow it.

    Of those who wrote, only the authors of entries that are `known`.
    """
    root = root_of(entry)
    tree = sa.select(Interaction.id).where(Interaction.id == root)
    below = tree.cte("thread", recursive=True)
    reply = aliased(Interaction)
    below = below.union(sa.select(reply.id).join(below, reply.parent_id == below.c.id))
    authors = db.session.scalars(
        sa.select(User)
        .join(Interaction, Interaction.author_id == User.id)
        .where(
            Interaction.id.in_(sa.select(below.c.id)),
            Interaction.trashed_at.is_(None),
            *known,
        )
        .distinct()
    )
    said = db.session.scalars(sa.select(Follow).where(Follow.interaction_id == root))
    found = Followers()
    found.add(authors.unique(), said.unique())
    return found


def root_of(entry: Interaction) -> int:
    """Give the id of the first entry of a thread."""
    if entry.parent_id is None:
        return entry.id
    start = sa.select(Interaction.id, Interaction.parent_id)
    above = start.where(Interaction.id == entry.id).cte("above", recursive=True)
    parent = aliased(Interaction)
    above = above.union(
        sa.select(parent.id, parent.parent_id).join(
            above, parent.id == above.c.parent_id
        )
    )
    root = sa.select(above.c.id).where(above.c.parent_id.is_(None))
    return db.session.scalar(root) or entry.id


def by_contact(contact_ids: Collection[int]) -> dict[int, tuple[Contact, Followers]]:
    """Give who follows each of some contacts, with the contact itself."""
    found = {
        one.id: (one, Followers())
        for one in db.session.scalars(
            sa.select(Contact).where(Contact.id.in_(contact_ids))
        ).unique()
    }
    owners = {
        one.id: one
        for one in db.session.scalars(
            sa.select(User).where(
                User.id.in_({one.owner_id for one, _who in found.values()})
            )
        ).unique()
    }
    said: dict[int, list[Follow]] = {one: [] for one in found}
    rows = sa.select(Follow).where(Follow.contact_id.in_(found))
    for row in db.session.scalars(rows).unique():
        said[row.contact_id or 0].append(row)
    for contact, who in found.values():
        who.add([owners.get(contact.owner_id or 0)], said[contact.id])
    return found


def above(contact_ids: Iterable[int]) -> list[int]:
    """Give in whose stories an entry on these contacts stands.

    Its own contacts come first, then the firms of its people and those above them.
    """
    own = list(contact_ids)
    start = sa.union(
        sa.select(Contact.id).where(Contact.id.in_(own)),
        sa.select(Affiliation.organisation_id).where(
            Affiliation.person_id.in_(own), Affiliation.active
        ),
    ).subquery()
    tree: Any = sa.select(start.c.id).cte("tree", recursive=True)
    child = aliased(Contact)
    tree = tree.union(
        sa.select(child.parent_id)
        .join(tree, child.id == tree.c.id)
        .where(child.parent_id.is_not(None))
    )
    found = db.session.scalars(
        sa.select(Contact.id).where(
            Contact.id.in_(sa.select(tree.c.id)), Contact.trashed_at.is_(None)
        )
    )
    return sorted(found, key=lambda one: (one not in own, one))
