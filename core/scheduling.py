"""Runs what plugins schedule: each job by one worker, however many there are."""

import logging
from collections.abc import Sequence
from datetime import datetime
from time import monotonic

import sqlalchemy as sa
from flask import Flask, current_app
from sqlalchemy.exc import IntegrityError

from core.db import db, now
from core.events import acting
from core.jobs import Job, JobRun
from core.logs import FACTS
from core.plugin_manager import declared_by, report_failure

log = logging.getLogger("rapport.worker")


def report_declared(hook: str, name: str, error: Exception, **facts: object) -> None:
    """Report that something failed which a plugin declared by name."""
    plugin = declared_by(current_app, hook, name)
    report_failure(plugin, f"{hook} {name}", error, **facts)


def run_due_jobs(app: Flask) -> int:
    """Run the jobs whose time has come; give how many ran."""
    jobs: Sequence[Job] = app.extensions["rapport_jobs"]
    ran = 0
    with app.app_context():
        for job in jobs:
            if _claim_job(job):
                _run_job(job)
                ran += 1
    return ran


def _claim_job(job: Job) -> bool:
    """Take a job for this worker by moving its next run; one UPDATE decides."""
    with db.read_only() as session:
        row = session.get(JobRun, job.name)
        if row is not None and now() < row.next_run <= now() + job.every:
            return False
    following = now() + job.every
    if row is not None and row.next_run > now():
        # The clock was set back since: not at once, it may just have run.
        _put_off(job, row.next_run, following)
        return False
    if row is None:
        try:
            with db.transaction() as session:
                session.add(JobRun(name=job.name, next_run=following))
        except IntegrityError:
            return False
        return True
    return _put_off(job, row.next_run, following)


def _put_off(job: Job, planned: datetime, following: datetime) -> bool:
    """Move a job's next run, unless another worker has; say whether it was us."""
    with db.transaction() as session:
        taken = session.scalars(
            sa.update(JobRun)
            .where(JobRun.name == job.name, JobRun.next_run == planned)
            .values(next_run=following)
            .returning(JobRun.name)
        ).all()
    return bool(taken)


def _run_job(job: Job) -> None:
    error = None
    try:
        started = monotonic()
        with db.transaction(), acting(None):
            job.run()
        took = round((monotonic() - started) * 1000, 1)
        log.info("job done", extra={FACTS: {"job": job.name, "ms": took}})
    except Exception as raised:
        report_declared("register_jobs", job.name, raised)
        error = repr(raised)[:2000]
    with db.transaction() as session:
        session.execute(
            sa.update(JobRun)
            .where(JobRun.name == job.name)
            .values(last_run=now(), error=error)
        )


def beat(app: Flask) -> None:
    """Leave a sign of life for /readyz and `rapport doctor`."""
    try:
        with app.app_context(), db.transaction() as session:
            session.merge(JobRun(name="worker", next_run=now(), last_run=now()))
    except IntegrityError:
        log.debug("another worker left the first sign of life at this moment")
