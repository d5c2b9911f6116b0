"""What erasing somebody would take away, and what would stay: told before it is done.

Only what the reader may see is counted: what colleagues keep to themselves goes too,
and how much of it there is stays with them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from core.contacts.erasing.emptying import personal_columns
from core.contacts.erasing.reach import Reach, chunks, reach_of
from core.contacts.forms import MORE_TITLES, TITLES
from core.contacts.models import Affiliation, Contact
from core.db import Record, db, table_of
from core.interactions.models import Interaction
from core.permissions import can
from core.records import RecordType, record_types
from core.users.models import User
from core.visibility import visible_conditions


@dataclass(frozen=True)
class Line:
    """A kind of records: how many there are, and what becomes of them."""

    title: object
    count: int
    fate: str  # removed, emptied, kept


@dataclass(frozen=True)
class Plan:
    """What a page says before somebody is erased."""

    fields: Sequence[str]
    lines: Sequence[Line]
    kept: Sequence[Line]
    # Entries that concern others too: they stay, or lose their words as well.
    with_others: int
    affiliations: int
    accounts: Sequence[str]


def plan_for(contact: Contact, user: User) -> Plan:
    """Say what erasing `contact` would do, as far as `user` may know of it."""
    reach = reach_of(contact, with_others=False)
    lines = [
        one for kind in record_types().values() for one in _lines(kind, reach, user)
    ]
    emails = sa.select(User.email).where(User.id.in_(reach.accounts))
    return Plan(
        fields=_filled(contact),
        lines=[one for one in lines if one.fate != "kept"],
        kept=[one for one in lines if one.fate == "kept"],
        with_others=_count(Interaction, reach.left, user),
        affiliations=_count(Contact, _organisations(reach), user),
        accounts=list(db.session.scalars(emails.order_by(User.email))),
    )


def _organisations(reach: Reach) -> set[int]:
    mine = Affiliation.person_id.in_(reach.contacts)
    return set(db.session.scalars(sa.select(Affiliation.organisation_id).where(mine)))


def _filled(contact: Contact) -> list[str]:
    titles = {**TITLES, **MORE_TITLES}
    return list(
        dict.fromkeys(
            str(titles[one.name])
            for one in personal_columns(table_of(Contact))
            if one.name in titles and getattr(contact, one.name)
        )
    )


def _lines(kind: RecordType, reach: Reach, user: User) -> list[Line]:
    if kind.model in (Contact, User):
        return []
    table = table_of(kind.model)
    ids = reach.rows.get(table, {}).get(table.c.id, set())
    removed = reach.removed.get(table, {}).get(table.c.id, set())
    fate = "emptied" if personal_columns(table) else "kept"
    if any(one.name == "contact_id" for one in table.columns) and fate == "emptied":
        # A business fact that names the person in one of its fields stays otherwise.
        fate = "kept" if _is_business(table) else fate
    found = [
        Line(kind.title, _count(kind.model, removed, user), "removed"),
        Line(kind.title, _count(kind.model, ids - removed, user), fate),
    ]
    return [one for one in found if one.count]


def _is_business(table: sa.Table) -> bool:
    """Say whether a row of `table` stands by itself, also without its contact."""
    keys = [one for one in table.foreign_keys if one.parent.name == "contact_id"]
    return any(one.ondelete == "SET NULL" for one in keys)


def _count(model: type[Record], ids: set[int], user: User) -> int:
    """Count those of a type that the reader may see; of another they learn nothing."""
    kind = record_types().get(model.record_name())
    if kind is None or not can(kind.permission, user):
        return 0
    columns: Any = model
    seen = visible_conditions(user, model)
    return sum(
        db.session.scalar(
            sa.select(sa.func.count())
            .select_from(model)
            .where(columns.id.in_(some), *seen)
        )
        or 0
        for some in chunks(ids)
    )
