"""Finds candidates in PostgreSQL and ranks them here.

The database ranks common words slowly: it would read every match. It is asked for the
newest matches, and where there are more than are looked at, also for those that are
likely to be the best: all with the words in a title or an identifier, and the rarest.
"""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from plugins.search.backend import (
    COUNT_CAP,
    COUNTED,
    Group,
    Hit,
    SearchPage,
    SearchRequest,
)
from plugins.search.postgres_matching import (
    Condition,
    Matching,
    lexemes_of,
    pattern,
    titled,
)
from plugins.search.postgres_scoring import Scoring
from plugins.search.postgres_tables import SCHEMA, IndexTables, sqlstate
from plugins.search.scoring import norms

#: So many matches are ranked, the newest; and so many more of each likely kind.
CANDIDATES, MORE = 1_200, 500

# So many more than are wanted are expected among the newest records.
_MARGIN = 1.5
# What the last ANALYZE learnt of the dates: as many records from each to the next.
_DATES = sa.text(
    "SELECT histogram_bounds::text::bigint[] FROM pg_stats WHERE schemaname = :schema"
    " AND tablename = :name AND attname = 'updated_at'"
)

# What a row carries; with words, also which of them it has.
_KEPT = ("number", "key", "type", "contact_id", "updated_at", "rev", "length")
_CANCELLED = "57014"

_Row = sa.Row[Any]


class _TimeOver(Exception):
    """The deadline of the request has passed."""


@dataclass(frozen=True, slots=True)
class IndexState:
    """An index as this search sees it; `words` is how many all texts have together."""

    tables: IndexTables
    documents: int
    words: int
    has_long: bool


def search_index(
    connection: Connection, state: IndexState, request: SearchRequest
) -> SearchPage:
    """Return one page of hits, best first; equal scores: the newest first."""
    if not request.plan.groups and not request.without_words:
        return SearchPage()
    return _Search(connection, state, request).page()


