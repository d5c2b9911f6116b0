"""What one does with contacts: add, change, join, find, put away and bring back.

Values are named as in the API. Services flush and never commit.
"""

import unicodedata
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from core import settings
from core.contacts import finding
from core.contacts.affiliations import seen_by, set_affiliations
from core.contacts.cleaning import clean
from core.contacts.erased import refuse_erased
from core.contacts.models import Affiliation, Contact
from core.db import db, now
from core.errors import Conflict, Invalid
from core.i18n import _
from core.users.models import User

KINDS = ("person", "organisation")
_NAMES = {"name", "given_name", "family_name"}
_SEARCHED = frozenset(_NAMES | {"emails", "phones", "addresses", "roles", "tags"})
_MOST_FOUND = 20


# -- Whose story -------------------------------------------------------------------


def rollup_ids(contact: Contact) -> sa.Select[int]:
    """Select the ids of the contacts whose story is also the story of `contact`.

    A person stands for themself. An organisation stands for itself, the organisations
    below it at any depth, and the people who belong to any of them now. What lies in
    the trash is left out, except `contact` itself. Roll-up adds no readers: what it
    finds still has to pass `visible_to`.
    """
    return rollup_of(contact.kind, contact.id)


def rollup_of(kind: str, contact_id: Any) -> sa.Select[int]:
    """Select the same for a contact of this `kind`; the id may be a parameter."""
    if kind == "person":
        return sa.select(Contact.id).where(Contact.id == contact_id)
    tree = _below(contact_id)
    # Asked of each person by key: as a join, SQLite would begin with all contacts.
    person = aliased(Contact)
    away = sa.exists().where(
        person.id == Affiliation.person_id, person.trashed_at.is_not(None)
    )
    people = sa.select(Affiliation.person_id).where(
        Affiliation.organisation_id.in_(sa.select(tree.c.id)),
        Affiliation.active,
        ~away,
    )
    found = sa.union(sa.select(tree.c.id), people).subquery("story")
    return sa.select(found.c.id)


def in_story(column: Any, kind: str, contact_id: Any) -> sa.ColumnElement[bool]:
    """Say that a column of contact ids names one whose story this is: `rollup_of`."""
    return in_these(column, rollup_of(kind, contact_id))


def in_these(column: Any, found: sa.Select[Any]) -> sa.ColumnElement[bool]:
    """Say that a column of contact ids names one of `found`, which are few."""
    if db.dialect == "postgresql":
        # PostgreSQL expects hundreds of people in a firm and would read whole tables;
        # of an array it expects a few, and looks each up.
        return sa.type_coerce(
            column == sa.any_(sa.func.array(found.scalar_subquery())), sa.Boolean
        )
    # The column may be any model's, so its condition has no type of its own.
    return column.in_(found)  # type: ignore[no-any-return]


def _below(organisation_id: Any) -> sa.CTE:
    """Collect the ids of an organisation and of all those below it."""
    top = sa.select(Contact.id).where(Contact.id == organisation_id)
    # Without a name of its own, so that one statement can ask for two of them.
    tree = top.cte(recursive=True)
    child = aliased(Contact)
    # UNION without ALL ends even where two organisations name each other as parent.
    return tree.union(
        sa.select(child.id)
        .join(tree, child.parent_id == tree.c.id)
        .where(child.trashed_at.is_(None))
    )


# -- Adding and changing -----------------------------------------------------------


def create_contact(values: Mapping[str, Any], *, actor: User | None) -> Contact:
    """Add a person or an organisation; `values` has at least `kind` and a name.

    Without `actor` nobody's sight limits whom it may name as parent or in
    affiliations. Raises `Invalid` with the messages of all fields.
    """
    contact, people = prepare_contact(values, actor=actor)
    finding.index_contact(contact)
    db.session.add(contact)
    db.session.flush()
    if people:
        set_affiliations(contact, people, actor=actor, new=True)
    return contact


def prepare_contact(
    values: Mapping[str, Any], *, actor: User | None
) -> tuple[Contact, Any]:
    """Make a contact of `values` that is not stored yet; also give its affiliations.

    Raises `Invalid` with the messages of all fields.
    """
    kind = values.get("kind")
    if kind not in KINDS:
        raise Invalid(errors={"kind": [_("Choose person or organisation.")]})
    contact = Contact(kind=kind, name="", given_name="", family_name="")
    rest = {name: value for name, value in values.items() if name != "kind"}
    for name in ("emails", "phones", "addresses", "roles", "tags"):
        rest.setdefault(name, [])
    if actor is not None and actor.reach != "all":
        # Whoever sees only their own contacts would lose sight of it at once.
        rest.setdefault("owner", actor.id)
    people = rest.pop("affiliations", None)
    _assign(contact, rest, actor)
    return contact, people


