"""What a row did to the database: seen at the flush, so nobody has to say it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, UOWTransaction

from core.db import Record


@dataclass
class Changes:
    """What was flushed since `forget`: rows added, and records added or changed.

    `values` are the changed fields of records that were there: (before, after).
    """

    added: list[object] = field(default_factory=list)
    records: dict[Record, bool] = field(default_factory=dict)
    values: dict[str, tuple[Any, Any]] = field(default_factory=dict)

    def forget(self) -> None:
        """Start again, for the next row."""
        self.added.clear()
        self.records.clear()
        self.values.clear()

    def made(self, record: object | None) -> bool:
        """Say whether `record` was added, or anything where a row has no record."""
        if record is None:
            return bool(self.added)
        return any(one is record for one in self.added)

    def note(self, session: Session, _flush: UOWTransaction) -> None:
        """Look at what a flush wrote; True in `records` means newly made."""
        self.added.extend(session.new)
        for one in session.new:
            if isinstance(one, Record):
                self.records[one] = True
        for one in session.dirty:
            if isinstance(one, Record) and session.is_modified(one):
                self.records.setdefault(one, False)
                self._compare(one)

    def _compare(self, record: Record) -> None:
        for attribute in sa.inspect(record).attrs:
            history = attribute.history
            if history.added and history.deleted:
                self.values[attribute.key] = (history.deleted[0], history.added[0])
            elif history.added:
                self.values[attribute.key] = (None, history.added[0])


@contextmanager
def watching(session: Session) -> Iterator[Changes]:
    """Watch the flushes of `session` while the block runs."""
    changes = Changes()
    sa.event.listen(session, "after_flush", changes.note)
    try:
        yield changes
    finally:
        sa.event.remove(session, "after_flush", changes.note)
