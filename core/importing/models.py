"""What is kept of an import: its rows' keys, what it made, what it refused."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model, now

PERSONAL = {"personal": True}


class ImportKey(Model):
    """What another system calls one of our records: "ALFKI is contact/7".

    Rows refer to each other by these keys, also across files, and a second import
    of the same row finds its record instead of making it twice.
    """

    __tablename__ = "import_key"

    source: Mapped[str] = mapped_column(sa.String(60), primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(60), primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(200), primary_key=True)
    ref: Mapped[str] = mapped_column(sa.String(100), index=True)


class ImportRun(Model):
    """One file that is being brought in, and how far it came.

    On the pages it begins as a draft whose file is kept; what takes long is a `task`
    that a worker claims by a `token`. A run of the command line begins as running.
    """

    __tablename__ = "import_run"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(60))
    source: Mapped[str] = mapped_column(sa.String(60))
    # draft, running, done, stopped (an error ended it), undoing, undone, kept
    # (undone in part)
    state: Mapped[str] = mapped_column(sa.String(10), default="running")
    file_name: Mapped[str] = mapped_column(sa.String(255))
    # The mapping as it was, and the file's SHA-256: going on needs the same two.
    mapping: Mapped[dict[str, Any]] = mapped_column(default=dict)
    file_hash: Mapped[str] = mapped_column(sa.String(64))
    # Rows up to this one are done, refused ones included.
    resume_row: Mapped[int] = mapped_column(default=0)
    created: Mapped[int] = mapped_column(default=0)
    updated: Mapped[int] = mapped_column(default=0)
    same: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    by_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("user.id", ondelete="SET NULL")
    )
    started_at: Mapped[datetime] = mapped_column(default=now)
    finished_at: Mapped[datetime | None]
    # Whether we still have the file, and what we know of it: its rows (0: not counted),
    # its headings, its first rows.
    file_kept: Mapped[bool] = mapped_column(default=False)
    rows: Mapped[int] = mapped_column(default=0)
    table: Mapped[dict[str, Any]] = mapped_column(default=dict, info=PERSONAL)
    # What its owner chose beside the mapping; see `core.importing.choices`.
    choices: Mapped[dict[str, Any]] = mapped_column(default=dict, info=PERSONAL)
    # What a check or an undo found.
    found: Mapped[dict[str, Any]] = mapped_column(default=dict, info=PERSONAL)
    # "", check, bring or undo: what a worker shall do, and who of them does it.
    task: Mapped[str] = mapped_column(sa.String(10), default="")
    token: Mapped[str] = mapped_column(sa.String(32), default="")
    leased_until: Mapped[datetime | None]
    # How much of the task is done, from 0 to 1, and since when it is at it.
    part: Mapped[float] = mapped_column(sa.Float, default=0.0)
    task_since: Mapped[datetime | None]
    asked_by_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("user.id", ondelete="SET NULL")
    )


class ImportColumns(Model):
    """Which columns of files with certain headings became what, for the next time."""

    __tablename__ = "import_columns"

    kind: Mapped[str] = mapped_column(sa.String(60), primary_key=True)
    # The SHA-256 of the headings.
    signature: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    chosen: Mapped[dict[str, Any]] = mapped_column(default=dict)
    used_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)


class ImportRefusal(Model):
    """A row that did not come in, where it stands and why."""

    __tablename__ = "import_refusal"

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(
        sa.ForeignKey("import_run.id", ondelete="CASCADE"), index=True
    )
    line: Mapped[int]
    reason: Mapped[str] = mapped_column(sa.Text, info=PERSONAL)
    row: Mapped[dict[str, Any]] = mapped_column(default=dict, info=PERSONAL)


class ImportEntry(Model):
    """A record that an import made or changed, and the version it left it at."""

    __tablename__ = "import_entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(
        sa.ForeignKey("import_run.id", ondelete="CASCADE")
    )
    ref: Mapped[str] = mapped_column(sa.String(100), index=True)
    created: Mapped[bool]
    version: Mapped[int]

    __table_args__ = (sa.UniqueConstraint("run_id", "ref"),)