def change_contact(
    contact: Contact,
    values: Mapping[str, Any],
    *,
    actor: User | None,
    version: int | None = None,
) -> Contact:
    """Change the fields named in `values`, the others stay.

    Raises `Conflict` when `version` is no longer the current one, and `Invalid` with
    the messages of all fields.
    """
    refuse_erased(contact)
    if version is not None and version != contact.version:
        raise Conflict
    rest = dict(values)
    people = rest.pop("affiliations", None)
    # One flush for all of it: one version, one event.
    with db.session.no_autoflush:
        _assign(contact, rest, actor)
        if _SEARCHED & set(rest):
            finding.index_contact(contact)
        if people is not None:
            set_affiliations(contact, people, actor=actor)
    db.session.flush()
    db.session.expire(contact, ["owner", "parent"])  # They were of the ids before.
    return contact


def trash_contact(contact: Contact) -> None:
    """Put a contact away; `restore_contact` brings it back whole."""
    if contact.trashed_at is None:
        contact.trashed_at = now()
        db.session.flush()


def restore_contact(contact: Contact) -> None:
    """Bring a contact back from the trash; what was erased stays there.

    Raises `Conflict` for one that was merged: it comes back by parting the two.
    """
    refuse_erased(contact)
    if contact.merged_into_id is not None:
        said = _("%(name)s was merged. Part the two again.", name=contact.name)
        raise Conflict(said)
    contact.trashed_at = None
    db.session.flush()


def _assign(contact: Contact, values: dict[str, Any], actor: User | None) -> None:
    others = {"owner": _owner_id, "parent": _parent_id}
    cleaned, errors = clean({k: v for k, v in values.items() if k not in others})
    for name, find in others.items():
        if name in values:
            try:
                cleaned[f"{name}_id"] = find(values[name], contact, actor)
            except Invalid as invalid:
                errors |= invalid.errors
    _name(contact, cleaned)
    if not cleaned["name"] and "name" not in errors:
        errors["name"] = [_("Write a name.")]
    if errors:
        raise Invalid(errors=errors)
    cleaned["sort_name"] = (finding.fold(cleaned["name"]) or cleaned["name"])[:200]
    for name, value in cleaned.items():
        if getattr(contact, name) != value:
            setattr(contact, name, value)


def _name(contact: Contact, cleaned: dict[str, Any]) -> None:
    """Say in `cleaned` what the contact is called.

    A person without a name of their own is called by the given and family names, and
    follows when those change.
    """
    before = full_name(contact.given_name, contact.family_name)
    after = full_name(
        cleaned.get("given_name", contact.given_name),
        cleaned.get("family_name", contact.family_name),
    )
    cleaned.setdefault("name", "" if contact.name == before else contact.name)
    if not cleaned["name"] and contact.kind == "person":
        cleaned["name"] = after


def full_name(given: str, family: str) -> str:
    """Write a person's name; in East Asian scripts it begins with the family."""
    if not given or not family:
        return given or family
    if all(_is_east_asian(one) for one in (given, family)):
        return f"{family}{given}"
    return f"{given} {family}"[:200]


def _is_east_asian(text: str) -> bool:
    return all(unicodedata.east_asian_width(one) == "W" for one in text)


def _owner_id(value: Any, _contact: Contact, _actor: User | None) -> int | None:
    if isinstance(value, Mapping):
        value = value.get("id")
    if value is None or value == "":
        return None
    text = str(value).strip()
    by = User.id == int(text) if _is_id(text) else User.email == text.lower()
    query = sa.select(User.id).where(by, User.kind == "staff", User.active)
    # What no address can hold, such as half a character, no database can be asked for.
    found = db.session.scalar(query) if text.isprintable() else None
    if found is None:
        said = _("There is no colleague %(name)s.", name=text[:100])
        raise Invalid(errors={"owner": [said]})
    return found


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def _parent_id(value: Any, contact: Contact, actor: User | None) -> int | None:
    if isinstance(value, Mapping):
        value = value.get("id")
    if value is None or value == "":
        return None
    found = _organisation(str(value).strip(), actor)
    if contact.kind != "organisation" or found is None:
        said = _("Choose an organisation that this one belongs to.")
        raise Invalid(errors={"parent": [said]})
    if contact.id is not None:
        below = sa.select(_below(contact.id).c.id)
        if db.session.scalar(below.where(sa.column("id") == found.id)):
            said = _("%(name)s is below this organisation.", name=found.name)
            raise Invalid(errors={"parent": [said]})
    return found.id


def _organisation(text: str, actor: User | None) -> Contact | None:
    if not _is_id(text):
        return None
    query = seen_by(actor).where(Contact.id == int(text))
    return db.session.scalar(query.where(Contact.kind == "organisation"))


# -- Finding -----------------------------------------------------------------------


def contacts_with_email(address: str, *, actor: User | None = None) -> list[Contact]:
    """Find the contacts with exactly this e-mail address, the oldest first.

    Without `actor` all of the house's; at most twenty.
    """
    return _found("email", address.strip().lower(), actor)


def contacts_with_phone(number: str, *, actor: User | None = None) -> list[Contact]:
    """Find the contacts with exactly this phone number, however it is written."""
    region = str(settings.get("contacts")["region"])
    return _found("phone", finding.normal_phone(number, region), actor)


def _found(kind: str, value: str, actor: User | None) -> list[Contact]:
    if not value or "\x00" in value:
        return []
    query = seen_by(actor).where(finding.with_key(kind, value))
    return list(db.session.scalars(query.order_by(Contact.id).limit(_MOST_FOUND)))
