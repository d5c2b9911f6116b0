"""Which contacts a list shows, and what a program is sent of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased, defer, joinedload, lazyload, load_only

from core import settings
from core.contacts import finding
from core.contacts.affiliations import Related, related
from core.contacts.models import Affiliation, Contact
from core.contacts.quiet import gone_quiet
from core.db import db
from core.errors import NotFound
from core.statements import prepared
from core.users.models import User
from core.visibility import get_visible, visible_conditions, visible_to

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
# Counting stops here: nobody reads a thousand rows, and a count reads them all.
MOST_COUNTED = 1_000

# Only the owner's name is shown; what they may do is not asked for.
_WITH_OWNER = joinedload(Contact.owner).options(
    load_only(User.name), lazyload(User.roles), lazyload(User.teams)
)

# A list draws none of these, and fifty rows of them take their time to read.
SHORT = [
    defer(one)
    for one in (Contact.emails, Contact.addresses, Contact.custom, Contact.know_first)
]

# What people outside the house see of a contact: their own side of it.
OUTSIDE = (
    "id",
    "kind",
    "name",
    "given_name",
    "family_name",
    "job_title",
    "emails",
    "phones",
    "addresses",
    "roles",
    "language",
    "website",
    "version",
)
# What belongs to the house alone.
INSIDE = (
    "do_not_contact",
    "know_first",
    "next_step",
    "next_step_on",
    "tags",
    "custom",
    "last_interaction_at",
    "created_at",
    "updated_at",
)


@dataclass(frozen=True)
class Wanted:
    """What a reader asks a list for; empty fields ask for nothing.

    `owner` is an id, `me` or `nobody`; `view` is empty, `quiet` or `trash`.
    """

    q: str = ""
    kind: str = ""
    role: str = ""
    owner: str = ""
    tag: str = ""
    organisation: int | None = None
    view: str = ""

    @property
    def narrowed(self) -> int:
        """How many filters are set."""
        filters = (self.q, self.kind, self.role, self.owner, self.tag)
        return sum(map(bool, filters)) + (self.organisation is not None)


def contact_list(
    user: User, wanted: Wanted, *, common: bool = False
) -> sa.Select[Contact]:
    """Select the contacts `user` asks for, in no order, each with its owner.

    It is read otherwise where their number is known to be `common`, above
    `MOST_COUNTED`: see `core.contacts.finding.matching`.
    """
    in_trash = wanted.view == "trash"
    query = visible_to(user, Contact, trashed=in_trash)
    conditions = list(_conditions(user, wanted, common))
    if in_trash:
        # By the index of what is in the trash, instead of all names in order.
        there = aliased(Contact)
        ids = sa.select(there.id).where(
            there.trashed_at > _LONG_AGO, there.erased_at.is_(None)
        )
        # Who was merged comes back by parting, not from here.
        conditions += [Contact.id.in_(ids), Contact.merged_into_id.is_(None)]
    return query.where(*conditions).options(_WITH_OWNER)


def any_contacts() -> sa.Select[Contact]:
    """Select contacts as lists draw them; the caller says which."""
    return sa.select(Contact).options(_WITH_OWNER)


def _conditions(
    user: User, wanted: Wanted, common: bool
) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if wanted.q.strip():
        region = _setting("region")
        found += finding.matching(wanted.q.strip(), region, common=common)
    if wanted.kind:
        found.append(Contact.kind == wanted.kind)
    if wanted.role:
        found.append(finding.with_key("role", wanted.role))
    if wanted.tag:
        found.append(finding.with_tag(wanted.tag))
    if wanted.owner:
        found.append(_owned_by(user, wanted.owner))
    if wanted.organisation is not None:
        get_visible(user, Contact, wanted.organisation)
        people = sa.select(Affiliation.person_id).where(
            Affiliation.organisation_id == wanted.organisation
        )
        found.append(Contact.id.in_(people))
    if wanted.view == "quiet":
        found.append(gone_quiet())
    return found


def _setting(name: str) -> Any:
    return settings.get("contacts")[name]


def _owned_by(user: User, owner: str) -> sa.ColumnElement[bool]:
    if owner == "nobody":
        return Contact.owner_id.is_(None)
    if owner == "me":
        return Contact.owner_id == user.id
    if not owner.isdecimal() or len(owner) > 9:
        return sa.false()
    return Contact.owner_id == int(owner)


def count_found(user: User, wanted: Wanted) -> int:
    """Count what `contact_list` gives, and stop at one more than `MOST_COUNTED`."""
    by_keys = _count_by_keys(user, wanted)
    return count_up_to(contact_list(user, wanted)) if by_keys is None else by_keys


def _count_by_keys(user: User, wanted: Wanted) -> int | None:
    """Count by the index of keys alone; None where it is not enough.

    It is for one word, somebody who sees every contact, and no other filter.
    """
    text = wanted.q.strip()
    if not text or wanted != Wanted(q=wanted.q) or visible_conditions(user, Contact):
        return None
    meant = finding.meant(text, _setting("region"))
    if len(meant) != 1:
        return None
    # A name is often found by its e-mail address too.
    most = 3 * (MOST_COUNTED + 1)
    keys = meant[0].limit(sa.literal_column(str(most))).subquery()
    trash = sa.select(Contact.id).where(Contact.trashed_at > _LONG_AGO)
    ids = sa.distinct(keys.c.contact_id)
    shown = sa.func.count(ids).filter(keys.c.contact_id.not_in(trash))
    read, count = db.session.execute(sa.select(sa.func.count(), shown)).one()
    if read == most and count <= MOST_COUNTED:
        return None
    return min(count, MOST_COUNTED + 1)


def count_up_to(query: sa.Select[Contact]) -> int:
    """Count the rows of `query`, and stop at one more than `MOST_COUNTED`."""
    ids = query.options(lazyload("*")).with_only_columns(Contact.id)
    few = ids.order_by(None).limit(sa.literal_column(str(MOST_COUNTED + 1))).subquery()
    return db.session.scalar(sa.select(sa.func.count()).select_from(few)) or 0


def firms_of(contacts: Sequence[Contact], user: User) -> dict[int, Related]:
    """Give the organisation each person of a list belongs to first; one statement."""
    people = [one.id for one in contacts if one.kind == "person"]
    found = related(people, user, most=1)
    return {one.contact_id: one for one in found if one.active}


def colleagues() -> list[tuple[int, str]]:
    """Give everybody who may own a contact, by name."""
    query = sa.select(User.id, User.name).where(User.kind == "staff", User.active)
    return [(row.id, row.name) for row in db.session.execute(query.order_by(User.name))]


def load_contact(user: User, contact_id: int, *, trashed: bool = False) -> Contact:
    """Give one contact with its owner, or raise `NotFound`."""
    if not 0 < contact_id < 2**31:
        raise NotFound
    found = prepared(user, _one_contact, trashed).scalars(contact_id=contact_id)
    if not found:
        raise NotFound
    contact: Contact = found[0]
    return contact


def load_with_merged(user: User, contact_id: int) -> tuple[Contact, str]:
    """Give one contact, in the trash or not, and the names of what went into it.

    One statement; what went into it is named as far as `user` sees it.
    """
    if not 0 < contact_id < 2**31:
        raise NotFound
    rows = prepared(user, _with_merged).rows(contact_id=contact_id)
    if not rows:
        raise NotFound
    contact, names = rows[0]
    return contact, names or ""


def _with_merged(user: User) -> sa.Select[Any]:
    gone = aliased(Contact)
    names = sa.select(sa.func.aggregate_strings(gone.name, ", ")).where(
        gone.merged_into_id == Contact.id
    )
    conditions = visible_conditions(user, Contact)
    if conditions:
        seen = sa.select(Contact.id).where(*conditions).correlate(None)
        names = names.where(gone.id.in_(seen))
    query = _one_contact(user, True)
    return query.add_columns(names.correlate(Contact).scalar_subquery())


def _one_contact(user: User, trashed: bool) -> sa.Select[Contact]:
    query = visible_to(user, Contact, trashed=trashed)
    return query.where(Contact.id == sa.bindparam("contact_id")).options(_WITH_OWNER)


def sent(contacts: Sequence[Contact], user: User) -> list[dict[str, Any]]:
    """Give what a program acting as `user` is sent of `contacts`; one statement."""
    beside: dict[int, list[Related]] = {}
    for one in related([contact.id for contact in contacts], user):
        beside.setdefault(one.contact_id, []).append(one)
    return [_sent(one, beside.get(one.id, []), user) for one in contacts]


def _sent(contact: Contact, beside: list[Related], user: User) -> dict[str, Any]:
    found = {name: getattr(contact, name) for name in OUTSIDE}
    found["affiliations"] = [
        _affiliation(contact, one) for one in beside if one.affiliation_id is not None
    ]
    found["parent"] = next((one for one in beside if one.relation == "parent"), None)
    if user.kind == "staff":
        found |= {name: getattr(contact, name) for name in INSIDE}
        found["owner"] = contact.owner
    return found


def _affiliation(contact: Contact, one: Related) -> dict[str, Any]:
    here = {"id": contact.id, "name": contact.name}
    there = {"id": one.id, "name": one.name}
    person, organisation = (here, there) if contact.kind == "person" else (there, here)
    return {
        "id": one.affiliation_id,
        "person": person,
        "organisation": organisation,
        "role": one.role,
        "active": one.active,
        "since": one.since,
        "until": one.until,
    }
