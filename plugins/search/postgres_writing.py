"""Writes an index in PostgreSQL: one commit, and a new index beside the present one.

One transaction writes at a time. Changes go through the table of changes, which keeps
them while an index is being built: its builder reads the records as they were, and
makes the changes last.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection, Engine

from plugins.search.backend import (
    Build,
    IndexBroken,
    IndexDoc,
    IndexMissing,
    IndexOp,
    IndexStats,
    WriterBusy,
)
from plugins.search.postgres_tables import (
    CHANGES,
    COLUMNS,
    SCHEMA,
    SCHEMA_VERSION,
    VERSIONS,
    IndexTables,
    Row,
    indexes_of,
    row_of,
    sqlstate,
    tables_of,
)

log = logging.getLogger("rapport.search")

#: Seconds a writer waits for another, which may be indexing a large batch.
PATIENCE = 30.0
# Any numbers will do, as long as every process takes the same ones.
_WRITING, _BUILDING = 7_370_612_101, 7_370_612_102
_LOCKED, _NO_TABLE, _NO_SCHEMA = "55P03", "42P01", "3F000"


@contextmanager
def reading() -> Iterator[None]:
    """Turn what a missing table raises into IndexBroken."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        if sqlstate(error) not in {_NO_TABLE, _NO_SCHEMA}:
            raise
        raise IndexBroken(str(error.orig).partition("\n")[0]) from error


@contextmanager
def writing(connection: Connection, patience: float) -> Iterator[None]:
    """Hold the one transaction that may write; raises WriterBusy."""
    try:
        with reading(), connection.begin():
            limit = sa.func.set_config("lock_timeout", f"{patience:.3f}s", True)
            connection.execute(sa.select(limit))
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_WRITING)))
            yield
    except sa.exc.OperationalError as error:
        if sqlstate(error) != _LOCKED:
            raise
        raise WriterBusy("Another process is writing the search index") from error


def write(connection: Connection, rows: Sequence[Row]) -> None:
    """Make changes within a transaction of `writing`, each key at most once."""
    keys = [row["key"] for row in rows]
    these = CHANGES.c.key == sa.any_(sa.cast(keys, sa.ARRAY(sa.Text)))
    connection.execute(sa.delete(CHANGES).where(these))
    connection.execute(sa.insert(CHANGES), list(rows))
    current = current_index(connection)
    building = _is_being_built(connection)
    if current is None:
        if building:
            return
        raise IndexMissing("There is no search index yet.")
    _merge(connection, current, these)
    if not building:
        connection.execute(sa.delete(CHANGES).where(these))


def current_index(connection: Connection) -> int | None:
    """Give the number of the index that searches use."""
    found: int | None = connection.scalar(
        sa.select(VERSIONS.c.id).where(VERSIONS.c.is_current)
    )
    return found


def _is_being_built(connection: Connection) -> bool:
    """Say whether a builder lives; what a killed one left behind is cleared away."""
    unfinished = sa.select(VERSIONS.c.id).where(~VERSIONS.c.is_current)
    if connection.scalar(unfinished.limit(1)) is None:
        return False
    free = sa.func.pg_try_advisory_xact_lock(_BUILDING)
    if not connection.scalar(sa.select(free)):
        return True
    _clear_unfinished(connection)
    return False


def _clear_unfinished(connection: Connection) -> None:
    unfinished = sa.delete(VERSIONS).where(~VERSIONS.c.is_current)
    for index in connection.scalars(unfinished.returning(VERSIONS.c.id)).all():
        for table in _both(tables_of(index)):
            table.drop(connection, checkfirst=True)


def _both(tables: IndexTables) -> tuple[sa.Table, sa.Table]:
    return tables.records, tables.tokens


def _merge(connection: Connection, index: int, these: sa.ColumnElement[bool]) -> None:
    """Make the chosen changes in an index, and in what is known of it as a whole."""
    tables = tables_of(index)
    records = tables.records
    changed = sa.select(CHANGES).where(these)
    replaced = records.c.key.in_(changed.with_only_columns(CHANGES.c.key))
    stored = changed.where(CHANGES.c.type.is_not(None)).order_by(CHANGES.c.number)
    gone = _tokens(records, -1).where(replaced)
    come = _tokens(CHANGES, 1).where(these, CHANGES.c.type.is_not(None))
    _count(connection, tables, sa.union_all(gone, come))
    removed = connection.execute(
        sa.delete(records).where(replaced).returning(records.c.length, records.c.rest)
    ).all()
    values = [CHANGES.c[name] for name in COLUMNS]
    added = connection.execute(
        sa.insert(records)
        .from_select(COLUMNS, stored.with_only_columns(*values))
        .returning(records.c.length, records.c.rest)
    ).all()
    columns = VERSIONS.c
    connection.execute(
        sa.update(VERSIONS)
        .where(columns.id == index)
        .values(
            generation=columns.generation + 1,
            documents=columns.documents + len(added) - len(removed),
            words=columns.words
            + sum(row.length for row in added)
            - sum(row.length for row in removed),
            long=columns.long
            + sum(bool(row.rest) for row in added)
            - sum(bool(row.rest) for row in removed),
        )
    )


