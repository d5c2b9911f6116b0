"""What an entry said before: who changed it, when, and what differs."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher
from typing import Any, Literal, TypeAlias

import sqlalchemy as sa

from core.audiences import Audience, AudienceLabel
from core.contacts.models import Contact
from core.db import db
from core.event_visibility import visible_events
from core.events import Event
from core.i18n import _
from core.i18n import lazy_gettext as _l
from core.interactions.linked import linked_records
from core.interactions.models import Interaction
from core.interactions.taking_back import BESIDE
from core.kinds import kind_of
from core.moments import show_datetime
from core.readers import AudienceView, describe
from core.users.models import User
from core.visibility import opened_to, visible_to

# Of two texts whose words would make more pairs than this, the lines are compared.
MOST_PAIRS = 1_000_000
# What of an entry is told, in this order; the rest follows from it.
_TITLES = {
    "body": _l("Text"),
    "subject": _l("Subject"),
    "kind": _l("Kind"),
    "occurred_at": _l("When"),
    "audience_id": _l("Audience"),
    "trashed_at": _l("Trash"),
}

Piece: TypeAlias = tuple[Literal["same", "gone", "new"], str]


@dataclass(frozen=True)
class Difference:
    """One field that changed; `pieces` are of a text, the others of a short value."""

    name: str
    title: object
    before: Any = ""
    after: Any = ""
    pieces: Sequence[Piece] = ()


@dataclass(frozen=True)
class Edit:
    """One change of an entry; without differences its words were erased."""

    id: int
    time: datetime
    who: str
    differences: Sequence[Difference]


def edits_of(
    entry: Interaction, reader: User, *, before: int | None = None, limit: int = 20
) -> tuple[list[Edit], int | None]:
    """Read what was changed of `entry`, the latest first, and where older ones begin.

    The caller has made sure that `reader` may see the entry. Its author reads all that
    was changed; others what was changed while they could read it, and of the change
    that opened it to them no words from before.
    """
    mine = entry.author_id == reader.id
    events = sa.select(Event) if mine else visible_events(reader)
    query = (
        events.add_columns(User.name)
        .outerjoin(User, User.id == Event.actor_id)
        .where(Event.subject == entry.ref, Event.type == "interaction.updated")
        .order_by(Event.id.desc())
    )
    if before is not None:
        query = query.where(Event.id < before)
    rows = db.session.execute(query.limit(limit + 1)).all()
    told = [event for event, _name in rows]
    audiences, names = _audiences(told, reader), _names(told, reader)
    read = audiences.keys() if mine else _readable(audiences, reader)
    found = []
    for event, name in rows[:limit]:
        differences = list(_differences(event, audiences, read, names))
        # What only others may know of is no line without words.
        if differences or _TITLES.keys() & set(event.data.get("fields", ())):
            found.append(Edit(event.id, event.time, name or "", differences))
    return found, rows[limit - 1][0].id if len(rows) > limit else None


def _audiences(events: Sequence[Event], reader: User) -> dict[int, AudienceView]:
    ids = {one for event in events for one in _values(event).get("audience_id", ())}
    if not ids:
        return {}
    query = sa.select(Audience).where(Audience.id.in_(ids))
    return describe(db.session.scalars(query), reader)


def _names(events: Sequence[Event], reader: User) -> dict[str, dict[Any, str]]:
    """Name whom and what entries came to be about, as far as `reader` sees them."""
    told: dict[str, set[Any]] = {name: set() for name in BESIDE}
    for event in events:
        for name, both in _values(event).items():
            if name in told:
                told[name].update(*both)
    contacts, named = visible_to(reader, Contact), {}
    if told["about"]:
        query = contacts.where(Contact.id.in_(told["about"]))
        named = {one.id: one.name for one in db.session.scalars(query).unique()}
    linked = linked_records(sorted(told["linked"]), reader)
    return {
        "about": named,
        "linked": {one.ref: f"{one.kind}: {one.title}" for one in linked},
    }


def _readable(ids: Collection[int], reader: User) -> Collection[int]:
    opened = opened_to(reader)
    return set(db.session.scalars(opened.where(AudienceLabel.audience_id.in_(ids))))


def _values(event: Event) -> dict[str, Any]:
    return {**event.data.get("values", {}), **(event.personal or {})}


def _differences(
    event: Event,
    audiences: dict[int, AudienceView],
    read: Collection[int],
    names: dict[str, dict[Any, str]],
) -> Iterator[Difference]:
    values = _values(event)
    before, after = values.get("audience_id", (None, None))
    if before is not None and before not in read:
        # Until then its reader could not read it, nor learn who could.
        values = {"audience_id": (None, after)}
    for name, title in _TITLES.items():
        if name not in values:
            continue
        before, after = values[name]
        if name == "body":
            yield Difference(name, title, pieces=compared(before or "", after or ""))
        elif name == "audience_id":
            old, new = audiences.get(before), audiences.get(after)
            yield Difference(name, title, old and old.label, new and new.label)
        elif name == "trashed_at":
            said = _("Moved to trash.") if after else _("Put back.")
            yield Difference(name, title, after=said)
        else:
            yield Difference(name, title, _words(name, before), _words(name, after))
    for name, title in BESIDE.items():
        left, came = (
            ", ".join(sorted(names[name][one] for one in some if one in names[name]))
            for some in values.get(name, ((), ()))
        )
        if left or came:
            yield Difference(name, title, left, came)


def _words(name: str, value: Any) -> Any:
    if name == "kind":
        kind = kind_of(value)
        return kind.title if kind else value
    if name == "occurred_at" and value:
        return show_datetime(datetime.fromisoformat(value))
    return value or ""


def compared(before: str, after: str) -> list[Piece]:
    """Say which words of a text stayed, went and came."""
    old, new = _words_of(before), _words_of(after)
    if len(old) * len(new) > MOST_PAIRS:
        old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    if len(old) * len(new) > MOST_PAIRS:
        return [("gone", before), ("new", after)]
    found: list[Piece] = []
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for verb, a, b, c, d in matcher.get_opcodes():
        if verb == "equal":
            found.append(("same", "".join(old[a:b])))
            continue
        if a < b:
            found.append(("gone", "".join(old[a:b])))
        if c < d:
            found.append(("new", "".join(new[c:d])))
    return found


def _words_of(text: str) -> list[str]:
    return re.findall(r"\s+|\w+|[^\w\s]", text)
