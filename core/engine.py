"""Engines that keep the transaction rule, and who may write in which transaction."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import sqlalchemy as sa
from flask import current_app, g, has_request_context, request
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import ORMExecuteState, Session

# What an edge said about the transaction it opened; None leaves it to the request.
may_write: ContextVar[bool | None] = ContextVar("rapportmay_write", default=None)

F = TypeVar("F", bound=Callable[..., Any])


def make_engine(url: str) -> Engine:
    """Open an engine that keeps the promises of the transaction rule."""
    parsed = sa.make_url(url)
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    # What a statement was given is people's data, and an error's text goes far.
    common: dict[str, Any] = {
        "pool_size": 20,
        "max_overflow": 80,
        "hide_parameters": True,
        "json_deserializer": _read_json,
    }
    if parsed.get_backend_name() == "sqlite":
        engine = sa.create_engine(parsed, **common)
        sa.event.listen(engine, "before_cursor_execute", _count_statement)
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
        return engine
    _keep_long_statements()
    engine = sa.create_engine(
        parsed,
        **common,
        pool_pre_ping=True,
        connect_args={"options": " ".join(f"-c {one}" for one in _POSTGRESQL)},
    )
    sa.event.listen(engine, "before_cursor_execute", _count_statement)
    return engine


# A page asks small questions. To start parallel workers for one, or to compile it,
# takes longer than the answer.
# What a connection asks again is planned once, for any value; statements for which the
# value decides hold it themselves (`literal_execute`, and the size of a page).
_POSTGRESQL = (
    "timezone=UTC",
    "max_parallel_workers_per_gather=0",
    "jit=off",
    "plan_cache_mode=force_generic_plan",
)


def _keep_long_statements() -> None:
    """Have psycopg keep what it made of a long statement, as it does of short ones.

    It rewrites the text for PostgreSQL. Those of a page have up to 7,000 characters and
    are the same for everybody; without this they are rewritten on each page.
    """
    from psycopg import _queries

    _queries.MAX_CACHED_STATEMENT_LENGTH = 16_384


def _count_statement(_c: object, _cursor: object, said: str, *_rest: object) -> None:
    """Count for the line of the log; the beginning of a transaction is none."""
    if has_request_context() and not said.startswith("BEGIN"):
        g.rapport_statements = g.get("rapport_statements", 0) + 1


def _read_json(text: str | bytes) -> Any:
    # Most lists of a record are empty, and a page reads hundreds of them.
    if text in {"[]", b"[]"}:
        return []
    if text in {"{}", b"{}"}:
        return {}
    return json.loads(text.decode() if isinstance(text, bytes) else text)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=10000",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A deferred transaction that turns into a writer half-way fails at once with
    # "database is locked"; one that says so at the start waits for its turn.
    connection.exec_driver_sql("BEGIN" if reading() else "BEGIN IMMEDIATE")


@contextmanager
def only_reading() -> Iterator[None]:
    """Let what begins in the block read and not write: the page of a refusal."""
    token = may_write.set(False)
    try:
        yield
    finally:
        may_write.reset(token)


def reading() -> bool:
    """Say whether this transaction may only read.

    A GET that is not marked `writes` may, and whatever runs outside every edge.
    """
    said = may_write.get()
    if said is not None:
        return not said
    if not has_request_context():
        return True
    # A page asks hundreds of times, and the answer is that of its address.
    # Flask types its proxy as the request itself, which has no such method.
    asked: Any = request._get_current_object()  # type: ignore[attr-defined]
    known: bool | None = asked.__dict__.get("rapport_reads")
    if known is None:
        view = current_app.view_functions.get(asked.endpoint or "")
        reads = asked.method in {"GET", "HEAD", "OPTIONS"}
        known = asked.rapport_reads = reads and not getattr(view, "writes", False)
    return known


def writes(view: F) -> F:
    """Mark a GET view that changes something, such as "seen" marks."""
    view.writes = True  # type: ignore[attr-defined]
    return view


_ONLY_READS = (
    "this only reads: mark the GET view with @writes, or open db.transaction() in a "
    "command or test"
)


@sa.event.listens_for(Session, "before_flush")
def _refuse_to_write_while_reading(
    session: Session, _context: object, _instances: object
) -> None:
    if reading() and (session.new or session.deleted or _changed(session)):
        raise RuntimeError(_ONLY_READS)


@sa.event.listens_for(Session, "do_orm_execute")
def _refuse_statements_while_reading(state: ORMExecuteState) -> None:
    if state.is_insert or state.is_update or state.is_delete:
        refuse_while_reading()


def refuse_while_reading() -> None:
    """Raise `RuntimeError` before what would write where one only reads."""
    if reading():
        raise RuntimeError(_ONLY_READS)


def _changed(session: Session) -> Sequence[object]:
    return [one for one in session.dirty if session.is_modified(one)]