class _Search:
    """One search: its conditions, its deadline and what was found so far."""

    def __init__(
        self, connection: Connection, state: IndexState, request: SearchRequest
    ) -> None:
        self._connection, self._state, self._request = connection, state, request
        self._records = state.tables.records
        self._matching = Matching(self._records, state.has_long)
        self._visible = self._matching.visible(request)
        self._matches = self._visible + self._matching.plan(request.plan)
        clauses = [one for group in request.plan.groups for one in group]
        self._lexemes = list(
            dict.fromkeys(x for one in clauses for x in lexemes_of(one))
        )
        self._phrases = [
            pattern(one)
            for one in dict.fromkeys(one for one in clauses if one.kind == "phrase")
        ]
        self._wanted = request.offset + request.limit
        self._until = (
            time.monotonic() + request.deadline if request.deadline else float("inf")
        )
        self._rows: dict[str, _Row] = {}
        self._total = 0
        self._frequency: dict[str, int] = {}
        self._counts: Counter[str] = Counter()

    def page(self) -> SearchPage:
        """Find, count and rank; what was found until the deadline is the answer."""
        is_partial = False
        try:
            self._find()
        except _TimeOver:
            is_partial = True
        total = min(self._total, COUNT_CAP)
        exact = self._total <= COUNT_CAP and not is_partial
        return SearchPage(
            self._hits(), total, exact, is_partial=is_partial, counts=self._counts
        )

    def _hits(self) -> tuple[Hit, ...]:
        state, request = self._state, self._request
        scoring = Scoring(
            request.plan,
            request.order,
            documents=state.documents,
            frequency=self._frequency,
            norms=norms(state.words, state.documents),
            phrases=self._phrases,
            has_long=state.has_long,
        )
        ranked = [(scoring.rank(row), row) for row in self._rows.values()]
        ranked.sort(key=lambda one: one[0], reverse=True)
        score = 0 if request.order == "best" else 1
        return tuple(
            _hit(row, rank[score])
            for rank, row in ranked[request.offset : self._wanted]
        )

    def _find(self) -> None:
        most = max(CANDIDATES, self._wanted)
        self._frequency = self._frequencies()
        self._add(self._first(most))
        self._total = len(self._rows)
        if self._request.counting:
            for row in self._rows.values():
                facets = (one for one in row.facets if one.startswith(COUNTED))
                self._counts.update([f"type:{row.type}", *facets])
        if self._total < most:
            return
        if self._request.order == "best":
            for way in self._likely():
                self._add(self._newest([*self._matches, *way], MORE))
        if self._request.counting:
            self._counts = self._count_all()

    def _first(self, most: int) -> Sequence[_Row]:
        """Read the newest matches, of a common word among the newest records alone."""
        recent = self._recent(most)
        if recent is not None:
            rows = self._newest([*self._matches, recent], most)
            if len(rows) == most:
                return rows
        return self._newest(self._matches, most)

    def _recent(self, most: int) -> Condition | None:
        """Say since when there are more than enough matches; None where that is vague.

        What the database knows of the dates is an estimate, and not all matches are
        for this reader: who asks sees whether there were enough.
        """
        plan = self._request.plan
        expected = max(map(self._commonness, plan.groups), default=0)
        if plan.match == "all" and len(plan.groups) != 1:
            return None
        share = _MARGIN * most / max(expected, 1)
        if share > 1 / 2:
            return None
        named = _DATES.bindparams(schema=SCHEMA, name=self._records.name)
        found = [date for row in self._ask(named) for date in row[0] or ()]
        if not found:
            return None
        updated: sa.Column[int] = self._records.c.updated_at
        at = ceil(share * len(found))
        if self._request.order == "oldest":
            return updated <= int(found[at])
        return updated >= int(found[-1 - at])

    def _likely(self) -> Iterator[list[Condition]]:
        """Narrow the matches to those that are likely to be the best."""
        plan, matching = self._request.plan, self._matching
        groups = sorted(plan.groups, key=self._commonness) if plan.groups else []
        if plan.match == "any":
            yield [matching.group(one) for one in groups]
        if names := titled(plan):
            yield [matching.any_of(names)]
        # The newest matches have the most common one anyway.
        for one in groups[:-1]:
            yield [matching.group(one)]

    def _commonness(self, group: Group) -> int:
        return sum(
            min(self._frequency.get(one, 0) for one in lexemes_of(clause))
            for clause in group
        )

    def _add(self, rows: Sequence[_Row]) -> None:
        for row in rows:
            self._rows.setdefault(row.key, row)

    def _ask(self, statement: sa.Executable) -> Sequence[_Row]:
        """Run a statement; raises `_TimeOver` when it did not end in time."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise _TimeOver
        if self._request.deadline:
            limit = str(ceil(left * 1000))
            setting = sa.func.set_config("statement_timeout", limit, True)
            self._connection.execute(sa.select(setting))
        try:
            return self._connection.execute(statement).all()
        except sa.exc.OperationalError as error:
            if sqlstate(error) != _CANCELLED:
                raise
            raise _TimeOver from error

    def _frequencies(self) -> dict[str, int]:
        """Look up how many records have each token."""
        tokens = self._state.tables.tokens
        wanted = sa.cast(self._lexemes, sa.ARRAY(sa.Text))
        query = sa.select(tokens.c.token, tokens.c.documents)
        rows = self._ask(query.where(tokens.c.token == sa.any_(wanted)))
        return {row.token: row.documents for row in rows}

    def _newest(self, matches: list[Condition], most: int) -> Sequence[_Row]:
        """Read the newest matches with what their scores need."""
        columns = self._records.c
        date: sa.ColumnElement[int] = columns.updated_at
        if self._request.plan.groups:
            # Not by the index of dates: few words stand together as often as the
            # planner thinks, and it would read every record to find the few.
            date = date + 0
        order = date if self._request.order == "oldest" else date.desc()
        # Sorted by number alone: what a record carries would be sorted with it.
        newest = sa.select(columns.number).where(*matches)
        chosen = newest.order_by(order, columns.number).limit(most).subquery("newest")
        kept = [columns[name] for name in _KEPT]
        if self._request.counting:
            kept.append(columns.facets)
        return self._ask(
            sa.select(*kept, *self._evidence()).join_from(
                self._records, chosen, columns.number == chosen.c.number
            )
        )

    def _evidence(self) -> list[sa.ColumnElement[Any]]:
        """Say which tokens of the plan a record has how often, and which phrases."""
        if not self._lexemes:
            return []
        columns = self._records.c
        lexemes = sa.cast(self._lexemes, sa.ARRAY(sa.Text))
        # Marked, and all that is not marked left out: the vector is read once.
        marked = sa.func.setweight(columns.words, sa.text("'A'"), lexemes)
        vector = sa.func.ts_filter(marked, sa.text("'{a}'"))
        found: list[sa.ColumnElement[Any]]
        found = [sa.cast(vector, sa.Text).label("found")]
        if self._state.has_long:
            one = sa.func.unnest(columns.rest).column_valued("one")
            own = self._records
            beside = sa.select(one).where(one == sa.any_(lexemes)).correlate(own)
            found.append(sa.func.array(beside.scalar_subquery()).label("beside"))
        for place, phrase in enumerate(self._phrases):
            parts = sa.func.regexp_split_to_array(columns.text, phrase)
            found.append((sa.func.cardinality(parts) - 1).label(f"phrase_{place}"))
        return found

    def _count_all(self) -> Counter[str]:
        """Count the matches of each type and each team."""
        columns = self._records.c
        facets = sa.func.unnest(columns.facets)
        names = (sa.literal("type:") + columns.type).label("name"), facets.label("name")
        number = sa.func.count().label("number")
        counted: Counter[str] = Counter()
        for name in names:
            every = sa.select(name).where(*self._matches).subquery()
            query = sa.select(every.c.name, number).group_by(every.c.name)
            counted.update({row.name: row.number for row in self._ask(query)})
        kept = ("type:", COUNTED)
        return Counter({k: n for k, n in counted.items() if k.startswith(kept)})


def _hit(row: _Row, score: float) -> Hit:
    return Hit(
        key=row.key,
        type=row.type,
        contact_id=row.contact_id,
        updated_at=row.updated_at,
        rev=row.rev,
        score=round(score, 4),
    )
