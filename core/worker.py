"""The worker: delivers events to subscribers and runs due jobs.

The database is the queue. Any number of workers on any number of hosts claim due
deliveries under a lease, hand each to its subscriber in a transaction of its own, and
delete it by token in that same transaction. A worker that dies leaves its lease to
run out; somebody else then delivers again.
"""

import logging
import os
import secrets
import signal
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import OperationalError

from core.db import db, now
from core.events import Delivery, Event, Subscriber, acting, declarations
from core.importing.tasks import Bringer
from core.live import Watcher
from core.logs import FACTS
from core.scheduling import beat, report_declared, run_due_jobs

__all__ = ["beat", "deliver_due", "run_due_jobs", "try_again", "work"]

log = logging.getLogger("rapport.worker")

LONGEST_WAIT = 15 * 60
CLAIM = 200
IDLE = 2.0
BEAT_EVERY = 20.0


@dataclass(frozen=True)
class Claimed:
    """Some deliveries of one subscriber that this worker holds under one token."""

    subscriber: Subscriber
    token: str
    ids: tuple[int, ...]


def deliver_due(
    app: Flask, *, limit: int = CLAIM, stop: Callable[[], bool] = lambda: False
) -> int:
    """Deliver what is due now; give how many deliveries were tried.

    When `stop()` says so, what is not begun is left to the next worker at once.
    """
    tried = 0
    with app.app_context():
        token = secrets.token_hex(16)
        for group in _claim(app, token, limit):
            if stop():
                _let_go(token)
                break
            _deliver(group)
            tried += len(group.ids)
    return tried


def _claim(app: Flask, token: str, limit: int) -> list[Claimed]:
    known = declarations(app).subscribers
    lease = timedelta(seconds=app.config["LEASE_SECONDS"])
    at = now()
    # Nothing is leased nor put off for so long: who wrote that had a clock that was
    # ahead, and was set back since.
    free = sa.or_(
        Delivery.leased_until.is_(None),
        Delivery.leased_until < at,
        Delivery.leased_until > at + 2 * lease,
    )
    longest = timedelta(seconds=2 * LONGEST_WAIT)
    due = (
        sa.select(Delivery.id)
        .where(
            Delivery.parked_at.is_(None),
            sa.or_(Delivery.due <= at, Delivery.due > at + longest),
            free,
            Delivery.subscriber.in_(known),
        )
        .order_by(Delivery.priority, Delivery.due, Delivery.id)
        .limit(limit)
    )
    with db.read_only() as session:
        # Looking first keeps an idle worker from taking SQLite's only write lock.
        if session.scalar(due.limit(1)) is None:
            return []
    with db.transaction() as session:
        if db.dialect == "postgresql":
            due = due.with_for_update(skip_locked=True)
        rows = session.execute(
            sa.update(Delivery)
            .where(Delivery.id.in_(due))
            .values(token=token, leased_until=at + lease)
            .returning(Delivery.id, Delivery.subscriber)
        ).all()
    return _grouped(rows, known, token)


def _grouped(
    rows: Sequence[Any], known: dict[str, Subscriber], token: str
) -> list[Claimed]:
    groups: list[Claimed] = []
    # Who takes many at once is quick with each: the index before slow readers of files.
    names = {row.subscriber for row in rows}
    for name in sorted(names, key=lambda one: (-known[one].batch, one)):
        ids = sorted(row.id for row in rows if row.subscriber == name)
        size = known[name].batch
        groups.extend(
            Claimed(known[name], token, tuple(ids[start : start + size]))
            for start in range(0, len(ids), size)
        )
    return groups


def _let_go(token: str) -> None:
    with db.transaction() as session:
        session.execute(
            sa.update(Delivery)
            .where(Delivery.token == token)
            .values(token=None, leased_until=None)
        )


def _deliver(group: Claimed) -> None:
    """Hand one batch to its subscriber; on failure give each its own next try."""
    try:
        with db.transaction():
            _hand_over(group)
    except Exception as error:
        if len(group.ids) > 1:
            # One bad event must not hold up the batch it came in.
            for one in group.ids:
                _deliver(Claimed(group.subscriber, group.token, (one,)))
            return
        _try_later(group, error)


