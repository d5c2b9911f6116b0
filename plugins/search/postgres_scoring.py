"""Scores what PostgreSQL found, from how often a record has which tokens."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from plugins.search.backend import Clause, Order, QueryPlan
from plugins.search.postgres_matching import lexemes_of, pattern
from plugins.search.scoring import ALL_WORDS, K1, idf
from plugins.search.whoosh_library import length_to_byte

#: Score and date, or date and score, whichever decides, and the number of a record
#: below zero: of equals the first comes first.
Rank = tuple[float, float, int]

# A token and how often it is there, as PostgreSQL writes a vector.
_FOUND = re.compile(r"'((?:[^']|'')*)':(\d+)")


class _Ready(NamedTuple):
    """A clause as it is weighed: whether it counts how often, and in which column."""

    tokens: list[str]
    weight: float
    is_counted: bool
    phrase: str | None


class Scoring:
    """Scores the records of one search.

    `documents` is how many records the index has, `frequency` how many of them each
    token, `norms` the weight of each length; `phrases` are the patterns whose numbers
    the rows carry. `has_long`: they also say which tokens are beside the vector.
    """

    def __init__(
        self,
        plan: QueryPlan,
        order: Order,
        *,
        documents: int,
        frequency: Mapping[str, int],
        norms: Sequence[float],
        phrases: Sequence[str],
        has_long: bool,
    ) -> None:
        self._plan, self._order = plan, order
        self._norms, self._has_long = norms, has_long

        def ready(clause: Clause) -> _Ready:
            tokens = lexemes_of(clause)
            of_each = (idf(documents, frequency.get(one, 0)) for one in tokens)
            phrase = clause.kind == "phrase"
            return _Ready(
                tokens,
                clause.boost * sum(of_each),
                clause.field == "surf" or clause.kind != "term",
                f"phrase_{phrases.index(pattern(clause))}" if phrase else None,
            )

        self._groups = [[ready(one) for one in group] for group in plan.groups]

    def rank(self, row: sa.Row[Any]) -> Rank:
        """Give what decides the place of a record, the highest first."""
        score = self._score(row) if self._plan.groups else 0.0
        if self._order == "newest":
            return row.updated_at, score, -row.number
        if self._order == "oldest":
            return -row.updated_at, score, -row.number
        return score, row.updated_at, -row.number

    def _score(self, row: sa.Row[Any]) -> float:
        times = {_plain(one): int(number) for one, number in _FOUND.findall(row.found)}
        if self._has_long:
            times |= dict.fromkeys(row.beside, 1)
        norm = self._norms[length_to_byte(row.length)]
        best = [_best(group, row, times, norm) for group in self._groups]
        matched = [one for one in best if one]
        has_all = self._plan.match == "any" and len(matched) == len(best)
        return sum(matched) + (ALL_WORDS if has_all else 0.0)


def _best(
    group: Sequence[_Ready], row: sa.Row[Any], times: Mapping[str, int], norm: float
) -> float:
    """Give the best score of the clauses, 0 when none matches."""
    best = 0.0
    for one in group:
        if one.phrase is not None:
            number = row._mapping[one.phrase]
        elif len(one.tokens) == 1:
            number = times.get(one.tokens[0], 0)
        else:
            number = min(times.get(token, 0) for token in one.tokens)
        if not number:
            continue
        score = one.weight
        if one.is_counted:
            score *= (K1 + 1) * number / (number + norm)
        best = max(best, score)
    return best


def _plain(lexeme: str) -> str:
    """Give a lexeme as it is, from how PostgreSQL writes it."""
    if "'" not in lexeme and "\\" not in lexeme:
        return lexeme
    return lexeme.replace("''", "'").replace("\\\\", "\\")
