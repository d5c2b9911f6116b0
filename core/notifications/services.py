"""Telling people: `notify` writes, the others read and mark.

What a line is about decides who sees it, when it is written and again whenever it is
read, by the same rules as the record's own page.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import flask_babel
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from core.audiences import AudienceSpec, intern_audience
from core.db import Record, db, now
from core.errors import NotFound
from core.events import tell
from core.i18n import _
from core.notifications.choosing import one_at_a_time, plan_mails
from core.notifications.models import Notification, NotificationMute
from core.pages import NotificationKind, notification_kinds
from core.permissions import can
from core.records import RecordType, record_types
from core.sight import told
from core.users.deputies import standing_in_for
from core.users.models import User, UserDeputy
from core.visibility import visible_conditions, visible_to

# More than so many unread are shown as "99+".
MOST_COUNTED = 99
KEPT = timedelta(days=180)
CHANGED = "notification.changed"


@dataclass(frozen=True)
class Line:
    """A notification as its reader sees it; `url` is where it leads, or None."""

    row: Notification
    kind: NotificationKind | None
    url: str | None


# -- Writing -----------------------------------------------------------------------


def notify(
    users: Iterable[User],
    *,
    kind: str,
    text: object,
    record: Record | None = None,
    key: str = "",
    url: str = "",
    by: int | None = None,
    deputies: bool = False,
    names: Record | None = None,
) -> list[int]:
    """Tell each of `users` something, once; give the ids of those who were told.

    Left out is who may not see `record`, or what the text `names` besides, who switched
    the `kind` off, who did it themselves (`by`), and who was told of the same `key`
    before; without a key the kind and the record are it. A lazy `text` is written in
    each reader's language.
    With `deputies`, who stands in for one of `users` today is told too, if they may
    see these themselves. Without `url` the line leads to the record's page. Raises
    `LookupError` for a kind that no plugin declares.
    """
    if kind not in notification_kinds():
        raise LookupError(f"no plugin declares the notification kind {kind!r}")
    db.session.flush()
    about, about_id = (record.record_name(), record.id) if record else ("", 0)
    told: dict[int, int] = {}
    readers = {one.id: one for one in users}
    absent = _stand_ins(readers) if deputies else {}
    readers |= {one.deputy_id: one.deputy for one in absent.values()}
    for user in _wanting(readers.values(), kind, by):
        if not all(may_see(user, one) for one in (record, names) if one is not None):
            continue
        with flask_babel.force_locale(user.language):
            words = str(text)
            if user.id in absent:
                name = absent[user.id].user.name
                words = _("For %(name)s: %(said)s", name=name, said=words)
        row = {
            "user_id": user.id,
            "key": (key or f"{kind}:{about}/{about_id}")[:200],
            "kind": kind,
            "about": about,
            "about_id": about_id,
            "text": words[:500],
            "url": url,
            "by_id": by,
            "created_at": now(),
        }
        if written := _insert(row):
            told[user.id] = written
            _announce(user)
    plan_mails(told, kind)
    return list(told)


def _stand_ins(readers: Collection[int]) -> dict[int, UserDeputy]:
    """Give who stands in for one of `readers` and is none of them, by their id."""
    found = standing_in_for(readers)
    return {one.deputy_id: one for one in found if one.deputy_id not in readers}


def _wanting(users: Iterable[User], kind: str, by: int | None) -> list[User]:
    found = [one for one in users if one.active and one.id != by]
    if not found:
        return []
    query = sa.select(NotificationMute.user_id).where(
        NotificationMute.kind == kind,
        NotificationMute.user_id.in_([one.id for one in found]),
    )
    muted = set(db.session.scalars(query))
    return [one for one in found if one.id not in muted]


def may_see(user: User, record: Record) -> bool:
    """Say whether `user` may open `record`."""
    kind = record_types().get(record.record_name())
    if kind is None or not can(kind.permission, user):
        return False
    query = visible_to(user, type(record)).where(type(record).id == record.id)
    return db.session.scalar(query.with_only_columns(type(record).id)) is not None


def _insert(row: dict[str, Any]) -> int | None:
    """Write a line unless its key is there; give its id if it was written."""
    make = postgresql.insert if db.dialect == "postgresql" else sqlite.insert
    statement = make(Notification).values(row)
    statement = statement.on_conflict_do_nothing(index_elements=["user_id", "key"])
    return db.session.scalar(statement.returning(Notification.id))


def _announce(user: User) -> None:
    """Let the bell of `user`, and nobody else's, be drawn again."""
    audience = intern_audience(AudienceSpec("private", users=frozenset({user.id})))
    tell(CHANGED, user.ref, audience_id=audience.id)


