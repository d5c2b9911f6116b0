"""Parting two contacts again, from the journal of their merge; and following strays.

What somebody changed since stays as they left it.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.audiences import AudienceLabel
from core.contacts.affiliations import touch
from core.contacts.erased import refuse_erased
from core.contacts.finding import index_contact
from core.contacts.locking import lock_contacts
from core.contacts.merging.events import PARTED
from core.contacts.merging.models import Merge, MovedCell
from core.contacts.merging.moving import (
    Touched,
    move_all,
    note,
    plain,
    tell_of,
    typed,
    write_journal,
)
from core.contacts.merging.references import (
    audience_columns,
    contact_columns,
    naming_columns,
    taken,
)
from core.contacts.models import Contact
from core.db import Model, db, now, table_of
from core.errors import Conflict
from core.events import actor, announce
from core.i18n import _


def part(merge: Merge) -> None:
    """Make two of what was merged: each gets back what was its own.

    What was written since stays with the one that was kept. Raises `Conflict` when
    they were parted already or erased, and while the one that was kept is itself in
    another.
    """
    _lock(merge)
    kept, gone = merge.kept, merge.gone
    lock_contacts([kept.id, gone.id])
    for one in (kept, gone):
        refuse_erased(one)
    if merge.parted_at is not None:
        raise Conflict(_("These two were parted already."))
    if kept.merged_into_id is not None:
        raise Conflict(
            _("%(name)s was merged itself. Part that first.", name=kept.name)
        )
    touched = _put_back_rows(merge)
    _put_back_fields(merge, kept)
    merge.parted_at, merge.parted_by_id = now(), actor()
    _bring_back(gone)
    tell_of(touched)
    tell_of({Contact: {gone.id}}, ["merged_into_id"])
    data = {"merge": merge.id, "kept": merge.kept_id, "gone": merge.gone_id}
    announce(PARTED.name, kept, data)
    # What one of the others had could not move while this one's stood there.
    _follow_strays(Merge.kept_id == merge.kept_id)


def _lock(merge: Merge) -> None:
    query = sa.select(Merge).where(Merge.id == merge.id).with_for_update()
    db.session.scalar(query.execution_options(populate_existing=True))


def _bring_back(gone: Contact) -> None:
    back = (
        sa.update(Contact)
        .where(Contact.id == gone.id)
        .values(merged_into_id=None, trashed_at=None)
        .execution_options(unrecorded=True, synchronize_session=False)
    )
    db.session.execute(back)


def _standing(*conditions: sa.ColumnElement[bool]) -> list[Merge]:
    query = sa.select(Merge).where(Merge.parted_at.is_(None), *conditions)
    return list(db.session.scalars(query.order_by(Merge.id)))


# -- Rows --------------------------------------------------------------------------


def _put_back_rows(merge: Merge) -> Touched:
    touched: Touched = {}
    db.session.flush()
    connection = db.session.connection()
    query = sa.select(MovedCell).where(MovedCell.merge_id == merge.id)
    cells = db.session.scalars(query.order_by(MovedCell.id.desc())).all()
    rows = [one for one in cells if not _is_field(one, merge)]
    for same, group in groupby(rows, key=_as_one):
        table = _table(connection, same[0])
        # A plugin that was removed took its rows with it.
        if table is not None and same[1] in table.c:
            _put_back(connection, table, list(group), touched)
    return touched


def _is_field(cell: MovedCell, merge: Merge) -> bool:
    """Say whether a cell is the survivor's own: those are put back another way."""
    of_contact = cell.table_name == Contact.__tablename__
    return of_contact and cell.key == {"id": merge.kept_id}


def _as_one(cell: MovedCell) -> tuple[str, str, str, str]:
    return cell.table_name, cell.column_name, repr(cell.old), repr(cell.new)


def _table(connection: Connection, name: str) -> sa.Table | None:
    """Give a table; where a plugin is off it is read from the database itself."""
    known = Model.metadata.tables.get(name)
    if known is not None:
        return known
    if not sa.inspect(connection).has_table(name):
        return None
    return sa.Table(name, sa.MetaData(), autoload_with=connection, resolve_fks=False)


def _put_back(
    connection: Connection,
    table: sa.Table,
    cells: Sequence[MovedCell],
    touched: Touched,
) -> None:
    column = table.c[cells[0].column_name]
    old, new = typed(column, cells[0].old), typed(column, cells[0].new)
    keys = list(cells[0].key)
    back = (
        sa.update(table)
        .where(
            *(table.c[one] == sa.bindparam(f"key_{one}") for one in keys),
            column == sa.literal(new, column.type),
            ~taken(column, old),
        )
        .values({column: old})
    )
    now_at = [
        {
            f"key_{one}": new if one == column.name else typed(table.c[one], value)
            for one, value in cell.key.items()
        }
        for cell in cells
    ]
    connection.execute(back, now_at)
    note(touched, table, column, [one.key for one in cells])


# -- Fields ------------------------------------------------------------------------


