"""Which rows are a person's: found by following the foreign keys of every table.

A row belongs to a contact when a foreign key leads there, and to a row that belongs to
one when that foreign key says CASCADE: then it has no meaning without it. A column of
a foreign key may say otherwise by its `info`:

* `{"erased": "kept"}`: the row is somebody else's;
* `{"erased": "removed"}`: the row goes as a whole, since without words it is nothing;
* `{"goes_with": "interaction_id"}`: not while the entry named there stays.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from core.contacts.models import Contact
from core.db import Model, Record, db, table_of
from core.ddl import tables_in
from core.interactions.models import Interaction, InteractionContact
from core.users.models import User

# So many ids fit one statement of either database.
MANY = 500
# A row that goes as a whole; see above.
REMOVED, KEPT = "removed", "kept"


@dataclass
class Reach:
    """The rows of a person: by table the column that names them, and its values."""

    contacts: list[int]
    accounts: list[int]
    # Entries that concern others too, whose words stay.
    left: set[int] = field(default_factory=set)
    rows: dict[sa.Table, dict[sa.Column[Any], set[int]]] = field(default_factory=dict)
    removed: dict[sa.Table, dict[sa.Column[Any], set[int]]] = field(
        default_factory=dict
    )

    def refs(self) -> Iterator[str]:
        """Name every record of the person: `contact/7`, `support.ticket/3`."""
        for table, columns in self.rows.items():
            model = record_of(table)
            if model is not None:
                for ids in columns.values():
                    yield from (f"{model.record_name()}/{one}" for one in sorted(ids))


def chunks(values: Iterable[Any]) -> Iterator[list[Any]]:
    """Take values apart into as many as one statement takes."""
    ordered = sorted(values)
    for start in range(0, len(ordered), MANY):
        yield ordered[start : start + MANY]


def same_person(contact: Contact) -> list[int]:
    """Give the contact's id, and those of the contacts that were merged into it."""
    top = sa.select(Contact.id).where(Contact.id == contact.id)
    tree = top.cte(recursive=True)
    merged = sa.select(Contact.id).join(tree, Contact.merged_into_id == tree.c.id)
    tree = tree.union(merged)
    return sorted(db.session.scalars(sa.select(tree.c.id)))


def accounts_of(contact: Contact, ids: Sequence[int]) -> list[int]:
    """Give the accounts by which this contact signs in from outside.

    An account of an organisation that names a person is that person's.
    """
    own = User.person_id.in_(ids)
    alone = sa.and_(User.contact_id.in_(ids), User.person_id.is_(None))
    if contact.kind == "person":
        alone = User.contact_id.in_(ids)
    query = sa.select(User.id).where(User.kind != "staff", sa.or_(own, alone))
    return sorted(db.session.scalars(query))


def reach_of(contact: Contact, *, with_others: bool) -> Reach:
    """Find what is `contact`'s; `with_others` also entries that concern others too."""
    ids = same_person(contact)
    found = Reach(ids, accounts_of(contact, ids))
    own, shared = _entries(ids)
    found.left = set() if with_others else shared
    contacts, users = table_of(Contact), table_of(User)
    found.rows[contacts] = {contacts.c.id: set(ids)}
    found.rows[users] = {users.c.id: set(found.accounts)}
    todo: deque[tuple[sa.Table, set[int]]] = deque([(contacts, set(ids))])
    if found.accounts:
        todo.append((users, set(found.accounts)))
    mine = own | (shared if with_others else set())
    entries = table_of(Interaction)
    if mine:
        found.rows[entries] = {entries.c.id: mine}
        todo.append((entries, mine))
    here = _here()
    while todo:
        table, fresh = todo.popleft()
        for column, removed in _leading_to(table, here):
            new = _add(found, column, fresh, removed=removed)
            if new:
                todo.append((column.table, new))
    return found


def _entries(ids: Sequence[int]) -> tuple[set[int], set[int]]:
    """Give the entries on this contact alone, and those that concern others too."""
    other = sa.exists().where(
        InteractionContact.interaction_id == Interaction.id,
        InteractionContact.contact_id.not_in(ids),
    )
    linked = sa.select(InteractionContact.interaction_id).where(
        InteractionContact.contact_id.in_(ids)
    )
    elsewhere = sa.and_(
        Interaction.contact_id.is_not(None), Interaction.contact_id.not_in(ids)
    )
    query = sa.select(Interaction.id, sa.or_(other, elsewhere)).where(
        sa.or_(Interaction.contact_id.in_(ids), Interaction.id.in_(linked))
    )
    rows = db.session.execute(query.execution_options(populate_existing=False)).all()
    shared = {id_ for id_, others in rows if others}
    return {id_ for id_, _others in rows} - shared, shared


def _here() -> tuple[sa.Table, ...]:
    return tuple(tables_in(db.session.connection()))


@lru_cache(maxsize=256)
def _leading_to(
    table: sa.Table, here: tuple[sa.Table, ...]
) -> tuple[tuple[sa.Column[Any], bool], ...]:
    """Give the foreign keys of tables `here` by which rows belong to `table`'s."""
    first, skipped = table_of(Contact), {table_of(Contact), table_of(User)}
    found = []
    for other in here:
        for key in other.foreign_keys:
            column, fate = key.parent, key.parent.info.get("erased")
            if key.column.table is not table or fate == KEPT or other in skipped:
                continue
            if table is first and other is table_of(Interaction):
                # Which entries are the person's is said above.
                continue
            if table is first or key.ondelete == "CASCADE":
                found.append((column, fate == REMOVED))
    return tuple(found)


def key_of(table: sa.Table) -> sa.Column[Any] | None:
    """Give the one column that names a row of `table` by a number, if there is one."""
    keys = list(table.primary_key.columns)
    if len(keys) == 1 and isinstance(keys[0].type, sa.Integer):
        return keys[0]
    return None


def _add(
    found: Reach, column: sa.Column[Any], values: set[int], *, removed: bool
) -> set[int]:
    """Note the rows whose `column` has one of `values`; give the ids that are new."""
    table = column.table
    goes = found.removed if removed else found.rows
    key = key_of(table)
    if key is None:
        goes.setdefault(table, {}).setdefault(column, set()).update(values)
        return set()
    ids: set[int] = set()
    entry = table.c.get(column.info.get("goes_with", ""))
    asked = [key] if entry is None else [key, entry]
    for some in chunks(values):
        for row in db.session.execute(sa.select(*asked).where(column.in_(some))):
            if entry is None or row[1] not in found.left:
                ids.add(row[0])
    if table is table_of(Interaction):
        ids -= found.left
    known = found.rows.setdefault(table, {}).setdefault(key, set())
    if removed:
        found.removed.setdefault(table, {}).setdefault(key, set()).update(ids)
    new = ids - known
    known |= new
    return new


def record_of(table: sa.Table) -> type[Record] | None:
    """Give the record type whose rows stand in `table`, if it is one."""
    for mapper in Model.registry.mappers:
        if mapper.local_table is table and issubclass(mapper.class_, Record):
            return mapper.class_
    return None


def reachable() -> frozenset[sa.Table]:
    """Give the tables of which a row can belong to a contact."""
    here = _here()
    known = {table_of(Contact), table_of(Interaction)}
    todo = deque(known)
    while todo:
        for column, _removed in _leading_to(todo.popleft(), here):
            if column.table not in known:
                known.add(column.table)
                todo.append(column.table)
    return frozenset(known | {table_of(User)})