# -- Reading -----------------------------------------------------------------------


def readable(user: User) -> tuple[str, ...]:
    """Name the types of records that `user` may read."""
    return tuple(
        name for name, kind in record_types().items() if can(kind.permission, user)
    )


def _seen(user: User, names: Iterable[str]) -> list[sa.ColumnElement[bool]]:
    """Say as SQL which lines are this reader's, and still theirs to see."""
    about: list[sa.ColumnElement[bool]] = [Notification.about == ""]
    about.extend(
        sa.and_(Notification.about == name, _record_is_seen(user, record_types()[name]))
        for name in names
    )
    return [Notification.user_id == told("me", user.id), sa.or_(*about)]


def _record_is_seen(user: User, kind: RecordType) -> sa.ColumnElement[bool]:
    # By the record's own key, so that only the few lines of this reader are looked up.
    model: Any = kind.model
    conditions = [model.id == Notification.about_id, *visible_conditions(user, model)]
    if hasattr(model, "trashed_at"):
        conditions.append(model.trashed_at.is_(None))
    return sa.exists().where(*conditions).correlate(Notification)


def unread_count(user: User, names: tuple[str, ...]) -> sa.Select[Any]:
    """Select how many lines `user`, who may read the types `names`, has not read."""
    few = (
        sa.select(Notification.id)
        .where(*_seen(user, names), Notification.read_at.is_(None))
        .limit(MOST_COUNTED + 1)
        .subquery()
    )
    return sa.select(sa.func.count()).select_from(few)


def seen_by(user: User) -> sa.Select[Notification]:
    """Select the lines `user` may read."""
    return sa.select(Notification).where(*_seen(user, readable(user)))


def load_notification(user: User, notification_id: int) -> Notification:
    """Give one line of `user`, or raise `NotFound`."""
    if not 0 < notification_id < 2**31:
        raise NotFound
    query = seen_by(user).where(Notification.id == notification_id)
    found = db.session.scalar(query)
    if found is None:
        raise NotFound
    return found


def lines(rows: Sequence[Notification], user: User) -> list[Line]:
    """Add to each line its kind and where it leads; one statement a record type."""
    addresses = _addresses(rows, user)
    kinds = notification_kinds()
    return [
        Line(one, kinds.get(one.kind), one.url or addresses.get(one.ref))
        for one in rows
    ]


def _addresses(rows: Sequence[Notification], user: User) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name in {one.about for one in rows if one.about and not one.url}:
        kind = record_types()[name]
        ids = [one.about_id for one in rows if one.about == name]
        query = visible_to(user, kind.model).where(kind.model.id.in_(ids))
        for record in db.session.scalars(query).unique():
            found[record.ref] = kind.url(record, user)
    return found


# -- Marking -----------------------------------------------------------------------


def mark_read(user: User, row: Notification, *, read: bool = True) -> None:
    """Say that `user` has read a line, or wants to see it as new again."""
    if read == (row.read_at is not None):
        return
    row.read_at = now() if read else None
    db.session.flush()
    _announce(user)


def mark_all_read(user: User) -> int:
    """Say that `user` has read all; give how many were new."""
    statement = (
        sa.update(Notification)
        .where(Notification.user_id == user.id, Notification.read_at.is_(None))
        .values(read_at=now())
        .returning(Notification.id)
    )
    count = len(db.session.scalars(statement).all())
    if count:
        _announce(user)
    return count


def muted_kinds(user: User) -> set[str]:
    """Name the kinds `user` switched off."""
    query = sa.select(NotificationMute.kind)
    return set(db.session.scalars(query.where(NotificationMute.user_id == user.id)))


def kinds_for(user: User) -> list[NotificationKind]:
    """List the kinds that can reach somebody like `user`."""
    return [one for one in notification_kinds().values() if user.kind in one.readers]


def choose_kinds(user: User, wanted: Collection[str]) -> None:
    """Switch off every kind that can reach `user` and is not `wanted`."""
    one_at_a_time(user)
    offered = {one.name for one in kinds_for(user)}
    db.session.execute(
        sa.delete(NotificationMute).where(
            NotificationMute.user_id == user.id, NotificationMute.kind.in_(offered)
        )
    )
    db.session.add_all(
        NotificationMute(user_id=user.id, kind=one)
        for one in sorted(offered - set(wanted))
    )
    db.session.flush()


def forget_old() -> None:
    """Delete lines older than half a year, read or not."""
    old = now() - KEPT
    db.session.execute(sa.delete(Notification).where(Notification.created_at < old))
