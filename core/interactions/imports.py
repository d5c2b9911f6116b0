"""Bringing in what was said and done, with its own author and time."""

from typing import Any

import sqlalchemy as sa
from marshmallow import fields

from core.audiences import AudienceSpec
from core.contacts.finding import fold
from core.contacts.models import Contact
from core.contacts.permissions import IMPORT
from core.contacts.services import contacts_with_email
from core.db import db
from core.errors import Forbidden, Invalid
from core.i18n import _
from core.i18n import lazy_gettext as _l
from core.imports import Export, ImportContext, ImportKind, Row
from core.interactions.exports import rows_of_interactions
from core.interactions.models import Interaction
from core.interactions.permissions import SHARE
from core.interactions.services import change_interaction, write_interaction
from core.permissions import can
from core.readers import choose_audience
from core.schemas import Moment, Schema, Text
from core.users.models import User
from core.visibility import visible_to

INTERACTIONS = "interactions"
_TABLE = (
    "id", "kind", "subject", "body", "occurred_at", "direction", "contact", "author",
    "audience", "teams", "users", "source", "details",
)  # fmt: skip
_VALUES = (
    "kind", "subject", "body", "occurred_at", "direction", "source", "details",
)  # fmt: skip


class InteractionRow(Schema):
    """One entry. `contact` is a name or an e-mail address, `author` likewise.

    `contact_keys`, `author_key` and `parent_key` are what the source itself calls
    them; `users` are colleagues who read it too, by address or name.
    Without an `audience` it is for the teams of its author, or for every
    colleague when its author has no account here.
    """

    kind = Text(most=40)
    subject = Text(most=300)
    body = Text(most=100_000, required=True)
    occurred_at = Moment()
    direction = Text(most=10)
    contact = Text()
    contact_keys = fields.List(Text())
    author = Text()
    author_key = Text()
    parent_key = Text()
    audience = Text(most=10)
    teams = fields.List(Text())
    users = fields.List(Text())
    source = Text(most=100)
    details = fields.Dict(keys=Text(most=40))


def bring_interaction(row: Row, context: ImportContext) -> Interaction:
    """Write the entry of a row as its author, or change what was brought in before."""
    found = context.existing(Interaction)
    values = {name: row[name] for name in _VALUES if name in row}
    if found is not None:
        if found.trashed_at is not None:
            raise Invalid(_("This entry is in the trash. Take it out first."))
        # The house itself brings it in: its author need not be the one who imports.
        return change_interaction(found, actor=None, **values)
    author = _author(row, context)
    contacts = _contacts(row, context)
    parent = None
    if "parent_key" in row:
        parent = context.need(
            Interaction, INTERACTIONS, row["parent_key"], field="parent_key"
        )
    return write_interaction(
        contacts,
        author=author,
        author_name="" if author else row.get("author", ""),
        audience=_audience(row, author, contacts, context),
        parent=parent,
        # It tells of the past, and nobody waits for the button.
        hold=0,
        **values,
    )


def _author(row: Row, context: ImportContext) -> User | None:
    """Find the account of who wrote it; a name without one is kept as a name."""
    if "author_key" in row:
        return context.need(User, "staff", row["author_key"], field="author_key")
    said = row.get("author", "")
    if not said:
        return context.actor
    by = User.email == said.lower() if "@" in said else User.name == said
    found = db.session.scalars(sa.select(User).where(by).limit(2)).all()
    return found[0] if len(found) == 1 else None


def _contacts(row: Row, context: ImportContext) -> list[Contact]:
    found = [
        context.need(Contact, "contacts", key, field="contact_keys")
        for key in row.get("contact_keys", [])
    ]
    said = row.get("contact", "")
    if said:
        found.append(_contact(said, context.actor))
    if not found and "parent_key" not in row:
        raise Invalid(errors={"contact": [_("Say which contact this is about.")]})
    return found


def _contact(said: str, actor: User) -> Contact:
    if "@" in said:
        found = contacts_with_email(said, actor=actor)
    else:
        query = visible_to(actor, Contact).where(Contact.sort_name == fold(said)[:200])
        found = list(db.session.scalars(query.limit(2)))
    if len(found) == 1:
        return found[0]
    problem = (
        _("There is no contact “%(name)s”.", name=said)
        if not found
        else _("More than one contact is called “%(name)s”.", name=said)
    )
    raise Invalid(errors={"contact": [problem]})


def _audience(
    row: Row, author: User | None, contacts: list[Contact], context: ImportContext
) -> AudienceSpec | None:
    lists = (("teams", "teams"), ("users", "private"))
    given = [kind for name, kind in lists if row.get(name)]
    kind = row.get("audience") or (given[0] if given else None)
    if kind is None:
        return None
    if kind == "shared" and not can(SHARE, context.actor):
        raise Forbidden(_("Your role may not show entries to customers or vendors."))
    if kind == "private" and author is None:
        said = _("Nobody could read this: its author has no account here.")
        raise Invalid(errors={"author": [said]})
    named: dict[str, Any] = {"teams": row["teams"]} if "teams" in row else {}
    if row.get("users") and kind in {"private", "teams"}:
        beside = "users" if kind == "private" else "also"
        named[beside] = [_colleague(one) for one in row["users"]]
    return choose_audience(
        author or context.actor,
        kind,
        contact=contacts[0] if contacts else None,
        **named,
    )


def _colleague(said: str) -> int:
    by = User.email == said.lower() if "@" in said else User.name == said
    query = sa.select(User.id).where(by, User.kind == "staff", User.active)
    found = db.session.scalars(query.limit(2)).all()
    if len(found) != 1:
        problem = _("There is no colleague %(name)s.", name=said[:100])
        raise Invalid(errors={"users": [problem]})
    return found[0]


KIND = ImportKind(
    name=INTERACTIONS,
    title=_l("Notes, calls and messages"),
    schema=InteractionRow,
    bring=bring_interaction,
    permission=IMPORT,
    columns={
        "occurred_at": {"from": "date", "time": "%Y-%m-%d"},
        "teams": {"from": "team", "split": ","},
        "users": {"from": "user", "split": ","},
        # A table has a column for each of these; JSON has what the house thought of.
        "details": {name: name for name in ("outcome", "duration", "place", "channel")},
    },
    export=Export(Interaction, rows_of_interactions, _TABLE),
)
