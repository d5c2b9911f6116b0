"""How the index is, for the page of its health."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import sqlalchemy as sa

from core.db import db
from core.events import Delivery, Event
from core.jobs import JobRun
from core.records import record_types
from plugins.search.backend import IndexBroken, IndexStats
from plugins.search.engine import backend
from plugins.search.indexing import SUBSCRIBER

RECONCILE = "search.reconcile"
# Beyond so many records the embedded engine is at its end: see the README of search.
MANY = 100_000

State = Literal["well", "missing", "broken", "old"]


@dataclass(frozen=True)
class Health:
    """The state of the index; `stats` is None where it cannot be read.

    `waiting` changes are not in it yet, the oldest of them since `oldest`; `parked` are
    those that failed. It was last compared with the database at `compared_at`, which
    ended with `error` if that failed.
    """

    engine: str
    state: State
    stats: IndexStats | None
    counts: Sequence[tuple[object, int]]
    waiting: int
    parked: int
    oldest: datetime | None
    compared_at: datetime | None
    error: str | None

    @property
    def is_large(self) -> bool:
        """Say whether there are more records than the embedded engine is good for."""
        held = self.stats.documents if self.stats else 0
        return self.engine == "whoosh" and held > MANY


def health() -> Health:
    """Look at the index and at what waits for it."""
    here = Delivery.parked_at.is_(None)
    queue = db.session.execute(
        sa.select(
            sa.func.count().filter(here).label("waiting"),
            sa.func.count(Delivery.parked_at).label("parked"),
            sa.func.min(Event.time).filter(here).label("oldest"),
        )
        .join(Event, Event.id == Delivery.event_id)
        .where(Delivery.subscriber == SUBSCRIBER)
    ).one()
    compared = db.session.get(JobRun, RECONCILE)
    state, stats = _state()
    kinds = record_types()
    counts = stats.counts if stats else {}
    return Health(
        engine=backend().name,
        state=state,
        stats=stats,
        counts=[
            (one.title, counts[name]) for name, one in kinds.items() if name in counts
        ],
        waiting=queue.waiting,
        parked=queue.parked,
        oldest=queue.oldest,
        compared_at=compared.last_run if compared else None,
        error=compared.error if compared else None,
    )


def _state() -> tuple[State, IndexStats | None]:
    why = backend().needs_build()
    if why == "missing":
        return "missing", None
    try:
        stats = backend().stats()
    except IndexBroken:
        return "broken", None
    if why == "broken":
        return "broken", stats
    return ("old" if why else "well"), stats