def _tokens(table: sa.Table, number: int) -> sa.Select[tuple[str, int]]:
    inside = sa.func.tsvector_to_array(table.c.words, type_=sa.ARRAY(sa.Text))
    every = sa.func.unnest(inside.concat(table.c.rest))
    return sa.select(every.label("token"), sa.literal(number).label("number"))


def _count(
    connection: Connection,
    tables: IndexTables,
    tokens: sa.CompoundSelect[tuple[str, int]],
) -> None:
    """Keep how many records have each token."""
    told = tokens.subquery("told")
    number = sa.func.sum(told.c.number)
    query = sa.select(told.c.token, number).group_by(told.c.token).having(number != 0)
    # In one order, as every writer does.
    insert = postgresql.insert(tables.tokens).from_select(
        ["token", "documents"], query.order_by(told.c.token)
    )
    known = tables.tokens.c.documents + insert.excluded.documents
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=["token"], set_={"documents": known}
        )
    )


class PostgresBuild(Build):
    """A new index beside the present one; it lives as long as its connection."""

    def __init__(
        self,
        engine: Engine,
        *,
        analysis: str,
        patience: float,
        report: Callable[[], IndexStats],
    ) -> None:
        self._report, self._patience = report, patience
        self._connection = engine.connect()
        # Its end gives the lock back, whatever happens, so the pool must not keep it.
        self._connection.detach()
        try:
            with writing(self._connection, patience):
                free = sa.func.pg_try_advisory_lock(_BUILDING)
                if not self._connection.scalar(sa.select(free)):
                    raise WriterBusy("Another index is being built")
                _clear_unfinished(self._connection)
                self._connection.execute(sa.delete(CHANGES))
                self._index = self._create(analysis)
        except BaseException:
            self._connection.close()
            raise
        self._tables = tables_of(self._index)

    def _create(self, analysis: str) -> int:
        insert = sa.insert(VERSIONS).values(
            schema_version=SCHEMA_VERSION,
            analysis_version=analysis,
            is_current=False,
            generation=0,
            documents=0,
            words=0,
            long=0,
        )
        index: int = self._connection.execute(
            insert.returning(VERSIONS.c.id)
        ).scalar_one()
        for table in _both(tables_of(index)):
            table.create(self._connection)
        return index

    def add(self, docs: Iterable[IndexDoc]) -> None:
        """Add records; raises DocumentRefused for one that cannot be written."""
        rows = [row_of(IndexOp.upsert(doc)) for doc in docs]
        if not rows:
            return
        insert = postgresql.insert(self._tables.records)
        known = {name: insert.excluded[name] for name in COLUMNS}
        with self._connection.begin():
            self._connection.execute(
                insert.on_conflict_do_update(index_elements=["key"], set_=known), rows
            )

    def finish(self) -> IndexStats:
        """Catch up, switch over and remove the index that was."""
        try:
            with self._connection.begin():
                self._complete()
            with writing(self._connection, self._patience):
                _merge(self._connection, self._index, sa.true())
                self._connection.execute(sa.delete(CHANGES))
                is_new = VERSIONS.c.id == self._index
                self._connection.execute(sa.update(VERSIONS).values(is_current=is_new))
        except BaseException:
            self.abort()
            raise
        try:
            with writing(self._connection, self._patience):
                _clear_unfinished(self._connection)
        except WriterBusy:
            log.warning("somebody reads the old index: the next build removes it")
        finally:
            self._connection.close()
        return self._report()

    def _complete(self) -> None:
        """Index what was added, and count it."""
        for statement in indexes_of(self._index):
            self._connection.execute(sa.text(statement))
        records, tokens = self._tables.records, self._tables.tokens
        counted = sa.union_all(_tokens(records, 1))
        _count(self._connection, self._tables, counted)
        for table in (records, tokens):
            self._connection.execute(sa.text(f"ANALYZE {SCHEMA}.{table.name}"))
        length = sa.func.coalesce(sa.func.sum(records.c.length), 0)
        is_long = sa.func.cardinality(records.c.rest) > 0
        query = sa.select(sa.func.count(), length, sa.func.count().filter(is_long))
        documents, words, long = self._connection.execute(
            query.select_from(records)
        ).one()
        self._connection.execute(
            sa.update(VERSIONS)
            .where(VERSIONS.c.id == self._index)
            .values(documents=documents, words=words, long=long)
        )

    def abort(self) -> None:
        """Give up: the present index stays in use."""
        if self._connection.closed:
            return
        try:
            with writing(self._connection, self._patience):
                _clear_unfinished(self._connection)
        finally:
            self._connection.close()
