"""What a row did to the database: seen at the flush, so nobody has to say it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.orm import Session, UOWTransaction

from core.db import Record


@dataclass
class Changes:
    """What was flushed since `forget`: rows added, and records added or changed."""

    added: list[object] = field(default_factory=list)
    records: dict[Record, bool] = field(default_factory=dict)

    def forget(self) -> None:
        """Start again, for the next row."""
        self.added.clear()
        self.records.clear()

    def note(self, session: Session, _flush: UOWTransaction) -> None:
        """Look at what a flush wrote; True in `records` means newly made."""
        self.added.extend(session.new)
        for one in session.new:
            if isinstance(one, Record):
                self.records[one] = True
        for one in session.dirty:
            if isinstance(one, Record) and session.is_modified(one):
                self.records.setdefault(one, False)


@contextmanager
def watching(session: Session) -> Iterator[Changes]:
    """Watch the flushes of `session` while the block runs."""
    changes = Changes()
    sa.event.listen(session, "after_flush", changes.note)
    try:
        yield changes
    finally:
        sa.event.remove(session, "after_flush", changes.note)
