"""Telling what an import did from what people did one by one."""

import sqlalchemy as sa

from core.events import Event
from core.importing.models import ImportEntry, ImportRun


def by_import() -> sa.ColumnElement[bool]:
    """Say as SQL whether an event was written while an import changed its record."""
    ended = sa.func.coalesce(ImportRun.finished_at, Event.time)
    return (
        sa.exists()
        .where(ImportEntry.ref == Event.subject)
        .where(ImportRun.id == ImportEntry.run_id)
        .where(ImportRun.by_id == Event.actor_id)
        .where(ImportRun.started_at <= Event.time, Event.time <= ended)
    )
