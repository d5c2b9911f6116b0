"""Bringing in contacts: organisations and people, and who belongs where."""

from typing import Any

import sqlalchemy as sa
from marshmallow import fields

from core.contacts import permissions, services
from core.contacts.affiliations import affiliate
from core.contacts.columns import ABOUT, TARGETS
from core.contacts.exports import rows_of_contacts
from core.contacts.finding import fold
from core.contacts.many import bring_contacts, kind_of
from core.contacts.models import Affiliation, Contact
from core.db import db
from core.errors import Invalid
from core.i18n import _
from core.i18n import lazy_gettext as _l
from core.imports import Export, ImportContext, ImportKind, Row
from core.schemas import Schema, Text
from core.users.models import User

# A table has a column for each of the first few; JSON has all.
_MORE = ("", "_2", "_3", "_4", "_5")
_ADDRESS = ("street", "postcode", "city", "region", "country")
_TABLE = (
    "id", "kind", "name", "given_name", "family_name", "job_title", "organisation",
    "organisation_role", "emails", "phones", "addresses", "roles", "tags", "language",
    "website", "do_not_contact", "know_first", "next_step", "next_step_on", "parent",
    "owner",
)  # fmt: skip
CONTACTS = "contacts"
STAFF = "staff"


class ContactRow(Schema):
    """One contact, as a mapping fills it; the fields are those of the API.

    `organisation` and `parent` are names, and an organisation nobody knows is made;
    `organisation_key`, `parent_key` and `owner_key` are what the source itself calls
    them. `owner` is a colleague's e-mail address.
    """

    kind = Text(most=12)
    name = Text()
    given_name = Text(most=100)
    family_name = Text(most=100)
    job_title = Text(most=100)
    emails = fields.List(fields.Raw())
    phones = fields.List(fields.Raw())
    addresses = fields.List(fields.Dict(keys=Text()))
    roles = fields.List(Text())
    tags = fields.List(Text())
    custom = fields.Dict(keys=Text())
    language = Text(most=5)
    website = Text()
    do_not_contact = fields.Boolean()
    know_first = Text(most=10_000)
    next_step = Text(most=300)
    next_step_on = fields.Date()
    parent = Text()
    parent_key = Text()
    owner = Text(most=254)
    owner_key = Text()
    organisation = Text()
    organisation_key = Text()
    organisation_role = Text(most=100)


def bring_contact(row: Row, context: ImportContext) -> Contact:
    """Make or change the contact of a row, and join it to its organisation."""
    values = dict(row)
    kind = kind_of(values)
    values.pop("kind", None)
    parent = _organisation(values, context, "parent")
    organisation = _organisation(values, context, "organisation")
    role = values.pop("organisation_role", "")
    if parent is not None:
        values["parent"] = parent.id
    owner_key = values.pop("owner_key", None)
    if owner_key is not None:
        owner = context.need(User, STAFF, owner_key, field="owner_key")
        values["owner"] = owner.id
    contact = _known(kind, values, context)
    if contact is None:
        contact = services.create_contact({"kind": kind, **values}, actor=context.actor)
    else:
        if context.key is None or context.keys.is_own(CONTACTS, context.key):
            values = _beside(contact, values)
        services.change_contact(contact, values, actor=context.actor)
    if organisation is not None and not _belongs(contact, organisation, role):
        affiliate(contact, organisation=organisation, role=role)
    return contact


def _beside(contact: Contact, values: dict[str, Any]) -> dict[str, Any]:
    """Put what a row lists beside what is here already.

    Only with a key of another system is a row the whole truth about its contact. One
    that was found by name or e-mail must not take a phone away, nor one that this house
    wrote itself: a table has room for five.
    """
    found = dict(values)
    marks = {"emails": "address", "phones": "number"}
    for name in ("emails", "phones", "addresses", "roles", "tags"):
        if name not in values:
            continue
        here = list(getattr(contact, name))
        known = {_mark(one, marks.get(name, "")) for one in here}
        new = [
            one for one in values[name] if _mark(one, marks.get(name, "")) not in known
        ]
        found[name] = here + new
    return found


