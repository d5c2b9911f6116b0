"""Moving what belongs to a contact, with a journal; and telling who listens."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from core.columns import UTCDateTime
from core.contacts.merging.models import MovedCell
from core.contacts.merging.references import Move, moves, taken
from core.contacts.models import Contact
from core.db import Model, Record, db, now, table_of
from core.events import acting, actor, fact_about, write_facts
from core.interactions.models import Interaction
from core.rows import add_rows
from core.users.models import UserDesk

# So many ids go into one statement: SQLite takes at most 32,766 parameters.
_STEP = 5_000

# Records whose rows were moved, or have rows that were.
Touched = dict[type[Record], set[int]]


def plain(value: Any) -> Any:
    """Write a cell as JSON has it."""
    return value.isoformat() if isinstance(value, date) else value


def typed(column: sa.Column[Any], value: Any) -> Any:
    """Read a cell back from the journal."""
    if value is None:
        return None
    if isinstance(column.type, UTCDateTime | sa.DateTime):
        return datetime.fromisoformat(value)
    return date.fromisoformat(value) if isinstance(column.type, sa.Date) else value


def write_journal(merge_id: int, cells: Iterable[Mapping[str, Any]]) -> None:
    """Keep which cells a merge changes, so that they can be put back."""
    rows = [{"merge_id": merge_id, **one} for one in cells]
    add_rows(db.session, table_of(MovedCell), rows, numbered=False)


def record_tables() -> dict[str, type[Record]]:
    """Give the class of each table whose rows are records."""
    return {
        str(mapper.local_table): mapper.class_
        for mapper in Model.registry.mappers
        if issubclass(mapper.class_, Record)
    }


def move_all(merge_id: int, kept_id: int, gone_id: int) -> Touched:
    """Give the one that stays whatever points to the one that goes.

    What would break a unique constraint stays where it is. Gives the records that
    changed or have rows that did.
    """
    touched: Touched = {}
    db.session.flush()
    for one in moves(kept_id, gone_id):
        _move(merge_id, one, touched)
    _move_pins(merge_id, kept_id, gone_id)
    # These two are told of by themselves.
    touched.get(Contact, set()).difference_update({kept_id, gone_id})
    return touched


def _move(merge_id: int, move: Move, touched: Touched) -> None:
    table, column = move.table, move.column
    keys = list(table.primary_key.columns)
    changing = sa.update(table).where(column == move.old, ~taken(column, move.new))
    if table is table_of(Contact):
        # Nothing is above itself; what stands above the survivor is its own field.
        changing = changing.where(table.c.id != move.new)
    changing = changing.values({column: move.new}).returning(*keys)
    names = [one.name for one in keys]
    found = [
        dict(zip(names, row, strict=True))
        for row in db.session.connection().execute(changing)
    ]
    note(touched, table, column, found)
    write_journal(
        merge_id,
        [
            {
                "table_name": table.name,
                "column_name": column.name,
                "key": _key_before(key, move),
                "old": move.old,
                "new": move.new,
            }
            for key in found
        ],
    )


def _key_before(key: dict[str, Any], move: Move) -> dict[str, Any]:
    """Give the key of a row as it was: the column may be a part of it."""
    name = move.column.name
    before = key | ({name: move.old} if name in key else {})
    return {one: plain(value) for one, value in before.items()}


def note(
    touched: Touched,
    table: sa.Table,
    column: sa.Column[Any],
    keys: Sequence[Mapping[str, Any]],
) -> None:
    """Note the records of which a cell was moved, or which the moved rows belong to."""
    model = record_tables().get(table.name)
    if model is not None:
        touched.setdefault(model, set()).update(one["id"] for one in keys)
        return
    for other, of in _beside(table, column):
        touched.setdefault(of, set()).update(_values(other, keys))


def _beside(
    table: sa.Table, moved: sa.Column[Any]
) -> list[tuple[sa.Column[Any], type[Record]]]:
    """Name the columns of a row that is no record which say whom it belongs to."""
    owners: dict[str, type[Record]] = {
        "interaction.id": Interaction,
        "contact.id": Contact,
    }
    return [
        (one, owners[key.target_fullname])
        for one in table.columns
        if one.name != moved.name
        for key in one.foreign_keys
        if key.target_fullname in owners
    ]


def _values(column: sa.Column[Any], keys: Sequence[Mapping[str, Any]]) -> set[int]:
    if not keys or column.name in keys[0]:
        return {one[column.name] for one in keys}
    table: sa.Table = column.table
    if list(keys[0]) != ["id"]:
        return set()
    found: set[int] = set()
    for ids in in_parts([one["id"] for one in keys]):
        query = sa.select(column).where(table.c.id.in_(ids), column.is_not(None))
        found.update(db.session.connection().scalars(query))
    return found


def in_parts(ids: Iterable[int]) -> Iterator[list[int]]:
    """Give ids in as many as one statement takes."""
    rest = sorted(set(ids))
    for start in range(0, len(rest), _STEP):
        yield rest[start : start + _STEP]


def _move_pins(merge_id: int, kept_id: int, gone_id: int) -> None:
    """Keep on the rail what somebody pinned there: it is a list, without a key."""
    # Read as text, so that a house of many reads few of them.
    likely = sa.cast(UserDesk.pinned, sa.String).contains(str(gone_id))
    cells = []
    for desk in db.session.scalars(sa.select(UserDesk).where(likely)):
        if gone_id not in desk.pinned:
            continue
        old = list(desk.pinned)
        desk.pinned = list(
            dict.fromkeys(kept_id if one == gone_id else one for one in old)
        )
        cells.append(
            {
                "table_name": UserDesk.__tablename__,
                "column_name": "pinned",
                "key": {"user_id": desk.user_id},
                "old": old,
                "new": desk.pinned,
            }
        )
    db.session.flush()
    write_journal(merge_id, cells)


def tell_of(touched: Touched, fields: Sequence[str] = ()) -> None:
    """Give what moved a new version and an event, so that everybody reads it again.

    It is told like what an import does: after what people do, and to nobody's bell.
    The event says nothing of before and after: a merge is taken back as a whole.
    """
    session = db.session
    session.flush()
    # What was read before has moved below the session.
    session.expire_all()
    with acting(actor(), bulk=True):
        for model, ids in touched.items():
            for some in in_parts(ids):
                _tell(model, some, fields)


def _tell(model: type[Record], ids: Sequence[int], fields: Sequence[str]) -> None:
    session, table = db.session, table_of(model)
    newer = sa.update(table).where(table.c.id.in_(ids))
    newer = newer.values(version=table.c.version + 1, updated_at=now())
    session.connection().execute(newer)
    found = session.scalars(sa.select(model).where(model.id.in_(ids))).unique().all()
    data: dict[str, Any] = {"fields": list(fields), "values": {}}
    name = f"{model.record_name()}.updated"
    write_facts(session, [fact_about(session, name, one, data) for one in found])