def _put_back_fields(merge: Merge, kept: Contact) -> None:
    others = [one for one in _standing(Merge.kept_id == kept.id) if one.id != merge.id]
    table, gone = table_of(Contact), {}
    for cell in _fields(merge):
        column = table.c[cell.column_name]
        found = plain(getattr(kept, column.name))
        before = without(found, cell.old, cell.new)
        if before != found:
            setattr(kept, column.name, typed(column, before))
            gone[column.name] = found
        for other in others:
            if other.id > merge.id:
                _pass_on(cell, other)
    for other in others:
        _bring_again(other, kept, gone)
    index_contact(kept)
    touch(kept)
    db.session.flush()


def _fields(merge: Merge) -> list[MovedCell]:
    query = sa.select(MovedCell).where(
        MovedCell.merge_id == merge.id,
        MovedCell.table_name == Contact.__tablename__,
    )
    found = db.session.scalars(query.order_by(MovedCell.id)).all()
    return [one for one in found if _is_field(one, merge)]


def without(found: Any, old: Any, new: Any) -> Any:
    """Take out of a value what a merge brought, and leave what came since."""
    if found == new:
        return old
    if isinstance(found, list) and isinstance(old, list) and isinstance(new, list):
        left_out = [one for one in old if one not in new and one not in found]
        return [one for one in found if one in old or one not in new] + left_out
    if isinstance(found, dict) and isinstance(old, dict) and isinstance(new, dict):
        brought = {one for one in new if one not in old or old[one] != new[one]}
        back = {one for one in brought if one in found and found[one] == new[one]}
        mine = {one: value for one, value in found.items() if one not in back}
        return mine | {one: old[one] for one in back if one in old}
    return found


def _pass_on(cell: MovedCell, later: Merge) -> None:
    """Let a later merge into the same contact put back what was before this one."""
    for one in _fields(later):
        if one.column_name == cell.column_name:
            one.new = without(one.new, cell.old, cell.new)
            one.old = without(one.old, cell.old, cell.new)


def _bring_again(other: Merge, kept: Contact, before: dict[str, Any]) -> None:
    """Leave on the survivor what another one that went into it has as well."""
    cells = []
    for name, value in before.items():
        mine, theirs = getattr(kept, name), getattr(other.gone, name)
        wanted = mine
        if name == "do_not_contact":
            wanted = mine or theirs
        elif isinstance(mine, list):
            wanted = [*mine, *(o for o in theirs if o in value and o not in mine)]
        if wanted != mine:
            setattr(kept, name, wanted)
            cells.append(
                {
                    "table_name": Contact.__tablename__,
                    "column_name": name,
                    "key": {"id": kept.id},
                    "old": mine,
                    "new": wanted,
                }
            )
    write_journal(other.id, cells)


# -- Strays ------------------------------------------------------------------------


def follow(merge: Merge) -> None:
    """Move what still points to the one that went, and could move by now.

    There is such a row where a plugin was switched off during the merge, or somebody
    saved at the same moment. Running twice is harmless.
    """
    _lock(merge)
    if merge.parted_at is not None:
        return
    touched = move_all(merge.id, merge.kept_id, merge.gone_id)
    if touched:
        tell_of(touched)


def follow_all() -> None:
    """Do the same for every contact of the house that went into another."""
    _follow_strays()


def _follow_strays(*conditions: sa.ColumnElement[bool]) -> None:
    strays = set(_strays())
    for one in _standing(*conditions) if strays else ():
        if one.gone_id in strays:
            follow(one)


def _strays() -> Iterator[int]:
    """Give the merged contacts that some row still points to."""
    gone = sa.select(Merge.gone_id).where(Merge.parted_at.is_(None))
    if db.session.scalar(gone.limit(1)) is None:
        return
    for column in contact_columns():
        meant = sa.select(Merge.gone_id).join(column.table, column == Merge.gone_id)
        # What would stand twice stays where it is, also the next time.
        movable = [Merge.parted_at.is_(None), ~taken(column, Merge.kept_id)]
        if column.table is table_of(Contact):
            movable.append(column.table.c.id != Merge.kept_id)
        yield from db.session.scalars(meant.where(*movable).distinct())
    texts = {f"{Contact.record_name()}/{one}": one for one in db.session.scalars(gone)}
    for column in naming_columns():
        text = sa.literal(f"{Contact.record_name()}/") + sa.cast(
            Merge.gone_id, sa.String
        )
        named = sa.select(text).where(Merge.parted_at.is_(None))
        found = sa.select(column).where(column.in_(named)).distinct()
        yield from (texts[one] for one in db.session.scalars(found) if one in texts)
    label = sa.literal("shared:") + sa.cast(Merge.gone_id, sa.String)
    shared = sa.select(Merge.gone_id, AudienceLabel.audience_id).join(
        Merge, sa.and_(AudienceLabel.label == label, Merge.parted_at.is_(None))
    )
    rows = shared.subquery()
    for column in audience_columns():
        found = sa.select(rows.c.gone_id).where(rows.c.audience_id == column).distinct()
        yield from db.session.scalars(found)
