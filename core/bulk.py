"""Many records at once: rows, events and deliveries, without an object for each.

A bulk `insert()` or `update()` on a record's table would leave no event and is
refused. This writes what the unit of work would have written, in a fraction of its
time.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm.util import identity_key

from core.db import Record, db, now, table_of
from core.events import fact_about, write_facts
from core.rows import add_rows

# What says who may learn of a record's events.
_SCOPE = ("contact_id", "audience_id", "interaction_id")


def record_many(model: type[Record], rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Add a record of `model` for each row of column values; give their ids in order.

    What a row leaves out takes the column's default. Each record gets its event
    "created" and a delivery for everybody who wants it, in the transaction that is
    open. Relations and rows that belong to the record are the caller's to write.
    """
    if not rows:
        return []
    table = table_of(model)
    named = {name for row in rows for name in row}
    defaults = {name: _default(table.c[name]) for name in named}
    filled = [
        {name: row[name] if name in row else defaults[name] for name in named}
        for row in rows
    ]
    db.session.flush()
    ids = add_rows(db.session, table, filled)
    scope = [name for name in _SCOPE if name in named]
    facts = [
        _fact(model, "created", record_id, {name: row[name] for name in scope}, {})
        for record_id, row in zip(ids, filled, strict=True)
    ]
    write_facts(db.session, facts)
    return ids


def touch_many(model: type[Record], ids: Iterable[int]) -> dict[int, int]:
    """Give many records a new version, since what belongs to them has changed.

    Each gets its event "updated"; gives their versions by id.
    """
    table = table_of(model)
    scope = [table.c[name] for name in _SCOPE if name in table.c]
    db.session.flush()
    changed = (
        sa.update(table)
        .where(table.c.id.in_(sorted(set(ids))))
        .values(version=table.c.version + 1, updated_at=now())
        .returning(table.c.id, table.c.version, *scope)
    )
    found = db.session.connection().execute(changed).all()
    data: dict[str, Any] = {"fields": [], "values": {}}
    facts = []
    for row in found:
        given = {column.name: getattr(row, column.name) for column in scope}
        facts.append(_fact(model, "updated", row.id, given, data))
        loaded = db.session.identity_map.get(identity_key(model, row.id))
        if loaded is not None:
            db.session.expire(loaded)
    if facts:
        write_facts(db.session, facts)
    return {row.id: row.version for row in found}


def _default(column: sa.Column[Any]) -> Any:
    default: Any = column.default
    if default is None:
        return None
    return default.arg(None) if default.is_callable else default.arg


def _fact(
    model: type[Record],
    verb: str,
    record_id: int,
    scope: Mapping[str, Any],
    data: dict[str, Any],
) -> dict[str, Any]:
    # An object that no session knows, so that one place decides who may learn of it.
    record = model(id=record_id, **scope)  # type: ignore[call-arg]
    return fact_about(db.session, f"{model.record_name()}.{verb}", record, data)
