"""Who belongs to which organisation: joining, leaving, and what a page shows of it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from core.contacts.cleaning import Refused, day_of, text_of
from core.contacts.models import Affiliation, Contact
from core.db import db, now
from core.errors import Invalid
from core.events import announce
from core.i18n import _
from core.i18n import lazy_gettext as _l
from core.sight import among
from core.statements import prepared
from core.users.models import User
from core.visibility import visible_conditions, visible_to

# How many people or organisations of one contact are shown or sent at once.
MOST_SHOWN = 100
MOST_SENT = 200
ONLY_PEOPLE_BELONG = _l("A person belongs to an organisation, nothing else does.")


class Related(NamedTuple):
    """A contact beside another one; `relation` is what it is to that one.

    `person` and `organisation` are affiliations, `parent` and `child` the hierarchy.
    `total` counts all with the same relation.
    """

    contact_id: int
    relation: str
    id: int
    name: str
    kind: str
    phones: list[dict[str, Any]]
    affiliation_id: int | None
    role: str
    active: bool
    since: date | None
    until: date | None
    total: int


def seen_by(actor: User | None) -> sa.Select[Contact]:
    """Select the contacts `actor` may name; all of them for the house itself."""
    if actor is not None:
        return visible_to(actor, Contact)
    return sa.select(Contact).where(Contact.trashed_at.is_(None))


def touch(*contacts: Contact) -> None:
    """Give contacts a new version, since what belongs to them has changed."""
    for contact in contacts:
        contact.updated_at = now()


def affiliate(
    person: Contact,
    *,
    organisation: Contact,
    role: str = "",
    active: bool = True,
    since: date | None = None,
    until: date | None = None,
) -> Affiliation:
    """Let `person` belong to `organisation` in a role; the same again changes it.

    Raises `Invalid` when they are not a person and an organisation.
    """
    if (person.kind, organisation.kind) != ("person", "organisation"):
        raise Invalid(errors={"affiliations": [str(ONLY_PEOPLE_BELONG)]})
    db.session.flush()
    found = db.session.scalar(
        sa.select(Affiliation).where(
            Affiliation.person_id == person.id,
            Affiliation.organisation_id == organisation.id,
            Affiliation.role == role,
        )
    )
    if found is None:
        found = Affiliation(person=person, organisation=organisation, role=role)
        db.session.add(found)
    found.active, found.since, found.until = active, since, until
    touch(person, organisation)
    db.session.flush()
    return found


def end_affiliation(affiliation: Affiliation, *, until: date | None = None) -> None:
    """Say that a person has left; it stays in their history."""
    affiliation.active = False
    affiliation.until = until or now().date()
    touch(affiliation.person, affiliation.organisation)
    announce("contact.left", affiliation.person, {"affiliation": affiliation.id})


def reopen_affiliation(affiliation: Affiliation) -> None:
    """Say that a person has not left after all."""
    affiliation.active, affiliation.until = True, None
    touch(affiliation.person, affiliation.organisation)
    db.session.flush()


def set_affiliations(
    contact: Contact,
    entries: Iterable[Mapping[str, Any]],
    *,
    actor: User | None,
    new: bool = False,
) -> None:
    """Make `entries` the affiliations of `contact`, those `actor` cannot see stay.

    Each entry names the other side, as `organisation` for a person and as `person`
    for an organisation, and may say `role`, `active`, `since`, `until`. A `new`
    contact keeps its first version. Raises `Invalid` naming the entry.
    """
    wanted = _wanted(contact, list(entries), actor)
    other_side = "organisation_id" if contact.kind == "person" else "person_id"
    mine = (
        Affiliation.person_id
        if contact.kind == "person"
        else Affiliation.organisation_id
    )
    query = sa.select(Affiliation).where(mine == contact.id)
    if actor is not None:
        seen = sa.select(Contact.id).where(*visible_conditions(actor, Contact))
        query = query.where(getattr(Affiliation, other_side).in_(seen))
    existing = {
        (getattr(one, other_side), one.role): one for one in db.session.scalars(query)
    }
    changed = set(existing) - set(wanted)
    for key in changed:
        db.session.delete(existing[key])
    for key, (other, said) in wanted.items():
        row = existing.get(key)
        if row is None:
            row = Affiliation(role=key[1])
            person = contact.kind == "person"
            row.person, row.organisation = (
                (contact, other) if person else (other, contact)
            )
            db.session.add(row)
        elif (row.active, row.since, row.until) == said:
            continue
        row.active, row.since, row.until = said
        changed.add(key)
    if changed:
        ids = [other_id for other_id, _role in changed]
        touch(*db.session.scalars(sa.select(Contact).where(Contact.id.in_(ids))))
        if not new:
            touch(contact)
    db.session.flush()


Said = tuple[bool, date | None, date | None]


def _wanted(
    contact: Contact, entries: list[Mapping[str, Any]], actor: User | None
) -> dict[tuple[int, str], tuple[Contact, Said]]:
    side = "organisation" if contact.kind == "person" else "person"
    if len(entries) > MOST_SENT:
        raise Invalid(
            errors={"affiliations": [_("At most %(num)d fit here.", num=MOST_SENT)]}
        )
    ids = [_id_of(one.get(side)) for one in entries]
    query = seen_by(actor).where(Contact.kind == side, Contact.id.in_(ids))
    known = {one.id: one for one in db.session.scalars(query)}
    found: dict[tuple[int, str], tuple[Contact, Said]] = {}
    errors: dict[str, list[str]] = {}
    for at, (entry, other_id) in enumerate(zip(entries, ids, strict=True)):
        path = f"affiliations.{at}"
        if other_id not in known:
            errors[f"{path}.{side}"] = [_("This contact is not known.")]
            continue
        try:
            role = text_of(entry.get("role"), 100)
            since, until = day_of(entry.get("since")), day_of(entry.get("until"))
        except Refused as refused:
            errors[path] = [str(refused)]
            continue
        said = (bool(entry.get("active", until is None)), since, until)
        found[other_id, role] = (known[other_id], said)
    if errors:
        raise Invalid(errors=errors)
    return found


def _id_of(value: Any) -> int:
    if isinstance(value, Mapping):
        value = value.get("id")
    return value if isinstance(value, int) and 0 < value < 2**31 else 0


def related(
    contact_ids: Sequence[int],
    user: User,
    *,
    most: int = MOST_SENT,
    children: bool = False,
) -> list[Related]:
    """Give who belongs with each of these contacts, as far as `user` sees them.

    One statement for any number of contacts: affiliations and parents, and with
    `children` also the organisations below. At most `most` of each kind per contact,
    those of today first.
    """
    if not contact_ids:
        return []
    statement = prepared(user, _related, children)
    rows = statement.rows(contact_ids=list(contact_ids), most=most)
    return [Related._make(row) for row in rows]


def _related(user: User, children: bool) -> sa.Select[Any]:
    pairs = _pairs(children=children).subquery("pairs")
    each = [pairs.c.contact_id, pairs.c.relation]
    order = (pairs.c.active.desc(), Contact.sort_name, Contact.id)
    ranked = (
        sa.select(
            pairs,
            Contact.name,
            Contact.kind,
            Contact.phones,
            sa.func.row_number().over(partition_by=each, order_by=order).label("place"),
            sa.func.count().over(partition_by=each).label("total"),
        )
        .join(Contact, Contact.id == pairs.c.id)
        .where(Contact.trashed_at.is_(None), *visible_conditions(user, Contact))
        .subquery("ranked")
    )
    columns = [ranked.c[name] for name in Related._fields]
    query = sa.select(*columns).where(ranked.c.place <= sa.bindparam("most"))
    return query.order_by(ranked.c.contact_id, ranked.c.relation, ranked.c.place)


def _pairs(*, children: bool) -> sa.CompoundSelect[Any]:
    """Pair each contact with the ids of those beside it, and how they belong."""
    row = Affiliation
    said = (row.id.label("affiliation_id"), row.role, row.active, row.since, row.until)
    mine = aliased(Contact)
    none = (
        sa.null().label("affiliation_id"),
        sa.literal("").label("role"),
        sa.true().label("active"),
        sa.null().label("since"),
        sa.null().label("until"),
    )

    def pair(
        contact_id: Any, other_id: Any, relation: str, *more: Any
    ) -> sa.Select[Any]:
        return sa.select(
            contact_id.label("contact_id"),
            other_id.label("id"),
            sa.literal(relation).label("relation"),
            *more,
        ).where(among(contact_id, "contact_ids"))

    found = [
        pair(row.person_id, row.organisation_id, "organisation", *said),
        pair(row.organisation_id, row.person_id, "person", *said),
        pair(mine.id, mine.parent_id, "parent", *none),
    ]
    if children:
        found.append(pair(mine.parent_id, mine.id, "child", *none))
    return sa.union_all(*found)
