"""The machine room: versions, disk, clock, as a page and as text for support."""

import os
import platform
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from typing import Any

import sqlalchemy as sa

from core import __version__
from core.db import db, now

# What a support request wants to know of, besides Python and the database.
LIBRARIES = ("Flask", "SQLAlchemy", "pluggy", "marshmallow", "alembic", "Whoosh")
# Counting a folder ends here; a store of many files takes long to read.
COUNTING_SECONDS = 0.5
LOW_SHARE, LOW_BYTES = 0.1, 1_000_000_000


@dataclass(frozen=True)
class Size:
    """How much a part takes, in bytes; `whole` is false when counting was cut off."""

    name: str
    size: int
    whole: bool = True


@dataclass(frozen=True)
class Disk:
    """The disk of the instance, and what our parts take of it, in bytes."""

    free: int
    total: int
    parts: list[Size]

    @property
    def low(self) -> bool:
        """Say whether room runs out: under a tenth and under a gigabyte."""
        return self.free < LOW_BYTES or self.free < self.total * LOW_SHARE / 2


@dataclass(frozen=True)
class Clock:
    """The time here and in the database; `apart` is how far they differ."""

    server: datetime
    database: datetime
    zone: str

    @property
    def apart(self) -> timedelta:
        """How far the two clocks differ."""
        return abs(self.server - self.database)


def versions() -> dict[str, str]:
    """Give the versions of what matters."""
    found = {"Rapport": __version__, "Python": platform.python_version()}
    found |= {name: version(name) for name in LIBRARIES}
    found[_database_name()] = _database_version()
    return found


def _database_name() -> str:
    return "PostgreSQL" if db.dialect == "postgresql" else "SQLite"


def _database_version() -> str:
    postgres = db.dialect == "postgresql"
    asked = "SHOW server_version" if postgres else "SELECT sqlite_version()"
    return str(db.session.scalar(sa.text(asked))).partition(" ")[0]


def disk(config: Mapping[str, Any]) -> Disk:
    """Measure the disk of the instance and what takes room on it."""
    usage = shutil.disk_usage(config["INSTANCE"])
    return Disk(
        usage.free,
        usage.total,
        [
            Size("database", _database_size()),
            _folder_size("files", Path(config["FILES_FOLDER"])),
            _folder_size("search", Path(config["SEARCH_FOLDER"])),
        ],
    )


def _database_size() -> int:
    if db.dialect == "postgresql":
        asked = sa.text("SELECT pg_database_size(current_database())")
        return int(db.session.scalar(asked) or 0)
    path = db.engine.url.database or ""
    files = (Path(path + end) for end in ("", "-wal", "-shm"))
    return sum(one.stat().st_size for one in files if one.exists())


def _folder_size(name: str, folder: Path) -> Size:
    size, until = 0, monotonic() + COUNTING_SECONDS
    for here, _folders, files in os.walk(folder):
        for file in files:
            try:
                size += os.lstat(Path(here) / file).st_size
            except FileNotFoundError:
                continue
        if monotonic() > until:
            return Size(name, size, whole=False)
    return Size(name, size)


def clock() -> Clock:
    """Compare the clock of this server with that of the database."""
    if db.dialect == "postgresql":
        there = db.session.scalar(sa.select(sa.func.clock_timestamp())) or now()
    else:
        there = now()
    local = datetime.now(UTC).astimezone()
    return Clock(now(), there, local.tzname() or "UTC")


def readable_size(size: int) -> str:
    """Write bytes for people: 950 kB, 12.3 MB, 4.1 GB."""
    if size < 1_000_000:
        return f"{max(size, 0) / 1000:.0f} kB"
    if size < 1_000_000_000:
        return f"{size / 1_000_000:.1f} MB"
    return f"{size / 1_000_000_000:.1f} GB"