def _hand_over(group: Claimed) -> None:
    session = db.session
    # The lock keeps others away however long this takes, also beyond the lease; on
    # SQLite the one writer does. It waits, and does not skip: who claims at this moment
    # may hold a row for an instant that it does not get.
    mine = (
        sa.select(Delivery)
        .where(Delivery.id.in_(group.ids), Delivery.token == group.token)
        .with_for_update()
    )
    held = session.scalars(mine).all()
    if not held:
        return
    events = session.scalars(
        sa.select(Event)
        .where(Event.id.in_([one.event_id for one in held]))
        .order_by(Event.id)
    ).all()
    facts = {
        "subscriber": group.subscriber.name,
        "types": sorted({one.type for one in events}),
        "attempts": max(one.attempts for one in held) + 1,
        "deliveries": len(held),
    }
    started = monotonic()
    with acting(None):
        if group.subscriber.batch > 1:
            group.subscriber.handler(list(events))
        else:
            for event in events:
                group.subscriber.handler(event)
    session.execute(
        sa.delete(Delivery).where(
            Delivery.id.in_(group.ids), Delivery.token == group.token
        )
    )
    took = round((monotonic() - started) * 1000, 1)
    log.info("delivered", extra={FACTS: {**facts, "ms": took}})


def _try_later(group: Claimed, error: Exception) -> None:
    """Wait 2ⁿ seconds, at most a quarter of an hour; park when patience ends."""
    with db.transaction() as session:
        for one in session.scalars(
            sa.select(Delivery).where(
                Delivery.id.in_(group.ids), Delivery.token == group.token
            )
        ):
            event = session.get_one(Event, one.event_id)
            one.attempts += 1
            one.error = repr(error)[:2000]
            wait = min(2 ** min(one.attempts, 20), LONGEST_WAIT)
            one.due = now() + timedelta(seconds=wait)
            one.token = one.leased_until = None
            patience = timedelta(seconds=group.subscriber.patience)
            if one.due - event.time > patience and one.attempts > 1:
                one.parked_at = now()
            facts: dict[str, Any] = {
                "subscriber": group.subscriber.name,
                "event": one.event_id,
                "type": event.type,
                "attempts": one.attempts,
                "parked": one.parked_at is not None,
            }
            report_declared("register_subscribers", facts["subscriber"], error, **facts)


def try_again(delivery_ids: Iterable[int]) -> int:
    """Put parked deliveries back into the queue; give how many."""
    result = db.session.execute(
        sa.update(Delivery)
        .where(Delivery.id.in_(list(delivery_ids)), Delivery.parked_at.is_not(None))
        .values(parked_at=None, attempts=0, due=now(), error=None)
        .returning(Delivery.id)
    )
    return len(result.all())


def work(app: Flask, *, parent: int | None = None) -> None:
    """Work until told to stop (SIGTERM), or until the process `parent` is gone."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    watcher: Watcher = app.extensions["rapport_watcher"]
    watcher.start()
    bringer = Bringer(app)
    turn, next_beat = 0, monotonic()
    log.info("worker %d starts", os.getpid())
    while not stop.is_set() and (parent is None or os.getppid() == parent):
        try:
            if monotonic() >= next_beat:
                next_beat = monotonic() + BEAT_EVERY
                beat(app)
                run_due_jobs(app)
            busy = deliver_due(app, stop=stop.is_set)
        except OperationalError as error:
            log.warning("the database does not answer: %s", type(error.orig).__name__)
            stop.wait(2.0)
            continue
        except Exception:
            # What subscribers and jobs raise is dealt with where they are called; the
            # queue must go on whatever this was.
            log.exception("the worker stumbled")
            stop.wait(2.0)
            continue
        if not busy:
            turn = watcher.wait(turn, IDLE)
    bringer.stop()
    log.info("worker %d stops", os.getpid())
