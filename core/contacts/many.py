"""Bringing in contacts by the hundred: those that are plainly new, in few statements.

What a single row does in `core.contacts.imports` is the rule; this does the same for
rows that cannot mean anybody who is here already, and stops before the first that can.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from core import settings
from core.bulk import record_many, touch_many
from core.contacts import finding, services
from core.contacts.affiliations import ONLY_PEOPLE_BELONG
from core.contacts.models import Affiliation, Contact, ContactKey
from core.db import db, table_of
from core.errors import CRMError, Invalid
from core.imports import ImportContext, KeyedRow, Made, Row
from core.rows import add_rows
from core.users.models import User

# Rows with these refer to what only a look at each can tell.
_SINGLY = {"parent", "parent_key"}
_COLUMNS = frozenset(sa.inspect(Contact).columns.keys())


@dataclass(frozen=True)
class _Known:
    """What the rows of one step may refer to, or mean: looked up together."""

    organisations: dict[str, int]
    by_key: dict[str, int]
    addresses: frozenset[str]


@dataclass(frozen=True)
class _New:
    """A contact to be made, and the organisation it belongs to."""

    contact: Contact
    firm_id: int | None
    firm_name: str
    role: str


def bring_contacts(
    rows: Sequence[KeyedRow], context: ImportContext
) -> list[Made | CRMError]:
    """Make the contacts of the leading rows that are plainly new."""
    outcomes: list[_New | CRMError] = []
    known = _look_up(rows, context)
    for row in _plain(rows, known, context):
        try:
            outcomes.append(_prepare(row.fields, known, context))
        except Invalid as refused:
            outcomes.append(refused)
    firms = _make_firms([one for one in outcomes if isinstance(one, _New)], known)
    return _make(outcomes, firms)


def kind_of(fields: Row) -> str:
    """Say what a row is about that does not say it itself."""
    personal = {"given_name", "family_name", "organisation", "organisation_key"}
    default = "person" if personal & fields.keys() else "organisation"
    return str(fields.get("kind") or default)


# -- Which rows are plainly new ----------------------------------------------------


def _look_up(rows: Sequence[KeyedRow], context: ImportContext) -> _Known:
    names: set[str] = set()
    addresses: set[str] = set()
    keys: set[str] = set()
    for row in rows:
        names.add(_folded(row.fields.get("organisation")))
        keys.add(str(row.fields.get("organisation_key") or ""))
        if row.key is None and kind_of(row.fields) == "organisation":
            names.add(_folded(row.fields.get("name")))
        elif row.key is None:
            addresses.update(_addresses(row.fields))
    context.keys.look_up(context.kind, keys - {""})
    ids = {key: context.keys.record_id(context.kind, key, Contact) for key in keys}
    alive = _alive(one for one in ids.values() if one is not None)
    found = (
        sa.select(Contact.sort_name, sa.func.min(Contact.id))
        .where(
            Contact.kind == "organisation",
            Contact.trashed_at.is_(None),
            Contact.sort_name.in_(names - {""}),
        )
        .group_by(Contact.sort_name)
    )
    taken = sa.select(ContactKey.value).where(
        ContactKey.kind == "email", ContactKey.value.in_(addresses - {""})
    )
    return _Known(
        {name: first for name, first in db.session.execute(found)},  # noqa: C416 - rows
        {key: one for key, one in ids.items() if one in alive},
        frozenset(db.session.scalars(taken)),
    )


def _alive(ids: Iterable[int]) -> set[int]:
    query = sa.select(Contact.id).where(
        Contact.id.in_(set(ids)),
        Contact.kind == "organisation",
        Contact.trashed_at.is_(None),
        Contact.merged_into_id.is_(None),
    )
    return set(db.session.scalars(query))


def _plain(
    rows: Sequence[KeyedRow], known: _Known, context: ImportContext
) -> Iterable[KeyedRow]:
    """Give the rows before the first that may mean somebody who is here already."""
    seen: set[str] = set()
    made: set[str] = set()
    for row in rows:
        marks = _marks(row)
        firm_name = _folded(row.fields.get("organisation"))
        if marks & seen or firm_name in made or _SINGLY & row.fields.keys():
            return
        if row.key is not None:
            if context.keys.record_id(context.kind, row.key, Contact) is not None:
                return
        elif marks & (known.addresses | known.organisations.keys()):
            return
        firm = row.fields.get("organisation_key")
        if firm is not None and firm not in known.by_key:
            return
        if _owner_id(row.fields, context) is False:
            return
        seen |= marks | ({firm_name} - {""})
        if kind_of(row.fields) == "organisation":
            made.add(_folded(row.fields.get("name")))
        yield row


def _marks(row: KeyedRow) -> set[str]:
    """Name what would tell that two rows mean the same contact."""
    if row.key is not None:
        # A slash keeps keys apart from names; a name may still be a firm's.
        return {f"key/{row.key}"}
    if kind_of(row.fields) == "organisation":
        return {_folded(row.fields.get("name"))} - {""}
    return _addresses(row.fields)


def _addresses(fields: Row) -> set[str]:
    found = set()
    for entry in fields.get("emails", []):
        given = entry.get("address", "") if isinstance(entry, dict) else entry
        found.add(str(given).strip().lower())
    return found - {""}


def _folded(name: object) -> str:
    return finding.fold(str(name or ""))[:200]


def _owner_id(fields: Row, context: ImportContext) -> int | bool | None:
    """Give the owner a row names, None without one, False for one nobody knows."""
    for field, find in (("owner_key", _by_key), ("owner", _by_address)):
        if field in fields:
            known: dict[tuple[str, str], int | None]
            known = context.shared.setdefault("owners", {})
            name = (field, str(fields[field]).strip())
            if name not in known:
                known[name] = find(name[1], context)
            return known[name] or False
    return None


def _by_key(key: str, context: ImportContext) -> int | None:
    found = context.find(User, "staff", key)
    return found.id if found is not None and found.active else None


def _by_address(text: str, _context: ImportContext) -> int | None:
    return db.session.scalar(
        sa.select(User.id).where(
            User.email == text.lower(), User.kind == "staff", User.active
        )
    )


# -- Making them -------------------------------------------------------------------


def _prepare(fields: Row, known: _Known, context: ImportContext) -> _New:
    rest = dict(fields)
    owner = _owner_id(fields, context)
    for name in ("owner", "owner_key"):
        rest.pop(name, None)
    firm = str(rest.pop("organisation", None) or "")
    firm_key = rest.pop("organisation_key", None)
    role = str(rest.pop("organisation_role", ""))
    rest["kind"] = kind_of(fields)
    if rest["kind"] != "person" and (firm or firm_key):
        raise Invalid(errors={"affiliations": [str(ONLY_PEOPLE_BELONG)]})
    contact, _people = services.prepare_contact(rest, actor=context.actor)
    if owner:
        contact.owner_id = owner
    firm_id = known.by_key.get(str(firm_key)) if firm_key else None
    if firm and firm_id is None:
        firm_id = known.organisations.get(_folded(firm))
    return _New(contact, firm_id, firm, role)


def _make_firms(wanted: Sequence[_New], known: _Known) -> dict[str, int]:
    """Make the organisations that rows name and nobody knows; give ids by name."""
    names = {
        _folded(one.firm_name): one.firm_name
        for one in reversed(wanted)
        if one.firm_name and one.firm_id is None
    }
    firms = [
        services.prepare_contact({"kind": "organisation", "name": name}, actor=None)[0]
        for name in names.values()
    ]
    return dict(zip(names, _store(firms), strict=True))


def _make(
    outcomes: Sequence[_New | CRMError], firms: dict[str, int]
) -> list[Made | CRMError]:
    wanted = [one for one in outcomes if isinstance(one, _New)]
    ids = iter(_store([one.contact for one in wanted]))
    joined = []
    made: list[tuple[int, int | None] | CRMError] = []
    for one in outcomes:
        if not isinstance(one, _New):
            made.append(one)
            continue
        contact_id = next(ids)
        firm_id = one.firm_id or firms.get(_folded(one.firm_name))
        made.append((contact_id, firm_id))
        if firm_id is not None:
            joined.append((contact_id, firm_id, one.role))
    versions = _join(joined)
    new = set(firms.values())
    return [
        _told(one, versions, new) if isinstance(one, tuple) else one for one in made
    ]


def _told(one: tuple[int, int | None], versions: dict[int, int], new: set[int]) -> Made:
    contact_id, firm_id = one
    if firm_id is None:
        return Made(f"contact/{contact_id}")
    beside = (f"contact/{firm_id}", versions[firm_id], firm_id in new)
    return Made(f"contact/{contact_id}", (beside,))


def _store(contacts: Sequence[Contact]) -> list[int]:
    """Write contacts and the rows by which they are found."""
    ids = record_many(
        Contact,
        [{k: v for k, v in vars(one).items() if k in _COLUMNS} for one in contacts],
    )
    region = str(settings.get("contacts")["region"])
    keys = [
        {"contact_id": contact_id, "kind": kind, "value": value}
        for contact_id, one in zip(ids, contacts, strict=True)
        for kind, value in sorted(finding.keys_of(one, region))
    ]
    add_rows(db.session, table_of(ContactKey), keys)
    return ids


def _join(joined: Sequence[tuple[int, int, str]]) -> dict[int, int]:
    """Let people belong to organisations; give those organisations' versions."""
    if not joined:
        return {}
    rows = [
        {"person_id": person, "organisation_id": firm, "role": role, "active": True}
        for person, firm, role in joined
    ]
    add_rows(db.session, table_of(Affiliation), rows, numbered=False)
    return touch_many(Contact, {firm for _person, firm, _role in joined})
