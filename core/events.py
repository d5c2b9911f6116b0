"""Facts, written in the transaction of the change and delivered after it.

Every flush that changes a `Record` writes one `Event` row per changed record, and one
`Delivery` row for each subscriber that wants it; the worker empties the deliveries.
Event columns carry the CloudEvents 1.0 names, so a webhook body is the row itself.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask import Flask, current_app
from marshmallow import Schema
from sqlalchemy.orm import Mapped, Session
from sqlalchemy.orm import mapped_column as column

from core.db import Model, Record, db, now, table_of
from core.rows import add_rows

# What people do is delivered before what a bulk import does.
PEOPLE, BULK = 0, 5
# The row of every colleague, which the first migration writes.
HOUSE_AUDIENCE = 1
CHANNEL = "rapport"

_actor: ContextVar[int | None] = ContextVar("rapport_actor", default=None)
_priority: ContextVar[int] = ContextVar("rapport_priority", default=PEOPLE)


@dataclass(frozen=True)
class EventType:
    """A kind of fact a plugin announces beyond created, updated and deleted."""

    name: str
    title: object
    schema: type[Schema] | None = None


@dataclass(frozen=True)
class Subscriber:
    """Somebody who acts on facts: at least once, and running twice must be harmless.

    `types` are event types, or prefixes that end in `*`. With `batch` above 1 the
    handler gets a list of events. Without `bulk` it does not hear of imports.
    """

    name: str
    types: tuple[str, ...]
    handler: Callable[..., None]
    batch: int = 1
    # How long a failing delivery is tried again, in seconds, before it is parked.
    patience: int = 24 * 3600
    bulk: bool = True

    def wants(self, event_type: str) -> bool:
        """Say whether this subscriber hears of `event_type`."""
        return any(
            event_type.startswith(wanted[:-1])
            if wanted.endswith("*")
            else event_type == wanted
            for wanted in self.types
        )


@dataclass(frozen=True)
class EventScope:
    """Who may learn of an event: the contact and the audience it belongs to."""

    contact_id: int | None
    audience_id: int | None


class Event(Model):
    """One fact that happened; never changed, only erased."""

    __tablename__ = "event"

    id: Mapped[int] = column(primary_key=True)
    type: Mapped[str] = column(sa.String(100), index=True)
    source: Mapped[str] = column(sa.String(100), default="rapport")
    subject: Mapped[str] = column(sa.String(100))
    time: Mapped[datetime] = column(default=now)
    # Names of changed columns and what a business fact says; no personal values.
    data: Mapped[dict[str, Any]] = column(default=dict)
    # Values before and after, apart from the facts so that they can be erased.
    personal: Mapped[dict[str, Any] | None]
    actor_id: Mapped[int | None]
    contact_id: Mapped[int | None] = column(index=True)
    audience_id: Mapped[int | None] = column(
        # Never SET NULL: without an audience an event is for every colleague.
        sa.ForeignKey("audience.id", ondelete="RESTRICT"),
        # What happened stays as it was, for those who could learn of it then.
        info={"merging": "stays"},
    )
    # The PostgreSQL transaction, for a cursor that skips nothing; 0 on SQLite.
    xid: Mapped[int] = column(sa.BigInteger, default=0)

    __table_args__ = (
        sa.Index("ix_event_subject_id", "subject", "id"),
        sa.Index("ix_event_actor_id_id", "actor_id", "id"),
        sa.Index("ix_event_xid_id", "xid", "id"),
    )


class Delivery(Model):
    """One event waiting for one subscriber; gone when it has been delivered."""

    __tablename__ = "delivery"

    id: Mapped[int] = column(primary_key=True)
    event_id: Mapped[int] = column(sa.ForeignKey("event.id", ondelete="CASCADE"))
    subscriber: Mapped[str] = column(sa.String(100))
    priority: Mapped[int] = column(sa.SmallInteger, default=PEOPLE)
    attempts: Mapped[int] = column(default=0)
    due: Mapped[datetime] = column(default=now)
    token: Mapped[str | None] = column(sa.String(32))
    leased_until: Mapped[datetime | None]
    parked_at: Mapped[datetime | None]
    error: Mapped[str | None] = column(sa.Text, info={"personal": True})

    __table_args__ = (
        sa.UniqueConstraint("event_id", "subscriber"),
        sa.Index("ix_delivery_parked_at_priority_due", "parked_at", "priority", "due"),
    )


class Declarations:
    """What the plugins of one application declared about events."""

    def __init__(
        self,
        subscribers: Sequence[Subscriber],
        types: Sequence[EventType],
        scope_of: Callable[[Session, Record], EventScope],
    ):
        """Keep the subscribers by name, the types by name, and who-sees-what."""
        self.subscribers = {one.name: one for one in subscribers}
        self.types = {one.name: one for one in types}
        self.scope_of = scope_of
        self._wanted: dict[str, list[Subscriber]] = {}

    def wanted_by(self, event_type: str) -> list[Subscriber]:
        """Say which subscribers hear of `event_type`."""
        if event_type not in self._wanted:
            everybody = self.subscribers.values()
            self._wanted[event_type] = [
                one for one in everybody if one.wants(event_type)
            ]
        return self._wanted[event_type]


def declarations(app: Flask | None = None) -> Declarations:
    """Give what the plugins of `app` (the current one) declared."""
    found: Declarations = (app or current_app).extensions["rapport_events"]
    return found


@contextmanager
def acting(user_id: int | None, *, bulk: bool = False) -> Iterator[None]:
    """Say who does what follows, for the record's history; `bulk` lets people pass."""
    actor = _actor.set(user_id)
    priority = _priority.set(BULK if bulk else PEOPLE)
    try:
        yield
    finally:
        _actor.reset(actor)
        _priority.reset(priority)


