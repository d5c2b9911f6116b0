"""Signs that people leave on an entry: a thumb up, thanks, seen, done."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from core.db import db, now, table_of
from core.errors import NotFound
from core.events import announce
from core.i18n import lazy_gettext as _l
from core.interactions.models import Interaction
from core.pages import EntryPart
from core.sight import told
from core.users.models import User
from plugins.interactions.events import REACTED
from plugins.interactions.models import Reaction

# Their titles and icons, in this order.
REACTIONS: Mapping[str, tuple[object, str]] = {
    "thumbs_up": (_l("Thumbs up"), "hand-thumbs-up"),
    "thanks": (_l("Thanks"), "heart"),
    "seen": (_l("Seen"), "eye"),
    "done": (_l("Done"), "check2-circle"),
}
# Of more people than this only the number stands there, and the names on hover.
NAMED = 2


@dataclass(frozen=True)
class Reacted:
    """One sign on one entry, as its reader may know it."""

    name: str
    title: object
    icon: str
    people: Collection[str]
    mine: bool
    # Who left it as well, and is not named to this reader.
    unnamed: int = 0

    @property
    def count(self) -> int:
        """How many people left it."""
        return len(self.people) + self.unnamed

    @property
    def text(self) -> str:
        """What stands beside the icon: names, or the number of many."""
        named = not self.unnamed and self.count <= NAMED
        return ", ".join(self.people) if named else str(self.count)


def react(entry: Interaction, user: User, name: str, *, on: bool) -> None:
    """Leave a sign of `user` on an entry, or take it away; either may be so already.

    Raises `NotFound` for a sign that is not one of ours.
    """
    if name not in REACTIONS:
        raise NotFound
    table = table_of(Reaction)
    key = {"interaction_id": entry.id, "name": name, "user_id": user.id}
    if on:
        make = postgresql.insert if db.dialect == "postgresql" else sqlite.insert
        statement: Any = make(table).values(**key, reacted_at=now())
        statement = statement.on_conflict_do_nothing(index_elements=list(key))
    else:
        statement = sa.delete(table).filter_by(**key)
    result: Any = db.session.execute(statement)
    if result.rowcount:
        announce(REACTED.name, entry)


def has_reacted(entry: Interaction, user: User, name: str) -> bool:
    """Say whether `user` has left this sign on an entry."""
    return db.session.get(Reaction, (entry.id, name, user.id)) is not None


def reactions_on(entry: Interaction, user: User) -> list[Reacted]:
    """Read the signs on one entry."""
    query = sa.select(_rows(user)).where(Interaction.id == entry.id)
    return _read(db.session.scalar(query.select_from(Interaction)), user)


def _rows(user: User) -> sa.ScalarSelect[Any]:
    """Select the signs on an entry as lines of sign, account and name."""
    who: Any = User.name
    if user.kind != "staff":
        # The author's name stands on the entry; which other colleagues looked at it
        # is the house's own business, and only their number is told.
        known = sa.or_(User.kind != "staff", User.id == Interaction.author_id)
        who = sa.case((known, User.name), else_="")
    line = Reaction.name + ":" + sa.cast(Reaction.user_id, sa.String) + ":" + who
    query = (
        sa.select(sa.func.aggregate_strings(line, "\n"))
        .join(User, User.id == Reaction.user_id)
        .where(Reaction.interaction_id == Interaction.id)
    )
    if user.kind != "staff":
        # Whom else an entry is shared with is nobody's business outside.
        own = sa.and_(User.contact_id.is_not(None), User.contact_id == user.contact_id)
        query = query.where(
            sa.or_(User.kind == "staff", own, User.id == told("me", user.id))
        )
    return query.correlate(Interaction).scalar_subquery()


def _read(text: str | None, user: User) -> list[Reacted]:
    if not text:
        return []
    people: dict[str, list[str]] = {}
    mine = set()
    for line in text.split("\n"):
        name, _colon, rest = line.partition(":")
        account, _colon, who = rest.partition(":")
        people.setdefault(name, []).append(who)
        if account == str(user.id):
            mine.add(name)
    return [
        Reacted(
            name,
            title,
            icon,
            sorted(one for one in people[name] if one),
            name in mine,
            people[name].count(""),
        )
        for name, (title, icon) in REACTIONS.items()
        if name in people
    ]


PART = EntryPart("reactions", _rows, _read)
