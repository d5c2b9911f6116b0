"""What the merge page shows: two contacts side by side, in words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import lazyload

from core.contacts.forms import TITLES
from core.contacts.history import last_author
from core.contacts.lists import contact_list
from core.contacts.merging.fields import CUSTOM, SINGLE, Row
from core.contacts.models import Contact
from core.db import db
from core.errors import NotFound
from core.events import Event
from core.i18n import LANGUAGES, _
from core.interactions.models import Interaction, InteractionContact
from core.permissions import can
from core.records import RecordType, record_types
from core.users.models import Team, User
from core.visibility import get_visible, visible_to

_NAMED: dict[str, type[User | Team | Contact]] = {
    "owner": User,
    "team": Team,
    "parent": Contact,
}
# People and organisations beside it are no records that belong to it.
_NO_BELONGINGS = {User.record_name(), Contact.record_name()}


@dataclass(frozen=True)
class Following:
    """How many records of a type belong to a contact, as far as one sees them."""

    title: object
    count: int


def words_of(row: Row, contact: Contact, user: User) -> str:
    """Write what a contact has in a field, for people."""
    name = row.name
    if name.startswith(CUSTOM):
        value = contact.custom.get(name.removeprefix(CUSTOM))
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        return "" if value is None else str(value)
    value = getattr(contact, SINGLE[name][0])
    if not value:
        return ""
    if name in _NAMED:
        try:
            return get_visible(user, _NAMED[name], value).name
        except NotFound:
            return _("One that you cannot see")
    if name == "language":
        return str(LANGUAGES.get(value, value))
    if name == "next_step" and contact.next_step_on:
        return f"{contact.next_step_on.isoformat()} {value}"
    return str(value)


def belonging_to(contact: Contact, user: User) -> list[Following]:
    """Count what would come along with a contact, by type, as far as one sees it."""
    found = []
    for kind in record_types().values():
        if kind.name in _NO_BELONGINGS or not can(kind.permission, user):
            continue
        count = _count(kind, contact, user)
        if count:
            found.append(Following(kind.title, count))
    accounts = sa.select(sa.func.count()).where(
        sa.or_(User.contact_id == contact.id, User.person_id == contact.id),
        User.kind != "staff",
    )
    count = db.session.scalar(accounts.select_from(User)) or 0
    return [*found, Following(_("Portal users"), count)] if count else found


def _count(kind: RecordType, contact: Contact, user: User) -> int:
    model: Any = kind.model
    if model is Interaction:
        linked = sa.select(InteractionContact.interaction_id).where(
            InteractionContact.contact_id == contact.id
        )
        belongs = model.id.in_(linked)
    elif hasattr(model, "contact_id"):
        belongs = model.contact_id == contact.id
    else:
        return 0
    seen = visible_to(user, model).where(belongs).options(lazyload("*"))
    ids = seen.with_only_columns(model.id).subquery()
    return db.session.scalar(sa.select(sa.func.count()).select_from(ids)) or 0


def found_like(contact: Contact, user: User, wanted: Any, most: int) -> list[Contact]:
    """Look for contacts that this one could be merged with."""
    query = contact_list(user, wanted).where(Contact.id != contact.id)
    ordered = query.order_by(Contact.sort_name, Contact.id).limit(most)
    return list(db.session.scalars(ordered))


# -- While somebody looked ---------------------------------------------------------


def last_event_of(contacts: Sequence[Contact]) -> int:
    """Give the number of the last thing that happened to these contacts."""
    query = sa.select(sa.func.max(Event.id)).where(
        Event.subject.in_([one.ref for one in contacts])
    )
    return db.session.scalar(query) or 0


@dataclass(frozen=True)
class Meanwhile:
    """What somebody did to one of two contacts while they were being looked at."""

    said: Sequence[str]
    fields: frozenset[str]


def changed_since(
    contacts: Sequence[Contact], versions: Mapping[int, int], seen: int, user: User
) -> Meanwhile:
    """Say who changed which of these contacts, and which fields."""
    said = list(_who(contacts, versions, user))
    query = sa.select(Event.data).where(
        Event.subject.in_([one.ref for one in contacts]), Event.id > seen
    )
    columns = {
        one for data in db.session.scalars(query) for one in data.get("fields", ())
    }
    names = {name for name, brought in SINGLE.items() if columns.intersection(brought)}
    return Meanwhile(said, frozenset(names | (columns & TITLES.keys())))


def _who(
    contacts: Sequence[Contact], versions: Mapping[int, int], user: User
) -> Iterator[str]:
    for one in contacts:
        if versions.get(one.id, one.version) == one.version:
            continue
        who = last_author(one, user)
        if who:
            yield _(
                "%(who)s changed %(name)s while you were here. Look again.",
                who=who,
                name=one.name,
            )
        else:
            yield _(
                "%(name)s was changed while you were here. Look again.", name=one.name
            )