def actor() -> int | None:
    """Tell who acts, by the number of the account."""
    return _actor.get()


def set_actor(user_id: int | None) -> None:
    """Say who acts in this request."""
    _actor.set(user_id)


def announce(
    event_type: str,
    record: Record,
    data: dict[str, Any] | None = None,
    *,
    due: datetime | None = None,
) -> None:
    """Tell that something happened to `record` which is more than a changed row.

    `data` fits the schema of its `EventType`, or `LookupError`. Heard of from `due` on.
    """
    declared = declarations().types.get(event_type)
    if declared is None:
        raise LookupError(f"no plugin declares the event type {event_type!r}")
    if declared.schema is not None:
        errors = declared.schema().validate(data or {})
        if errors:
            raise ValueError(f"{event_type}: {errors}")
    db.session.flush()
    fact = fact_about(db.session, event_type, record, data or {})
    write_facts(db.session, [fact], due=due)


def tell(
    event_type: str,
    subject: str,
    *,
    audience_id: int,
    data: dict[str, Any] | None = None,
    due: datetime | None = None,
) -> None:
    """Tell the readers of an audience of something that is no record of its own.

    Nobody is told before `due`, by default at once.
    """
    scope = EventScope(None, audience_id)
    fact = _fact(event_type, subject, data or {}, None, scope)
    write_facts(db.session, [fact], due=due)


def write_note(event_type: str, subject: str, data: dict[str, Any]) -> None:
    """Write down, for the house's history, what concerns no record: a setting, a job.

    Colleagues may learn of it; `data` holds nothing personal.
    """
    scope = EventScope(None, HOUSE_AUDIENCE)
    write_facts(db.session, [_fact(event_type, subject, data, None, scope)])


def fact_about(
    session: Session,
    event_type: str,
    record: Record,
    data: dict[str, Any],
    personal: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Write down a fact about `record`, with who did it and who may learn of it."""
    scope = declarations(session.info["app"]).scope_of(session, record)
    return _fact(event_type, record.ref, data, personal, scope)


def _fact(
    event_type: str,
    subject: str,
    data: dict[str, Any],
    personal: dict[str, Any] | None,
    scope: EventScope,
) -> dict[str, Any]:
    return {
        "type": event_type,
        "subject": subject,
        "data": data,
        "personal": personal,
        "time": now(),
        "actor_id": _actor.get(),
        "contact_id": scope.contact_id,
        "audience_id": scope.audience_id,
        "source": "rapport",
        "xid": 0,
    }


def write_facts(
    session: Session,
    rows: list[dict[str, Any]],
    *,
    due: datetime | None = None,
    delivered: bool = True,
) -> None:
    """Write event rows, and a delivery of each for everybody who wants it.

    Nothing is delivered before `due`, by default at once: time to change one's mind.
    What is not `delivered` at all is for open pages alone.
    """
    declared = declarations(session.info["app"])
    events, deliveries = table_of(Event), table_of(Delivery)
    computed: dict[str, sa.ColumnElement[Any]] = {}
    if session.get_bind().dialect.name == "postgresql":
        transaction = "(pg_current_xact_id()::text::bigint)"
        computed["xid"] = sa.literal_column(transaction, sa.BigInteger)
        rows = [{k: v for k, v in row.items() if k != "xid"} for row in rows]
    ids = add_rows(session, events, rows, computed=computed)
    todo = [
        {
            "event_id": event_id,
            "subscriber": subscriber.name,
            "priority": _priority.get(),
            "due": due or row["time"],
            "attempts": 0,
        }
        for event_id, row in zip(ids, rows, strict=True)
        for subscriber in (declared.wanted_by(row["type"]) if delivered else ())
        if subscriber.bulk or _priority.get() == PEOPLE
    ]
    add_rows(session, deliveries, todo, numbered=False)
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text(f"SELECT pg_notify('{CHANNEL}', '')"))
