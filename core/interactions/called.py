"""What the rows of a file refer to: contacts, accounts, and entries they answer.

All of a step is looked up together, so that a row costs no statement of its own.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from core.audiences import Audience, AudienceSpec
from core.contacts.finding import fold
from core.contacts.models import Contact
from core.contacts.services import contacts_with_email
from core.db import db
from core.errors import Invalid
from core.i18n import _
from core.imports import ImportContext, KeyedRow, Row
from core.interactions.models import Interaction, InteractionContact
from core.users.models import User
from core.visibility import visible_to

CONTACTS, INTERACTIONS, STAFF = "contacts", "interactions", "staff"


@dataclass
class Ready:
    """An entry to be made. Its parent is here already, or a row of this step."""

    values: dict[str, Any]
    spec: AudienceSpec
    contacts: list[int]
    links: "list[str | Ready]"
    parent: "int | Ready | None" = None
    # Outside nobody knows who works here, so their words call nobody.
    calls: bool = True
    # What the entry came to be, once it is made.
    id: int = 0


@dataclass
class Step:
    """What the rows of one step refer to: contacts, parents and records by key."""

    context: ImportContext
    contacts: Mapping[str, int]
    parents: Mapping[str, tuple[int, AudienceSpec, list[int]]]
    links: Mapping[str, str]
    made: dict[str, Ready] = field(default_factory=dict)
    _known: dict[Any, Any] = field(default_factory=dict)

    def once(self, name: Any, find: Any) -> Any:
        """Give what `find` found for an earlier row of this step, or now."""
        if name not in self._known:
            self._known[name] = find()
        return self._known[name]


def look_up(rows: Sequence[KeyedRow], context: ImportContext) -> Step:
    """Look up everything that the rows refer to by keys."""
    keys = context.keys
    named = {key for row in rows for key in _contact_keys(row.fields)}
    keys.look_up(CONTACTS, named)
    ids = {key: keys.record_id(CONTACTS, key, Contact) for key in named}
    wanted = [one for one in ids.values() if one is not None]
    there = sa.select(Contact.id).where(Contact.id.in_(wanted))
    alive = set(db.session.scalars(there)) if wanted else set()
    links = {one for row in rows for one in row.fields.get("links", [])}
    return Step(
        context,
        {key: one for key, one in ids.items() if one in alive},
        _parents(rows, context),
        keys.refs_of(links),
    )


def _contact_keys(row: Row) -> Iterable[str]:
    return [*row.get("contact_keys", []), *row.get("shared_with_keys", [])]


def _parents(
    rows: Sequence[KeyedRow], context: ImportContext
) -> dict[str, tuple[int, AudienceSpec, list[int]]]:
    named = {row.fields["parent_key"] for row in rows if "parent_key" in row.fields}
    if not named:
        return {}
    context.keys.look_up(INTERACTIONS, named)
    ids = {key: context.keys.record_id(INTERACTIONS, key, Interaction) for key in named}
    wanted = [one for one in ids.values() if one is not None]
    about: dict[int, list[int]] = {}
    joined = sa.select(InteractionContact.interaction_id, InteractionContact.contact_id)
    joined = joined.where(InteractionContact.interaction_id.in_(wanted))
    for entry_id, contact_id in db.session.execute(joined):
        about.setdefault(entry_id, []).append(contact_id)
    query = (
        sa.select(Interaction.id, Interaction.contact_id, Audience)
        .join(Audience, Audience.id == Interaction.audience_id)
        .where(Interaction.id.in_(wanted), Interaction.trashed_at.is_(None))
    )
    found = {}
    for row in db.session.execute(query):
        first = row.contact_id
        others = sorted(about.get(row.id, []), key=lambda one: (one != first, one))
        found[row.id] = (row.id, row.Audience.spec, others)
    return {key: found[one] for key, one in ids.items() if one in found}


def account_called(said: str) -> User | None:
    """Give the one account with this address or name, or None."""
    by = User.email == said.lower() if "@" in said else User.name == said
    found = db.session.scalars(sa.select(User).where(by).limit(2)).all()
    return found[0] if len(found) == 1 else None


def by_key(key: str, step: Step, field: str) -> int:
    """Give the id of the contact called `key`; raises `Invalid` for `field`."""
    known = step.contacts.get(key)
    if known is not None:
        return known
    return step.context.need(Contact, CONTACTS, key, field=field).id


def contact_called(said: str, actor: User) -> int:
    """Give the id of the one contact with this name or address; raises `Invalid`."""
    if "@" in said:
        found = contacts_with_email(said, actor=actor)
    else:
        query = visible_to(actor, Contact).where(Contact.sort_name == fold(said)[:200])
        found = list(db.session.scalars(query.limit(2)))
    if len(found) == 1:
        return found[0].id
    problem = (
        _("There is no contact “%(name)s”.", name=said)
        if not found
        else _("More than one contact is called “%(name)s”.", name=said)
    )
    raise Invalid(errors={"contact": [problem]})
