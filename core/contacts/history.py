"""What happened to a record, in words: who changed which fields, and when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from core.contacts.forms import MORE_TITLES, TITLES
from core.contacts.models import Contact
from core.db import db
from core.errors import NotFound
from core.event_visibility import visible_events
from core.events import Event, declarations
from core.i18n import _
from core.permissions import me
from core.users.models import Team, User
from core.visibility import get_visible

# Columns that follow from others, or are told elsewhere.
_SILENT = {"sort_name", "last_interaction_at"}
# Columns that hold a number where a reader wants a name.
_NAMED: dict[str, type[User | Team | Contact]] = {
    "owner_id": User,
    "team_id": Team,
    "parent_id": Contact,
}


@dataclass(frozen=True)
class Change:
    """One line of the history; `fields` are (title, before, after)."""

    id: int
    time: datetime
    who: str
    what: str
    fields: Sequence[tuple[str, str, str]]


def changes(
    contact: Contact,
    user: User,
    *,
    before: int | None = None,
    limit: int = 50,
    news_since: datetime | None = None,
    merged: bool = False,
) -> tuple[list[Change], int | None]:
    """Read what happened to `contact`, the latest first, and where older ones begin.

    With `news_since` only what others than `user` did after this moment; with
    `merged` also what happened to those that went into it.
    """
    about = Event.subject == contact.ref
    if merged:
        about = Event.subject.in_(_refs(contact))
    query = (
        visible_events(user)
        .where(about)
        .outerjoin(User, User.id == Event.actor_id)
        .add_columns(User.name)
        .order_by(Event.id.desc())
        .limit(limit + 1)
    )
    if before is not None:
        query = query.where(Event.id < before)
    if news_since is not None:
        query = query.where(
            Event.time > news_since, Event.actor_id.is_distinct_from(user.id)
        )
    rows = db.session.execute(query).all()
    found = [_change(event, name or "") for event, name in rows[:limit]]
    return found, rows[limit - 1][0].id if len(rows) > limit else None


def _refs(contact: Contact) -> sa.CompoundSelect[str]:
    ref = sa.literal(f"{Contact.record_name()}/") + sa.cast(Contact.id, sa.String)
    gone = sa.select(ref).where(Contact.merged_into_id == contact.id)
    return sa.union_all(sa.select(sa.literal(contact.ref)), gone)


def last_author(contact: Contact, user: User) -> str:
    """Name who changed `contact` last, as far as `user` may know."""
    found, _older = changes(contact, user, limit=1)
    return found[0].who if found else ""


def _change(event: Event, who: str) -> Change:
    verb = event.type.rpartition(".")[2]
    values = {**event.data.get("values", {}), **(event.personal or {})}
    named = [one for one in event.data.get("fields", []) if one not in _SILENT]
    fields = [
        (_title(one), _value(one, values[one][0]), _value(one, values[one][-1]))
        for one in named
        if one != "trashed_at" and one in values
    ]
    return Change(event.id, event.time, who, _what(event, verb, named, values), fields)


def _what(event: Event, verb: str, named: list[str], values: dict[str, Any]) -> str:
    if verb == "created":
        return _("Added")
    if verb != "updated":
        declared = declarations().types.get(event.type)
        return str(declared.title) if declared else verb
    if "trashed_at" in named:
        after = values["trashed_at"][1]
        return _("Put in the trash") if after else _("Brought back from the trash")
    titles = ", ".join(dict.fromkeys(_title(one) for one in named))
    return _("Changed: %(fields)s", fields=titles or _("Who belongs where"))


def _title(field: str) -> str:
    return str(TITLES.get(field) or MORE_TITLES.get(field) or field)


def _value(field: str, value: Any) -> str:
    """Write a value; where it is the number of something that still is, its name."""
    kind = _NAMED.get(field)
    if kind is None or not isinstance(value, int):
        return _words(value)
    try:
        return get_visible(me(), kind, value).name
    except NotFound:
        return _words(value)


def _words(value: Any) -> str:
    """Write a column's value on one line."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(filter(None, map(_words, value)))
    if isinstance(value, dict):
        return " ".join(filter(None, map(_words, value.values())))
    return str(value)
