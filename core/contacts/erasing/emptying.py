"""Emptying columns: what stands in one whose words were erased, and in which rows."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from core.columns import Erasable, ErasableText
from core.contacts.erasing.reach import REMOVED, Reach, chunks, key_of, record_of
from core.contacts.models import Contact
from core.db import Record, db, now, table_of
from core.ddl import tables_in
from core.events import fact_about, write_facts
from core.users.models import User

NOWHERE = "@erased.invalid"
# Core's own two are emptied by `people.py`: their rows need more than that.
_APART = (Contact, User)


@lru_cache(maxsize=256)
def personal_columns(table: sa.Table) -> tuple[sa.Column[Any], ...]:
    """Give the columns of `table` that hold words about people."""
    return tuple(one for one in table.columns if one.info.get("personal"))


def personal_tables() -> list[sa.Table]:
    """Give every table that has such a column."""
    here = tables_in(db.session.connection())
    return [one for one in here if personal_columns(one)]


def goes_whole(table: sa.Table) -> bool:
    """Say whether rows of `table` are removed, since nothing of them would be left."""
    personal = personal_columns(table)
    by_word = any(one.info.get("erased") == REMOVED for one in personal)
    return by_word or any(one.primary_key for one in personal)


def emptied(column: sa.Column[Any]) -> Any:
    """Give what stands in a personal column after its words were erased.

    Raises `LookupError` for a column that has no such value.
    """
    kind = column.type
    if isinstance(kind, Erasable | ErasableText):
        return kind.erased
    if column.nullable:
        return sa.null()
    if isinstance(kind, sa.JSON):
        default: Any = getattr(column.default, "arg", None)
        return default(None) if callable(default) else {}
    key = key_of(column.table)
    if isinstance(kind, sa.String):
        if not _is_unique(column):
            return ""
        if key is not None:
            # An address too, where one is wanted; RFC 2606 keeps it free of owners.
            return sa.literal("erased-") + sa.cast(key, sa.String) + NOWHERE
    raise LookupError(
        f"{column.table.name}.{column.name} is personal and cannot be emptied: let it "
        "be NULL, or text, or JSON"
    )


def _is_unique(column: sa.Column[Any]) -> bool:
    if column.unique:
        return True
    constraints = column.table.constraints
    return any(
        column.name in one.columns
        for one in constraints
        if isinstance(one, sa.UniqueConstraint)
    )


def empty_rows(table: sa.Table, where: sa.ColumnElement[bool]) -> None:
    """Take the words out of the rows of `table` that `where` names."""
    if goes_whole(table):
        _run(sa.delete(table).where(where))
        return
    values = {one: emptied(one) for one in personal_columns(table)}
    if record_of(table) is not None:
        # Whoever has the form open is told that it changed.
        values[table.c.version] = table.c.version + 1
        values[table.c.updated_at] = now()
    if values:
        _run(sa.update(table).where(where).values(values))


def _run(statement: Any) -> None:
    # Who changed what is written down below; with it the words would come back.
    db.session.execute(statement.execution_options(unrecorded=True))


def empty_reach(reach: Reach) -> None:
    """Take the words out of every row of a person, and remove what is nothing then.

    Search, open pages and whoever else listens hear of each record, without values.
    """
    apart = {table_of(one) for one in _APART}
    facts: list[dict[str, Any]] = []
    for table, column, some in _parts(reach.removed):
        facts += _facts(table, some, "deleted")
        _run(sa.delete(table).where(column.in_(some)))
    for table, column, some in _parts(reach.rows):
        if table in apart or not personal_columns(table):
            continue
        gone = reach.removed.get(table, {}).get(column, set())
        kept = [one for one in some if one not in gone]
        if kept:
            empty_rows(table, column.in_(kept))
            facts += _facts(table, kept, "updated")
    write_facts(db.session, facts)


def _parts(
    rows: dict[sa.Table, dict[sa.Column[Any], set[int]]],
) -> Iterator[tuple[sa.Table, sa.Column[Any], list[int]]]:
    for table, columns in rows.items():
        for column, values in columns.items():
            for some in chunks(values):
                yield table, column, some


def _facts(table: sa.Table, ids: Sequence[int], verb: str) -> list[dict[str, Any]]:
    model = record_of(table)
    if model is None:
        return []
    columns: Any = model
    found = db.session.scalars(sa.select(model).where(columns.id.in_(ids))).unique()
    return [_fact(model, one, verb) for one in found]


def _fact(model: type[Record], record: Record, verb: str) -> dict[str, Any]:
    fields = sorted(one.name for one in personal_columns(table_of(model)))
    data = {} if verb == "deleted" else {"fields": fields, "values": {}}
    return fact_about(db.session, f"{model.record_name()}.{verb}", record, data)
