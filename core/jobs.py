"""Scheduled work: a job is declared by a plugin and claimed by one worker at a time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model, db, now


@dataclass(frozen=True)
class Job:
    """Work to `run` once `every` so often; running it twice must be harmless."""

    name: str
    every: timedelta
    run: Callable[[], None]


class JobRun(Model):
    """When a job runs next, and how its last run went."""

    __tablename__ = "job_run"

    name: Mapped[str] = mapped_column(sa.String(100), primary_key=True)
    next_run: Mapped[datetime] = mapped_column(index=True)
    last_run: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(sa.Text, info={"personal": True})


def run_soon(name: str) -> None:
    """Have the worker run a job at its next look."""
    run = db.session.get(JobRun, name)
    if run is None:
        db.session.add(JobRun(name=name, next_run=now()))
    else:
        run.next_run = now()
    db.session.flush()
