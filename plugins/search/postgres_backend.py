"""The search engine of a house with several hosts, or many records: its PostgreSQL.

Any process may write as well as read. An index is replaced by building another beside
it, in tables of its own, and saying in one commit that it is the current one.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from plugins.search.backend import (
    IndexBroken,
    IndexMissing,
    IndexOp,
    IndexStats,
    Problem,
    SearchBackend,
    SearchPage,
    SearchRequest,
)
from plugins.search.postgres_ranking import IndexState, search_index
from plugins.search.postgres_tables import (
    SCHEMA,
    SCHEMA_VERSION,
    VERSIONS,
    lexeme,
    row_of,
    tables_of,
)
from plugins.search.postgres_writing import (
    PATIENCE,
    PostgresBuild,
    reading,
    write,
    writing,
)

# Between being named and being read, an index may be replaced by the next.
_ATTEMPTS = 5
# Keys and revisions that are read at a time.
_PAGE = 5_000


class PostgresBackend(SearchBackend):
    """An index in the database of `engine`; safe to share between threads.

    `analysis_version` is `Analyser.version`: an index made with another one still
    answers, but `needs_build` says so. A writer waits `patience` seconds for another.
    """

    name = "postgresql"
    caps = frozenset({"phrase", "edge", "deadline", "multi_writer"})

    def __init__(
        self, engine: Engine, *, analysis_version: str, patience: float = PATIENCE
    ) -> None:
        self._engine = engine
        self._analysis_version = analysis_version
        self._patience = patience

    def search(self, request: SearchRequest) -> SearchPage:
        """Return one page of hits; a commit of any process is seen at once."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with self._reading() as (connection, version):
                    # A plan for any value would not know which words are rare.
                    connection.execute(
                        sa.text("SET LOCAL plan_cache_mode = force_custom_plan")
                    )
                    state = IndexState(
                        tables_of(version.id),
                        version.documents,
                        version.words,
                        version.long > 0,
                    )
                    return search_index(connection, state, request)
            except IndexMissing:
                raise
            except IndexBroken:
                if attempt == _ATTEMPTS:
                    raise
        raise AssertionError("every attempt returns or raises")

    def words(self, beginning: str, *, shortest: int, longest: int) -> set[str]:
        """Return the words of all texts that begin so."""
        with self._reading() as (connection, version):
            token = tables_of(version.id).tokens.c.token
            first = lexeme("surf", beginning)
            length = sa.func.char_length(token) - len(lexeme("surf", ""))
            query = sa.select(token).where(
                token >= first,
                # What begins so comes, letter by letter, before this.
                token < first[:-1] + chr(ord(first[-1]) + 1),
                length.between(shortest, longest),
            )
            return {row[len(lexeme("surf", "")) :] for row in connection.scalars(query)}

    def apply(self, ops: Sequence[IndexOp]) -> None:
        """Make the changes in one commit, and note them for an index being built."""
        latest = {op.key: op for op in ops}
        rows = [row_of(op) for op in latest.values()]
        if not rows:
            return
        with self._engine.connect() as connection, writing(connection, self._patience):
            write(connection, rows)

    def begin_build(self) -> PostgresBuild:
        """Start a new index; raises WriterBusy when another is being built."""
        return PostgresBuild(
            self._engine,
            analysis=self._analysis_version,
            patience=self._patience,
            report=self.stats,
        )

    def needs_build(self) -> str | None:
        """Return "missing", "broken", "schema" or "analysis", or None."""
        try:
            with self._reading() as (_connection, version):
                made_with = version.schema_version, version.analysis_version
        except IndexMissing:
            return "missing"
        if made_with[0] != SCHEMA_VERSION:
            return "schema"
        if self.verify():
            return "broken"
        return "analysis" if made_with[1] != self._analysis_version else None

    def verify(self, *, quick: bool = True) -> list[Problem]:
        """Return what is wrong with the tables; raises IndexMissing without an index.

        What was damaged on the disk, PostgreSQL notices itself where the cluster has
        checksums.
        """
        with self._reading() as (connection, version):
            tables = tables_of(version.id)
            names = [tables.records.name, tables.tokens.name]
            there = sa.inspect(connection).get_table_names(SCHEMA)
            lost = [Problem(one, "is not there") for one in names if one not in there]
            if lost or quick:
                return lost
            length = sa.func.coalesce(sa.func.sum(tables.records.c.length), 0)
            query = sa.select(sa.func.count(), length).select_from(tables.records)
            found = tuple(connection.execute(query).one())
            told = (version.documents, version.words)
        if found == told:
            return []
        said = "has {} records of {} words, and should have {} of {}"
        return [Problem(names[0], said.format(*found, *told))]

    def revisions(self) -> Iterator[tuple[str, int]]:
        """Yield key and revision of every record, in no particular order."""
        with self._reading() as (connection, version):
            columns = tables_of(version.id).records.c
            query = sa.select(columns.key, columns.rev)
            rows = connection.execution_options(yield_per=_PAGE).execute(query)
            for row in rows:
                yield row.key, row.rev

    def stats(self) -> IndexStats:
        """Return size, version and the number of records of each type."""
        with self._reading() as (connection, version):
            tables = tables_of(version.id)
            kind = tables.records.c.type
            query = sa.select(kind, sa.func.count()).group_by(kind)
            counts = {row[0]: row[1] for row in connection.execute(query)}
            records, tokens = (
                sa.func.pg_total_relation_size(f"{SCHEMA}.{one.name}")
                for one in (tables.records, tables.tokens)
            )
            return IndexStats(
                name=tables.records.name,
                documents=version.documents,
                segments=1,
                generation=version.generation,
                size=connection.scalar(sa.select(records + tokens)) or 0,
                schema_version=version.schema_version,
                analysis_version=version.analysis_version,
                counts=counts,
            )

    def optimise(self) -> None:
        """Give free what was deleted, and forget the words that were in it alone."""
        with self._engine.connect() as connection:
            with writing(connection, self._patience):
                tables = tables_of(_current(connection).id)
                unused = tables.tokens.c.documents <= 0
                connection.execute(sa.delete(tables.tokens).where(unused))
            connection.execution_options(isolation_level="AUTOCOMMIT")
            for name in (tables.records.name, tables.tokens.name, "change"):
                connection.execute(sa.text(f"VACUUM (ANALYZE) {SCHEMA}.{name}"))

    @contextmanager
    def _reading(self) -> Iterator[tuple[Connection, sa.Row[Any]]]:
        """Lend a connection and what is known of the current index."""
        with self._engine.connect() as connection, reading():
            yield connection, _current(connection)


def _current(connection: Connection) -> sa.Row[Any]:
    """Read what is known of the current index; raises IndexMissing."""
    try:
        with reading():
            query = sa.select(VERSIONS).where(VERSIONS.c.is_current)
            found = connection.execute(query).one_or_none()
    except IndexBroken as error:
        said = "Search has no tables in the database. Run: rapport db upgrade"
        raise IndexMissing(said) from error
    if found is None:
        raise IndexMissing("There is no search index yet.")
    return found
