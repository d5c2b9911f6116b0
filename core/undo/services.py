"""What somebody did lately, and taking it back.

Every change of a record is an event that holds the values before and after; this
reads them. A change can be taken back for 30 days, by whoever made it, as long as
nobody changed the same since, and only by what they may do today.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from core.columns import Amount, UTCDateTime
from core.db import Record, db, now
from core.errors import Conflict, Forbidden, NotFound
from core.events import Event
from core.i18n import _
from core.importing.tracing import by_import
from core.permissions import can
from core.records import RecordType, Undo, parse_ref, record_types
from core.undo.models import Undone
from core.users.models import User
from core.visibility import get_visible, visible_to

KEPT = timedelta(days=30)


@dataclass(frozen=True)
class Change:
    """One thing somebody did; `why_not` says why it cannot be taken back any more."""

    event: Event
    kind: RecordType
    record: Record
    what: str
    why_not: str
    undone_at: datetime | None


# -- What one did ------------------------------------------------------------------


def recent_changes(
    user: User, *, before: int | None = None, limit: int = 50
) -> tuple[list[Change], int | None]:
    """List what `user` did in the last 30 days, the latest first.

    Also gives the id to ask again `before`, when there is more. What they may no
    longer see or change is left out, and what an import did, which has its own undo.
    """
    query = (
        _own_changes(user)
        .outerjoin(Undone, Undone.event_id == Event.id)
        .add_columns(Undone.at)
        .order_by(Event.id.desc())
        .limit(limit + 1)
    )
    if before is not None:
        query = query.where(Event.id < before)
    rows = db.session.execute(query).all()
    records = _records([event for event, _at in rows[:limit]], user)
    found = []
    for event, at in rows[:limit]:
        record = records.get(event.subject)
        if record is None:
            continue
        change = _change(event, record, at)
        if change is not None:
            found.append(change)
    return found, rows[limit - 1][0].id if len(rows) > limit else None


def _own_changes(user: User) -> sa.Select[Event]:
    return sa.select(Event).where(
        Event.actor_id == user.id,
        Event.time > now() - KEPT,
        Event.type.in_(_undoable_types(user)),
        Event.id.not_in(
            sa.select(Undone.by_event_id).where(Undone.by_event_id.is_not(None))
        ),
        ~by_import(),
    )


def _undoable_types(user: User) -> list[str]:
    found: list[str] = []
    for kind in record_types().values():
        if kind.undo is not None and can(kind.undo.permission, user):
            found += [f"{kind.name}.updated", *kind.undo.facts]
    return found


def _records(events: Sequence[Event], user: User) -> dict[str, Record]:
    """Load what the events are about, as far as `user` sees it, trash included."""
    refs = {parsed for one in events if (parsed := parse_ref(one.subject))}
    found: dict[str, Record] = {}
    for name in {name for name, _id in refs}:
        kind = record_types().get(name)
        if kind is None or not can(kind.permission, user):
            continue
        ids = [number for of, number in refs if of == name]
        query = visible_to(user, kind.model, trashed=True)
        query = query.where(kind.model.id.in_(ids))
        found |= {one.ref: one for one in db.session.scalars(query).unique()}
    return found


def _change(event: Event, record: Record, undone_at: datetime | None) -> Change | None:
    kind = record_types()[record.record_name()]
    undo = kind.undo
    if undo is None:
        return None
    if event.type in undo.facts:
        fact = undo.facts[event.type]
        what, stands = str(fact.title), fact.stands(record, event.data)
    else:
        changed = _values(event, undo)
        if not changed:
            return None
        what, stands = _words(changed, undo), not _moved_on(record, changed, undo)
    why_not = "" if stands else _("Changed again since")
    if _other_readers(event, record):
        why_not = _("Its readers were changed since")
    return Change(event, kind, record, what, "" if undone_at else why_not, undone_at)


def _other_readers(event: Event, record: Record) -> bool:
    """Say whether the old words would come before other eyes than they were for."""
    if record.readers != "audience":
        return False
    now_for: int = record.audience_id  # type: ignore[attr-defined]
    return now_for != event.audience_id or "audience_id" in event.data.get("fields", [])


def _words(changed: Mapping[str, Any], undo: Undo) -> str:
    if "trashed_at" in changed:
        gone = changed["trashed_at"][1] is not None
        return _("Put in the trash") if gone else _("Brought back from the trash")
    known = {**undo.fields, **undo.beside}
    titles = dict.fromkeys(str(known[one]) for one in changed)
    return _("Changed: %(fields)s", fields=", ".join(titles))


def _values(event: Event, undo: Undo) -> dict[str, tuple[Any, Any]]:
    """Give the fields that can be put back, each before and after, as JSON has it."""
    both = {**event.data.get("values", {}), **(event.personal or {})}
    return {
        name: (both[name][0], both[name][1])
        for name in (*undo.fields, *undo.beside)
        if name in both
    }


def _moved_on(
    record: Record, changed: Mapping[str, tuple[Any, Any]], undo: Undo
) -> set[str]:
    """Name the fields that no longer are what the change made of them."""
    return {
        name
        for name, (_before, after) in changed.items()
        if name in undo.fields and getattr(record, name) != _typed(record, name, after)
    }


def _typed(record: Record, name: str, value: Any) -> Any:
    """Read a column's value back from the JSON of an event."""
    if value is None:
        return None
    kind = sa.inspect(type(record)).column_attrs[name].columns[0].type
    if isinstance(kind, UTCDateTime):
        return datetime.fromisoformat(value)
    if isinstance(kind, sa.Date):
        return date.fromisoformat(value)
    return Decimal(value) if isinstance(kind, Amount) else value


