"""Scores what PostgreSQL found, from how often a record has which tokens."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from plugins.search.backend import Clause, Group, Order, QueryPlan
from plugins.search.postgres_matching import lexemes_of, pattern
from plugins.search.scoring import ALL_WORDS, K1, idf
from plugins.search.whoosh_library import length_to_byte

#: Score and date, or date and score, whichever decides, and the number of a record
#: below zero: of equals the first comes first.
Rank = tuple[float, float, int]

# A token and how often it is there, as PostgreSQL writes a vector.
_FOUND = re.compile(r"'((?:[^']|'')*)':(\d+)")


class Scoring:
    """Scores the records of one search.

    `documents` is how many records the index has, `frequency` how many of them each
    token, `norms` the weight of each length; `phrases` are the patterns whose numbers
    the rows carry.
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
    ) -> None:
        self._plan, self._order = plan, order
        self._norms = norms
        self._phrases = {phrase: place for place, phrase in enumerate(phrases)}
        self._weights = {
            clause: clause.boost
            * sum(idf(documents, frequency.get(one, 0)) for one in lexemes_of(clause))
            for group in plan.groups
            for clause in group
        }

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
        for one in getattr(row, "beside", ()):
            times[one] = 1
        norm = self._norms[length_to_byte(row.length)]
        best = [self._group(one, row, times, norm) for one in self._plan.groups]
        matched = [one for one in best if one]
        has_all = self._plan.match == "any" and len(matched) == len(best)
        return sum(matched) + (ALL_WORDS if has_all else 0.0)

    def _group(
        self, group: Group, row: sa.Row[Any], times: Mapping[str, int], norm: float
    ) -> float:
        """Give the best score of the clauses, 0 when none matches."""
        best = 0.0
        for clause in group:
            number = self._times(clause, row, times)
            if not number:
                continue
            score = self._weights[clause]
            if clause.field == "surf" or clause.kind != "term":
                score *= (K1 + 1) * number / (number + norm)
            best = max(best, score)
        return best

    def _times(self, clause: Clause, row: sa.Row[Any], times: Mapping[str, int]) -> int:
        """Say how often a record has what a clause looks for."""
        if clause.kind == "phrase":
            place = self._phrases[pattern(clause)]
            return int(row._mapping[f"phrase_{place}"])
        return min(times.get(one, 0) for one in lexemes_of(clause))


def _plain(lexeme: str) -> str:
    """Give a lexeme as it is, from how PostgreSQL writes it."""
    if "'" not in lexeme and "\\" not in lexeme:
        return lexeme
    return lexeme.replace("''", "'").replace("\\\\", "\\")
