"""Where a reader of events stands: cursors that skip nothing, on both databases."""

import sqlalchemy as sa

from core.db import db
from core.events import Event


def latest_cursor() -> str:
    """Give a cursor that stands after every event that is committed now."""
    return written_cursor(db.session.scalar(sa.select(edge_now())))


def edge_now() -> sa.ColumnElement[int]:
    """Give the edge of what is committed, as a column for a statement."""
    if db.dialect == "postgresql":
        edge = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
        return sa.literal_column(edge, sa.BigInteger)
    return sa.select(sa.func.max(Event.id)).scalar_subquery()


def written_cursor(edge: int | None) -> str:
    """Write a cursor that stands at the edge which `edge_now` gave."""
    return f"{edge}.0" if db.dialect == "postgresql" else f"0.{edge or 0}"


def events_after(
    cursor: str, query: sa.Select[Event], *, limit: int = 200
) -> tuple[list[Event], str]:
    """Read the events of `query` after `cursor`; also give where to go on from.

    Sequence numbers commit out of order on PostgreSQL, so there the cursor is the
    pair (transaction, id), below the oldest transaction still under way: it skips
    nothing. On SQLite there is one writer, and the id is enough. Raises
    `ValueError` for a cursor that we did not make.
    """
    start = _place(cursor)
    # Read first: what stands before it is complete, so it is also where to go on when
    # nothing more is found, however much happened that `query` does not show.
    edge = _place(latest_cursor())
    # One that lies ahead is of a database that was restored to an earlier day: waiting
    # until this one gets there would hide all that happens until then.
    start = min(start, edge)
    key = sa.tuple_(Event.xid, Event.id)
    query = query.where(key > _literal(start)).order_by(Event.xid, Event.id)
    found = list(db.session.scalars(query.where(key <= _literal(edge)).limit(limit)))
    if len(found) == limit:
        return found, f"{found[-1].xid}.{found[-1].id}"
    return found, "{}.{}".format(*edge)


def _place(cursor: str) -> tuple[int, int]:
    xid, id_ = cursor.split(".")
    return int(xid), int(id_)


def _literal(place: tuple[int, int]) -> sa.Tuple:
    return sa.tuple_(*(sa.literal(one, sa.BigInteger) for one in place))