def _mark(entry: Any, part: str) -> str:
    """Say by what two entries of a list are the same."""
    if not isinstance(entry, dict):
        return str(entry).strip().casefold()
    if part:
        signs = str(entry.get(part, "")).casefold()
        return "".join(one for one in signs if one.isalnum() or one in "@.+")
    words = sorted(f"{k}={v}" for k, v in entry.items() if v and k != "label")
    return ";".join(words).casefold()


def _organisation(
    values: dict[str, Any], context: ImportContext, field: str
) -> Contact | None:
    """Find the organisation a row names by key or by name; a new name is made."""
    key = values.pop(f"{field}_key", None)
    name = values.pop(field, None)
    if key is not None:
        return _alive(context.need(Contact, CONTACTS, key, field=f"{field}_key"))
    if not name:
        return None
    return _named("organisation", name) or services.create_contact(
        {"kind": "organisation", "name": name}, actor=context.actor
    )


def _known(kind: str, values: dict[str, Any], context: ImportContext) -> Contact | None:
    """Find the contact a row means.

    A row with a key of its own means what that key meant before. One without means
    the organisation of that name, or the person of that name who has one of these
    e-mail addresses.
    """
    if context.key is not None:
        found = context.existing(Contact)
        return None if found is None else _alive(found)
    if context.as_new:
        return None
    name = values.get("name") or services.full_name(
        values.get("given_name", ""), values.get("family_name", "")
    )
    if kind == "organisation":
        return _named(kind, name)
    for entry in values.get("emails", []):
        address = entry.get("address", "") if isinstance(entry, dict) else entry
        for one in services.contacts_with_email(str(address), actor=context.actor):
            if one.kind == kind and one.sort_name == fold(name):
                return one
    return None


def _named(kind: str, name: str) -> Contact | None:
    query = sa.select(Contact).where(
        Contact.sort_name == fold(name)[:200],
        Contact.kind == kind,
        Contact.trashed_at.is_(None),
    )
    return db.session.scalar(query.order_by(Contact.id).limit(1))


def _alive(contact: Contact) -> Contact:
    """Follow a merged contact to what it became; refuse one in the trash."""
    seen = {contact.id}
    while contact.merged_into_id is not None and contact.merged_into_id not in seen:
        seen.add(contact.merged_into_id)
        contact = db.session.get_one(Contact, contact.merged_into_id)
    if contact.trashed_at is not None:
        raise Invalid(
            _("%(name)s is in the trash. Take it out first.", name=contact.name)
        )
    return contact


def _belongs(person: Contact, organisation: Contact, role: str) -> bool:
    """Say whether they are joined already; who has left stays so."""
    query = sa.select(Affiliation.id).where(
        Affiliation.person_id == person.id,
        Affiliation.organisation_id == organisation.id,
    )
    if role:
        query = query.where(Affiliation.role == role)
    return db.session.scalar(query.limit(1)) is not None


KIND = ImportKind(
    name=CONTACTS,
    title=_l("Contacts"),
    schema=ContactRow,
    bring=bring_contact,
    permission=permissions.IMPORT,
    bring_many=bring_contacts,
    targets=TARGETS,
    about=ABOUT,
    doubles=True,
    columns={
        "emails": [{"address": f"email{n}", "label": f"email{n}_label"} for n in _MORE],
        "phones": [{"number": f"phone{n}", "label": f"phone{n}_label"} for n in _MORE],
        "addresses": [{name: f"{name}{n}" for name in _ADDRESS} for n in _MORE[:3]],
        "roles": {"from": "role", "split": ","},
        "tags": {"from": "tag", "split": ","},
    },
    export=Export(Contact, rows_of_contacts, _TABLE),
)
