"""The database: one session per request, the model base and the column types.

The rule of the house: a view that returns has committed, a view that raises has
changed nothing. Services flush; only the edge (a request, a delivery, a step of a
command) commits.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from itertools import islice
from time import monotonic, sleep
from typing import Any, ClassVar, Literal, TypeAlias, TypeVar

import sqlalchemy as sa
from flask import Flask, current_app, g
from sqlalchemy.engine import Engine
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    declared_attr,
    mapped_column,
)

from core.columns import Amount, JSONType, UTCDateTime, now
from core.engine import make_engine, may_write, only_reading, reading, writes

__all__ = [
    "NAMING",
    "Amount",
    "Database",
    "JSONType",
    "Model",
    "Readers",
    "Record",
    "UTCDateTime",
    "db",
    "in_steps",
    "make_engine",
    "now",
    "only_reading",
    "reading",
    "table_of",
    "writes",
]

log = logging.getLogger("rapport.db")

# Who may read a record that has no audience of its own; see `core.visibility`.
Readers: TypeAlias = Literal["staff", "shared", "customers", "audience", "entry"]

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

M = TypeVar("M")
T = TypeVar("T")


class Model(DeclarativeBase):
    """The base of every table."""

    metadata = sa.MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UTCDateTime(),
        Decimal: Amount(),
        dict[str, Any]: JSONType,
        list[Any]: JSONType,
        list[str]: JSONType,
        list[int]: JSONType,
        list[dict[str, Any]]: JSONType,
    }

    def __init_subclass__(cls, **kwargs: object) -> None:
        """Never let SQLite use an id again: an old link would mean another person."""
        super().__init_subclass__(**kwargs)
        table = getattr(cls, "__table__", None)
        if isinstance(table, sa.Table) and len(table.primary_key.columns) == 1:
            column = next(iter(table.primary_key.columns))
            if isinstance(column.type, sa.Integer) and not column.foreign_keys:
                table.dialect_options["sqlite"]["autoincrement"] = True


def table_of(model: type[Any]) -> sa.Table:
    """Give the table of a model: for hundreds of rows objects are a dear detour."""
    table: sa.Table = model.__table__
    return table


class Record:
    """A row that users open, search and follow; its changes are announced.

    `readers` says who may read a record without an audience of its own: `staff`;
    `shared`, staff and the portal users of its contact; `customers`, staff and every
    customer. `audience` records carry an `audience_id`; `entry` ones hang on the entry
    `interaction_id`, and are for those colleagues who see it, or on none.
    """

    readers: ClassVar[Readers] = "staff"
    __tablename__: str

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        """Let SQLAlchemy refuse a save of a version that is no longer current."""
        return {"version_id_col": cls.version}

    @classmethod
    def record_name(cls) -> str:
        """Name the type: `contact`, or `documents.document` for a plugin's table."""
        return cls.__tablename__.replace("_", ".", 1)

    @property
    def ref(self) -> str:
        """Name this record for events, links and the index: `contact/7`."""
        return f"{self.record_name()}/{self.id}"


class Database:
    """The session and engine of the current application."""

    def init_app(self, app: Flask) -> None:
        """Open the engine of `DATABASE_URL` and clean up after requests."""
        app.extensions["rapport_engine"] = make_engine(app.config["DATABASE_URL"])
        app.teardown_appcontext(_close_session)

    @property
    def engine(self) -> Engine:
        """The engine of the current application."""
        engine: Engine = current_app.extensions["rapport_engine"]
        return engine

    @property
    def session(self) -> Session:
        """The session of the current request, delivery or command step."""
        session: Session | None = g.get("rapport_session")
        if session is None:
            session = g.rapport_session = Session(self.engine, autoflush=True)
            session.info["app"] = current_app._get_current_object()  # type: ignore[attr-defined]
        return session

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.engine.dialect.name

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Open the edge of a command, job or delivery: commit, or roll back and raise.

        Runs in a session of its own, so a transaction that is under way around it
        is not touched. On SQLite do not open one inside another that has written.
        """
        outer = g.get("rapport_session")
        g.rapport_session = None
        token = may_write.set(True)
        try:
            session = self.session
            try:
                yield session
                session.commit()
            except BaseException:
                session.rollback()
                raise
            finally:
                session.close()
        finally:
            may_write.reset(token)
            g.rapport_session = outer
            self.run_asides()

    @contextmanager
    def read_only(self) -> Iterator[Session]:
        """Open the edge of something that only reads: a live stream, an export page."""
        outer = g.get("rapport_session")
        g.rapport_session = None
        with only_reading():
            session = self.session
            try:
                yield session
            finally:
                session.close()
                g.rapport_session = outer

    @contextmanager
    def contained(self) -> Iterator[None]:
        """Keep what fails in the block, and is caught outside it, from doing harm.

        Used around what plugins add to a page. Reading, the transaction begins anew:
        PostgreSQL answers nothing more in one that failed. Writing, only the block's
        own part is undone.
        """
        if not reading():
            with self.session.begin_nested():
                yield
            return
        try:
            yield
            # What the block has changed is refused here and not at the page's end.
            self.session.flush()
        except BaseException:
            self.session.rollback()
            raise

    def aside(self, fact: Callable[[], object]) -> None:
        """Have `fact()` write what must outlive a refusal, such as a failed sign-in.

        It runs in a transaction of its own after the request's has ended, whether
        that one committed or not: SQLite has one writer, which inside it would wait
        for itself.
        """
        queue: deque[Callable[[], object]] = g.setdefault("rapport_asides", deque())
        queue.append(fact)

    def run_asides(self) -> None:
        """Write what was put aside; called by the edge after its own transaction.

        By then the answer is decided: a fact that cannot be written is logged, and
        takes nothing else along.
        """
        queue: deque[Callable[[], object]] = g.get("rapport_asides") or deque()
        while queue:
            fact = queue.popleft()
            try:
                with self.transaction():
                    fact()
            except Exception:
                log.exception("what was put aside could not be written")

    def pages(self, query: sa.Select[M], *, size: int = 500) -> Iterator[list[M]]:
        """Read a long list page by page, one short read transaction each.

        `query` selects one model; pages follow its primary key. Rows are detached:
        read their columns, do not follow relations.
        """
        entity = query.column_descriptions[0]["entity"]
        key = sa.inspect(entity).primary_key[0]
        last: Any = None
        while True:
            page = query.order_by(None).order_by(key).limit(size)
            if last is not None:
                page = page.where(key > last)
            with self.read_only() as session:
                rows = list(session.scalars(page).unique())
                session.expunge_all()
            if rows:
                yield rows
            if len(rows) < size:
                return
            last = sa.inspect(rows[-1]).identity[0]


db = Database()


def in_steps(
    items: Iterable[T],
    work: Callable[[list[T]], object],
    *,
    size: int = 500,
    rest: bool = True,
) -> None:
    """Do long work at the edge in steps of `size`, each committed on its own.

    Rests between steps as long as a step worked, at most a second, so that people's
    own writes get their turn; where nobody works yet, it need not `rest`.
    """
    source = iter(items)
    while step := list(islice(source, size)):
        started = monotonic()
        with db.transaction():
            work(step)
        if rest and len(step) == size:
            sleep(min(monotonic() - started, 1.0))


def _close_session(_error: BaseException | None) -> None:
    session: Session | None = g.pop("rapport_session", None)
    if session is not None:
        session.close()
