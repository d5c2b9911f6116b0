"""What is new in a story since somebody last looked at it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from core.contacts.models import Contact
from core.contacts.services import in_story
from core.db import db, now, table_of
from core.interactions.entries import EntryView
from core.interactions.models import Interaction, InteractionContact
from core.statements import prepared
from core.users.models import User
from core.visibility import visible_conditions
from plugins.interactions.models import Seen

# Who was away for long is told "more than 99".
MOST = 99
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Looked:
    """How far somebody has read: up to which entry, when, and what came since.

    `unread` are the ids of entries, each with that of what it answers, or 0.
    """

    entry: int
    at: datetime
    unread: Mapping[int, int]

    @classmethod
    def read(cls, mark: str) -> "Looked":
        """Take a `mark` from an address; it does not say what is unread."""
        entry, _dot, passed = mark.partition(".")
        return cls(int(entry), EPOCH + timedelta(microseconds=int(passed)), {})

    @property
    def mark(self) -> str:
        """Write it for an address, so that the page keeps it while the mark moves."""
        return f"{self.entry}.{(self.at - EPOCH) // timedelta(microseconds=1)}"

    @property
    def newest(self) -> int:
        """Give the greatest id of what is new."""
        return max(self.unread, default=0)

    @property
    def threads(self) -> frozenset[int]:
        """Name what is new, and what was answered by something new."""
        return frozenset(self.unread) | frozenset(self.unread.values())

    @property
    def many(self) -> bool:
        """Say whether there is more than can be counted at a glance."""
        return len(self.unread) > MOST


def unread_rows(user: User, kind: str, about: Any, mark: Any) -> sa.Select[Any]:
    """Select what others wrote on a story after the entry `mark`, as `user` may know.

    The rows are the word "unread", the id, and the id of what it answers as text.
    """
    link = InteractionContact
    # The ids stand in the index of the story, so what was read before costs nothing.
    story = (
        sa.select(link.interaction_id.label("id"))
        .where(in_story(link.contact_id, kind, about), link.interaction_id > mark)
        .distinct()
        .subquery("since")
    )
    answers = sa.cast(sa.func.coalesce(Interaction.parent_id, 0), sa.String)
    found = (
        sa.select(sa.literal("unread").label("of"), Interaction.id, answers)
        .join(story, story.c.id == Interaction.id)
        .where(Interaction.author_id.is_distinct_from(sa.bindparam("me")))
        .where(Interaction.trashed_at.is_(None))
        .where(*visible_conditions(user, Interaction))
        .order_by(Interaction.id.desc())
        .limit(MOST + 1)
        .subquery("unread")
    )
    return sa.select(found)


def looked_rows(user: User, kind: str, about: Any) -> list[sa.Select[Any]]:
    """Select how far `user` has read the story of `about`, and what is new in it."""
    mine = (Seen.user_id == sa.bindparam("me"), Seen.contact_id == about)
    mark = sa.select(Seen.entry).where(*mine)
    at = sa.cast(Seen.looked_at, sa.String)
    looked = sa.select(sa.literal("looked"), Seen.entry, at).where(*mine)
    return [looked, unread_rows(user, kind, about, mark.scalar_subquery())]


def looked_from(found: Mapping[str, Sequence[tuple[int, str]]]) -> Looked | None:
    """Put the rows of `looked_rows` together; None for a story never looked at."""
    for entry, text in found.get("looked", ()):
        at = datetime.fromisoformat(text)
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return Looked(entry, at, _unread(found.get("unread", ())))
    return None


def looked_until(user: User, contact: Contact, mark: str) -> Looked:
    """Say what is new since the `mark` that a page keeps, in one statement."""
    then = Looked.read(mark)
    rows = prepared(user, _since, contact.kind).rows(
        about=contact.id, me=user.id, mark=then.entry
    )
    return replace(then, unread=_unread([row[1:] for row in rows]))


def looked_at(user: User, contact: Contact) -> Looked | None:
    """Say how far `user` has read a story; None for one never looked at."""
    kept = db.session.get(Seen, (user.id, contact.id), populate_existing=True)
    if kept is None:
        return None
    looked = Looked(kept.entry, kept.looked_at, {})
    return looked_until(user, contact, looked.mark)


def _since(user: User, kind: str) -> sa.Select[Any]:
    about = sa.bindparam("about", type_=sa.Integer)
    return unread_rows(user, kind, about, sa.bindparam("mark", type_=sa.Integer))


def _unread(rows: Iterable[Sequence[Any]]) -> dict[int, int]:
    return {int(id_): int(answers) for id_, answers in rows}


def is_new(entry: EntryView, looked: Looked, user: User) -> bool:
    """Say whether an entry, or an answer to it, came since somebody looked."""
    if entry.id in looked.threads:
        return True
    # Of very many new ones only the latest are known one by one.
    return entry.id > looked.entry and entry.author_id != user.id


def line_before(
    entries: Sequence[EntryView], looked: Looked | None, user: User
) -> int | None:
    """Give the id of the entry over which the line "4 new since" stands, if any.

    What is new stands above it. Pinned entries are no part of the order, and one's
    own are neither new nor read.
    """
    above = False
    if looked is None:
        return None
    for one in entries:
        if one.pinned:
            continue
        if is_new(one, looked, user):
            above = True
        elif one.id <= looked.entry:
            return one.id if above else None
    return None


def mark_seen(user: User, contact: Contact, upto: int) -> None:
    """Remember that `user` has seen the story of `contact` up to an entry.

    It never goes back, and never beyond what they may read. Who looks for the first
    time has seen all there is.
    """
    newest = _newest(user, contact)
    table, moment = table_of(Seen), now()
    insert = postgresql.insert if db.dialect == "postgresql" else sqlite.insert
    first = insert(table).values(
        user_id=user.id, contact_id=contact.id, entry=newest, looked_at=moment
    )
    further = sa.case(
        (table.c.entry < min(upto, newest), min(upto, newest)), else_=table.c.entry
    )
    db.session.execute(
        first.on_conflict_do_update(
            index_elements=["user_id", "contact_id"],
            set_={"entry": further, "looked_at": moment},
        )
    )


def _newest(user: User, contact: Contact) -> int:
    link = InteractionContact
    query = (
        sa.select(sa.func.max(Interaction.id))
        .join(link, link.interaction_id == Interaction.id)
        .where(in_story(link.contact_id, contact.kind, contact.id))
        .where(*visible_conditions(user, Interaction))
    )
    return db.session.scalar(query) or 0
