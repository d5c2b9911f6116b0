"""Which columns mean a contact, as the tables themselves declare it.

Nothing here names a table: a plugin that adds one is merged without knowing of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from core.audiences import Audience, AudienceLabel, AudienceSpec, intern_audience
from core.contacts.models import Contact
from core.db import db
from core.ddl import tables_in

# Said at a column in `info["merging"]`: it stays with the one that went; it names a
# record as text.
STAYS, REFERENCE = "stays", "reference"


@dataclass(frozen=True)
class Move:
    """A column of which every cell with `old` is to say `new`."""

    column: sa.Column[Any]
    old: int | str
    new: int | str

    @property
    def table(self) -> sa.Table:
        """The table of the column."""
        table: sa.Table = self.column.table
        return table


def contact_columns() -> list[sa.Column[Any]]:
    """Give every column that points to a contact and moves with it."""
    return _pointing_to("contact.id")


def audience_columns() -> list[sa.Column[Any]]:
    """Give every column that says who reads a row."""
    return _pointing_to("audience.id")


def naming_columns() -> list[sa.Column[Any]]:
    """Give every column that names a record as text."""
    return [one for one in _columns() if one.info.get("merging") == REFERENCE]


def _pointing_to(target: str) -> list[sa.Column[Any]]:
    return [
        one
        for one in _columns()
        if any(key.target_fullname == target for key in one.foreign_keys)
        and one.info.get("merging") != STAYS
    ]


def _columns() -> Iterator[sa.Column[Any]]:
    # The labels of an audience are its own; the audience itself is another one.
    for table in tables_in(db.session.connection()):
        if table.name != AudienceLabel.__tablename__:
            yield from table.columns


def moves(kept_id: int, gone_id: int) -> Iterator[Move]:
    """Say every move that makes of `gone_id` what belongs to `kept_id`."""
    for column in contact_columns():
        yield Move(column, gone_id, kept_id)
    ref = f"{Contact.record_name()}/"
    for column in naming_columns():
        yield Move(column, f"{ref}{gone_id}", f"{ref}{kept_id}")
    for old, new in audiences_of(kept_id, gone_id).items():
        for column in audience_columns():
            yield Move(column, old, new)


def audiences_of(kept_id: int, gone_id: int) -> dict[int, int]:
    """Say for each audience shared with the one that goes which takes its place."""
    query = sa.select(Audience).join(
        AudienceLabel, AudienceLabel.audience_id == Audience.id
    )
    shared = query.where(AudienceLabel.label == f"shared:{gone_id}")
    found = {}
    for one in db.session.scalars(shared.order_by(Audience.id)).all():
        spec = one.spec
        readers = (spec.shared_with - {gone_id}) | {kept_id}
        after = AudienceSpec(spec.kind, spec.teams, spec.users, readers)
        found[one.id] = intern_audience(after).id
    return found


def unique_sets(column: sa.Column[Any]) -> list[list[sa.Column[Any]]]:
    """Give the columns that must differ together, wherever `column` is among them."""
    table: sa.Table = column.table
    sets = [
        list(one.columns)
        for one in table.constraints
        if isinstance(one, sa.PrimaryKeyConstraint | sa.UniqueConstraint)
    ]
    sets += [list(one.columns) for one in table.indexes if one.unique]
    return [one for one in sets if column in one]


def taken(column: sa.Column[Any], value: object) -> sa.ColumnElement[bool]:
    """Say of a row that another one stands where it would be with `value`."""
    table: sa.Table = column.table
    other = table.alias()
    found = [
        sa.exists().where(
            other.c[column.name] == value,
            *(other.c[one.name] == one for one in columns if one is not column),
        )
        for columns in unique_sets(column)
    ]
    return sa.or_(sa.false(), *found)
