"""The queue of deliveries, and the jobs: how they are, trying again, giving up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from core.db import db
from core.errors import Invalid, NotFound
from core.events import Delivery, Event, write_note
from core.i18n import _
from core.jobs import Job, JobRun, run_soon
from core.worker import try_again

GIVEN_UP, RUN_ASKED = "delivery.given_up", "job.asked_for"
WORKER = "worker"


@dataclass(frozen=True)
class Waiting:
    """A delivery that failed, with the event it is about."""

    delivery: Delivery
    event: Event


@dataclass(frozen=True)
class Queue:
    """How the queue of one subscriber is; `oldest` is when its oldest became due."""

    subscriber: str
    waiting: int
    failing: int
    parked: int
    oldest: datetime | None


@dataclass(frozen=True)
class JobState:
    """A job, when it runs next, and how its last run went."""

    name: str
    every: timedelta
    run: JobRun | None


def queues() -> list[Queue]:
    """Count deliveries by subscriber; those that have none are not named."""
    here = Delivery.parked_at.is_(None)
    rows = db.session.execute(
        sa.select(
            Delivery.subscriber,
            sa.func.count().filter(here).label("waiting"),
            sa.func.count().filter(here, Delivery.attempts > 0).label("failing"),
            sa.func.count(Delivery.parked_at).label("parked"),
            sa.func.min(Event.time).filter(here).label("oldest"),
        )
        .join(Event, Event.id == Delivery.event_id)
        .group_by(Delivery.subscriber)
        .order_by(Delivery.subscriber)
    )
    return [
        Queue(row.subscriber, row.waiting, row.failing, row.parked, row.oldest)
        for row in rows
    ]


def failing_deliveries(*, subscriber: str = "", limit: int = 100) -> list[Waiting]:
    """List deliveries that failed at least once, parked ones first."""
    query = (
        sa.select(Delivery, Event)
        .join(Event, Event.id == Delivery.event_id)
        .where(sa.or_(Delivery.attempts > 0, Delivery.parked_at.is_not(None)))
        .order_by(Delivery.parked_at.is_(None), Delivery.id)
        .limit(limit)
    )
    if subscriber:
        query = query.where(Delivery.subscriber == subscriber)
    return [Waiting(delivery, event) for delivery, event in db.session.execute(query)]


def try_all_again(subscriber: str) -> int:
    """Put all parked deliveries of a subscriber back into the queue; give how many."""
    ids = db.session.scalars(
        sa.select(Delivery.id).where(
            Delivery.subscriber == subscriber, Delivery.parked_at.is_not(None)
        )
    ).all()
    return try_again(ids)


def give_up(delivery_ids: Sequence[int], *, reason: str) -> int:
    """Drop parked deliveries for good, with a reason for the history; give how many.

    Raises `Invalid` without a reason.
    """
    if not reason:
        raise Invalid(errors={"reason": [_("Say why, for those who ask later.")]})
    found = db.session.scalars(
        sa.select(Delivery).where(
            Delivery.id.in_(delivery_ids), Delivery.parked_at.is_not(None)
        )
    ).all()
    for one in found:
        told = {
            "subscriber": one.subscriber,
            "event": one.event_id,
            "reason": reason,
        }
        db.session.delete(one)
        write_note(GIVEN_UP, f"delivery/{one.id}", told)
    db.session.flush()
    return len(found)


def job_states(jobs: Sequence[Job]) -> list[JobState]:
    """Give every job by name with its last run."""
    runs = {one.name: one for one in db.session.scalars(sa.select(JobRun))}
    return [
        JobState(one.name, one.every, runs.get(one.name))
        for one in sorted(jobs, key=lambda job: job.name)
    ]


def worker_seen() -> datetime | None:
    """Give when a worker last left its sign of life."""
    run = db.session.get(JobRun, WORKER)
    return run.last_run if run else None


def ask_for_run(jobs: Sequence[Job], name: str) -> None:
    """Have the worker run a job at its next look; raises `NotFound`."""
    if name not in {one.name for one in jobs}:
        raise NotFound
    run_soon(name)
    write_note(RUN_ASKED, f"job/{name}", {})