# -- Taking it back ----------------------------------------------------------------


def take_back(user: User, event_id: int) -> Record:
    """Put back what was before a change of `user`'s own; give the record.

    Raises `NotFound` for what was not theirs, is too old or out of their sight,
    `Forbidden` for what they may not change any more, and `Conflict` when it was
    taken back already or somebody changed the same since.
    """
    event, record, undo = _own(user, event_id)
    if db.session.get(Undone, event.id) is not None:
        raise Conflict(_("This was taken back already."))
    if _other_readers(event, record):
        raise Conflict(_("Who reads this was changed since. Change it by hand."))
    last = _last_event_id()
    if event.type in undo.facts:
        fact = undo.facts[event.type]
        if not fact.stands(record, event.data):
            raise Conflict(_("This was changed again since. Look at it first."))
        fact.take_back(record, event.data, user)
    else:
        changed = _values(event, undo)
        if not changed:
            raise NotFound
        later = _moved_on(record, changed, undo)
        if later:
            raise Conflict(_who_moved_on(event, later, undo, user))
        before = {
            name: both if name in undo.beside else _typed(record, name, both[0])
            for name, both in changed.items()
        }
        undo.put_back(record, before, user)
    db.session.flush()
    db.session.add(Undone(event_id=event.id, by_event_id=_made_since(record, last)))
    db.session.flush()
    return record


def _own(user: User, event_id: int) -> tuple[Event, Record, Undo]:
    if not 0 < event_id < 2**31:
        raise NotFound
    # One at a time: two presses of the button take it back once.
    query = _own_changes(user).where(Event.id == event_id).with_for_update(of=Event)
    event = db.session.scalar(query)
    parsed = parse_ref(event.subject) if event else None
    if event is None or parsed is None:
        raise NotFound
    kind = record_types()[parsed[0]]
    if kind.undo is None or not can(kind.permission, user):
        raise NotFound
    record = get_visible(user, kind.model, parsed[1], trashed=True)
    if not can(kind.undo.permission, user):
        raise Forbidden
    return event, record, kind.undo


def _who_moved_on(event: Event, fields: Iterable[str], undo: Undo, user: User) -> str:
    wanted = set(fields)
    later = db.session.execute(
        sa.select(Event, User.name)
        .outerjoin(User, User.id == Event.actor_id)
        .where(
            Event.subject == event.subject,
            Event.id > event.id,
            Event.type == event.type,
        )
        .order_by(Event.id.desc())
        .limit(100)
    )
    titles = ", ".join(dict.fromkeys(str(undo.fields[one]) for one in sorted(wanted)))
    for one, name in later:
        if wanted & set(one.data.get("fields", [])):
            if one.actor_id == user.id:
                return _("You changed this again since: %(fields)s.", fields=titles)
            if name:
                return _(
                    "%(name)s changed this after you: %(fields)s. Look at both.",
                    name=name,
                    fields=titles,
                )
            break
    return _("This was changed again since: %(fields)s.", fields=titles)


def _last_event_id() -> int:
    return db.session.scalar(sa.select(sa.func.max(Event.id))) or 0


def _made_since(record: Record, last: int) -> int | None:
    query = sa.select(sa.func.max(Event.id)).where(
        Event.subject == record.ref, Event.id > last
    )
    return db.session.scalar(query)


def latest_change(user: User, record: Record) -> int | None:
    """Give the id by which what `user` has just done to `record` can be taken back."""
    db.session.flush()
    kind = record_types().get(record.record_name())
    if kind is None or kind.undo is None:
        return None
    query = _own_changes(user).where(Event.subject == record.ref)
    event = db.session.scalar(query.order_by(Event.id.desc()).limit(1))
    if event is None:
        return None
    if event.type not in kind.undo.facts and not _values(event, kind.undo):
        return None
    return event.id
