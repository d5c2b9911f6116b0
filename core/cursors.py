"""Where a reader of events stands: cursors that skip nothing, on both databases."""

from collections.abc import Callable, Sequence

import sqlalchemy as sa

from core.db import db
from core.events import Event

# Events that are read at a time.
MOST = 200
_PLACE = ("xid", "id")


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


def between(query: sa.Select[Event], *, limit: int) -> sa.Select[Event]:
    """Narrow `query` to what stands between two places that it is told when it runs."""
    key = sa.tuple_(Event.xid, Event.id)
    after, upto = (
        sa.tuple_(
            *(sa.bindparam(f"{side}_{part}", type_=sa.BigInteger) for part in _PLACE)
        )
        for side in ("after", "upto")
    )
    return (
        query.where(key > after, key <= upto).order_by(Event.xid, Event.id).limit(limit)
    )


def events_after(
    cursor: str,
    read: Callable[..., Sequence[Event]],
    *,
    limit: int = MOST,
    edge: str | None = None,
) -> tuple[list[Event], str]:
    """Read the events after `cursor`; also give where to go on from.

    `read` runs a statement that `between` made with this `limit`. Sequence numbers
    commit out of order on PostgreSQL, so there the cursor is the pair (transaction,
    id), below the oldest transaction still under way: it skips nothing. On SQLite
    there is one writer, and the id is enough. Who has read an `edge` already, as a
    cursor, saves reading it again. Raises `ValueError` for a cursor that we did not
    make.
    """
    start = _place(cursor)
    # Read first: what stands before it is complete, so it is also where to go on when
    # nothing more is found, however much happened that `read` does not show.
    end = _place(edge) if edge else start
    if end <= start:
        end = _place(latest_cursor())
    # One that lies ahead is of a database that was restored to an earlier day: waiting
    # until this one gets there would hide all that happens until then.
    start = min(start, end)
    told = {
        f"{side}_{part}": value
        for side, place in (("after", start), ("upto", end))
        for part, value in zip(_PLACE, place, strict=True)
    }
    found = list(read(**told))
    if len(found) == limit:
        return found, f"{found[-1].xid}.{found[-1].id}"
    return found, "{}.{}".format(*end)


def _place(cursor: str) -> tuple[int, int]:
    xid, id_ = cursor.split(".")
    return int(xid), int(id_)
