"""Being there: a page in sight says so when it opens, every three minutes, and goes.

That is one small write in three minutes for each open page. Other pages on the same
record are told only when somebody comes, goes, begins to write or stops, and only
while there is somebody to be told.
"""

from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from core.db import Record, db, now
from core.events import Event, acting, fact_about, write_facts
from core.presence.models import Presence, PresenceHidden
from core.users.models import User

CHANGED = "presence.changed"
# Pages say that they are open every 180 s, and of writing every 20 s. So 200 pages in
# sight cost about half a percent of one core.
OPEN_FOR, WRITING_FOR = timedelta(seconds=240), timedelta(seconds=40)
KEPT = timedelta(hours=1)


@dataclass(frozen=True)
class Colleague:
    """Somebody who has a record open."""

    id: int
    name: str
    writes: bool


@dataclass(frozen=True)
class Others:
    """Which colleagues have a record open, and which of them are writing."""

    here: list[Colleague]

    @property
    def writing(self) -> list[Colleague]:
        """Give those who are writing."""
        return [one for one in self.here if one.writes]


def others_at(record: Record, user: User) -> Others:
    """Give which colleagues besides `user` have a record open, who writes first.

    Whoever calls this has made sure that `user` may see the record.
    """
    return _but(user, _rows(record))


def _but(user: User, rows: list[Colleague]) -> Others:
    others = [one for one in rows if one.id != user.id]
    return Others(sorted(others, key=lambda one: (not one.writes, one.name.casefold())))


def arrive(record: Record, user: User, *, writing: bool = False) -> Others:
    """Note that `user` has a record open, and whether they write; give who else has."""
    rows = _rows(record)
    others = _but(user, rows)
    mine = next((one for one in rows if one.id == user.id), None)
    # Who keeps it to themselves has no row, so it need not be asked at every sign.
    if user.kind != "staff" or (mine is None and is_hidden(user)):
        return others
    row = {
        "about": record.record_name(),
        "about_id": record.id,
        "user_id": user.id,
        "seen_at": now(),
        "wrote_at": now() if writing else None,
    }
    make = postgresql.insert if db.dialect == "postgresql" else sqlite.insert
    db.session.execute(
        make(Presence)
        .values(row)
        .on_conflict_do_update(
            index_elements=["about", "about_id", "user_id"],
            set_={"seen_at": row["seen_at"], "wrote_at": row["wrote_at"]},
        )
    )
    if others.here and (mine is None or mine.writes != writing):
        _tell(record)
    return others


def leave(record: Record, user: User) -> None:
    """Note that `user` has gone from a record; doing it twice is harmless."""
    rows = _rows(record)
    db.session.execute(
        sa.delete(Presence).where(*_at(record), Presence.user_id == user.id)
    )
    if len(rows) > 1 and any(one.id == user.id for one in rows):
        _tell(record)


def is_hidden(user: User) -> bool:
    """Say whether `user` keeps to themselves what they have open."""
    return db.session.get(PresenceHidden, user.id) is not None


def hide(user: User, *, hidden: bool) -> None:
    """Have colleagues see what `user` has open, or not."""
    db.session.execute(
        sa.delete(PresenceHidden).where(PresenceHidden.user_id == user.id)
    )
    if hidden:
        db.session.execute(sa.delete(Presence).where(Presence.user_id == user.id))
        db.session.add(PresenceHidden(user_id=user.id))
    db.session.flush()


def forget_old() -> None:
    """Delete who has been gone for an hour, and that they came and went."""
    old = now() - KEPT
    db.session.execute(sa.delete(Presence).where(Presence.seen_at < old))
    db.session.execute(sa.delete(Event).where(Event.type == CHANGED, Event.time < old))


def _at(record: Record) -> tuple[sa.ColumnElement[bool], ...]:
    return Presence.about == record.record_name(), Presence.about_id == record.id


def _rows(record: Record) -> list[Colleague]:
    """Read who is there now, as it is in the database."""
    query = (
        sa.select(User.id, User.name, Presence.wrote_at)
        .join(User, User.id == Presence.user_id)
        .where(
            *_at(record),
            Presence.seen_at > now() - OPEN_FOR,
            User.active,
            User.kind == "staff",
        )
    )
    lately = now() - WRITING_FOR
    return [
        Colleague(row.id, row.name, row.wrote_at is not None and row.wrote_at > lately)
        for row in db.session.execute(query)
    ]


def _tell(record: Record) -> None:
    """Have the pages on a record asked again: what they show is not said here.

    No subscriber is told, and it is forgotten after an hour: who looked at what and
    when is nobody's business. Not under the record's own name, whose history it is not.
    """
    with acting(None):
        fact = fact_about(db.session, CHANGED, record, {})
    write_facts(db.session, [fact | {"subject": f"here.{record.ref}"}], delivered=False)
