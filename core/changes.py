"""Every change of a record becomes an event, in the flush that makes it.

Imported once, by the application; it listens to every session of ours.
"""

import operator
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction

from core.db import Model, Record
from core.events import fact_about, write_facts

_BESIDE = "rapport_beside"


def _changes(record: Record) -> dict[str, list[Any]]:
    """Give the changed columns of `record` with their values before and after."""
    state = sa.inspect(record)
    found = {}
    for attribute in state.mapper.column_attrs:
        if attribute.key in {"version", "updated_at"}:
            continue
        history = state.attrs[attribute.key].history
        if history.has_changes():
            before = history.deleted[0] if history.deleted else None
            after = history.added[0] if history.added else None
            found[attribute.key] = [before, after]
    return found


def _changed_relations(record: Record) -> list[str]:
    """Name the many-to-many relations that changed, such as a user's roles."""
    state = sa.inspect(record)
    return [
        relation.key
        for relation in state.mapper.relationships
        if relation.secondary is not None
        and state.attrs[relation.key].history.has_changes()
    ]


def _is_personal(record: Record, key: str) -> bool:
    attribute = sa.inspect(type(record)).column_attrs[key]
    return bool(attribute.columns[0].info.get("personal"))


def _plain(value: object) -> object:
    """Make a column's value fit for JSON."""
    if value is None or isinstance(value, bool | int | float | str | list | dict):
        return value
    return str(value)


def tell_beside(
    record: Record, **values: tuple[Collection[Any], Collection[Any]]
) -> None:
    """Have the event of a change also keep what left and came beside the columns.

    It stands with the personal values: not every reader of the record may see it.
    """
    sa.inspect(record).info[_BESIDE] = {
        name: [sorted(gone), sorted(new)] for name, (gone, new) in values.items()
    }


def _fact_of_change(session: Session, verb: str, record: Record) -> dict[str, Any]:
    name = f"{record.record_name()}.{verb}"
    if verb != "updated":
        return fact_about(session, name, record, {})
    changes = _changes(record)
    values = {
        k: [_plain(b), _plain(a)]
        for k, (b, a) in changes.items()
        if not _is_personal(record, k)
    }
    hidden = {
        k: [_plain(b), _plain(a)]
        for k, (b, a) in changes.items()
        if _is_personal(record, k)
    }
    hidden |= sa.inspect(record).info.pop(_BESIDE, {})
    fields = [*changes, *_changed_relations(record)]
    data = {"fields": sorted(fields), "values": values}
    return fact_about(session, name, record, data, hidden or None)


@sa.event.listens_for(Session, "after_flush")
def _note_changes(session: Session, _flush: UOWTransaction) -> None:
    if "app" not in session.info:
        return
    rows = []
    for verb, records in (
        ("created", session.new),
        ("updated", session.dirty),
        ("deleted", session.deleted),
    ):
        found = [one for one in records if isinstance(one, Record)]
        for record in sorted(found, key=operator.attrgetter("ref")):
            if verb != "updated" or session.is_modified(record):
                rows.append(_fact_of_change(session, verb, record))
    if rows:
        write_facts(session, rows)


@sa.event.listens_for(Session, "do_orm_execute")
def _refuse_unrecorded_changes(state: ORMExecuteState) -> None:
    if not (state.is_insert or state.is_update or state.is_delete):
        return
    if state.execution_options.get("unrecorded"):
        return
    # The table tells it also when the statement names no class.
    table = str(getattr(state.statement, "table", ""))
    for mapper in Model.registry.mappers:
        if str(mapper.local_table) == table and issubclass(mapper.class_, Record):
            raise RuntimeError(
                f"a bulk change of {mapper.class_.__name__} would leave no event: "
                "change the records one by one or say "
                "execution_options(unrecorded=True)"
            )
