"""A request as conditions of SQL: what matches, and what its reader may see of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSQUERY

from plugins.search.analysis import EDGE_MAX, EDGE_MIN
from plugins.search.backend import Clause, Group, QueryPlan, SearchRequest
from plugins.search.postgres_tables import lexeme, quoted
from plugins.search.scoring import least_groups

Condition = sa.ColumnElement[bool]

# What means something in a pattern of PostgreSQL.
_SIGNS = str.maketrans({sign: f"\\{sign}" for sign in r".^$*+?()[]{}|\-"})
# Any token, or the gap where one was left out.
_ANY = "[^ ]*"


@dataclass(frozen=True)
class Matching:
    """Conditions over the records of one index.

    `has_long` says whether some records have tokens beside their vector.
    """

    records: sa.Table
    has_long: bool

    def visible(self, request: SearchRequest) -> list[Condition]:
        """Say what the reader may see and has narrowed the search to."""
        columns = self.records.c
        contact, of_none = columns.contact_id, columns.contact_id.is_(None)
        labels: sa.ColumnElement[Any] = columns.labels
        if request.plan.groups and request.contact_ids is None:
            # Colleagues may see most records. The planner would read the index of
            # labels from end to end, to find what the words have found already.
            labels = labels.concat(sa.cast([], sa.ARRAY(sa.Text)))
        found: list[Condition] = [
            labels.bool_op("&&")(_texts(request.labels)),
            columns.type == sa.any_(_texts(request.types)),
        ]
        if request.contact_ids is not None:
            # Who may see some contacts also sees what belongs to none.
            own = contact == sa.any_(_numbers(request.contact_ids))
            found.append(of_none | own)
        if request.only_contacts is not None:
            found.append(contact == sa.any_(_numbers(request.only_contacts)))
        if request.no_contacts:
            found.append(of_none | (contact != sa.all_(_numbers(request.no_contacts))))
        found += [columns.facets.overlap(sorted(one)) for one in request.facets]
        if request.no_facets:
            found.append(~columns.facets.overlap(sorted(request.no_facets)))
        if request.since is not None:
            found.append(columns.updated_at >= request.since)
        if request.until is not None:
            found.append(columns.updated_at < request.until)
        return found

    def plan(self, plan: QueryPlan) -> list[Condition]:
        """Say which records match a plan."""
        found = [~self.group(one) for one in plan.excluded]
        groups = [self.group(one) for one in plan.groups]
        if plan.match == "all":
            return groups + found
        if groups:
            found.append(sa.or_(*groups))
        least = least_groups(groups)
        if least > 1:
            matched = [sa.cast(one, sa.Integer) for one in groups]
            found.append(sum(matched[1:], matched[0]) >= least)
        return found

    def group(self, group: Group) -> Condition:
        """Say which records have one of the clauses."""
        terms = [
            lexeme(one.field, one.tokens[0]) for one in group if one.kind == "term"
        ]
        others = [self._several(one) for one in group if one.kind != "term"]
        return sa.or_(*([self.any_of(terms)] if terms else []), *others)

    def _several(self, clause: Clause) -> Condition:
        tokens = lexemes_of(clause)
        found = self._all_of(tokens)
        if clause.kind == "phrase":
            found &= self.records.c.text.regexp_match(pattern(clause))
        return found

    def any_of(self, lexemes: Sequence[str]) -> Condition:
        """Say which records have one of some tokens."""
        found = self._query(" | ", lexemes)
        if self.has_long:
            found |= self.records.c.rest.overlap(list(lexemes))
        return found

    def _all_of(self, lexemes: Sequence[str]) -> Condition:
        if self.has_long:
            # One may be in the vector and another beside it.
            return sa.and_(*(self.any_of([one]) for one in lexemes))
        return self._query(" & ", lexemes)

    def _query(self, joint: str, lexemes: Sequence[str]) -> Condition:
        query = sa.cast(joint.join(quoted(one) for one in lexemes), TSQUERY)
        return self.records.c.words.bool_op("@@")(query)


def _texts(values: Iterable[str]) -> sa.ColumnElement[Sequence[str]]:
    return sa.cast(sorted(values), sa.ARRAY(sa.Text))


def _numbers(values: Iterable[int]) -> sa.ColumnElement[Sequence[int]]:
    return sa.cast(sorted(values), sa.ARRAY(sa.BigInteger))


def lexemes_of(clause: Clause) -> list[str]:
    """Give the tokens of a clause as the vector has them, each once."""
    tokens = dict.fromkeys(token for token in clause.tokens if token)
    return [lexeme(clause.field, token) for token in tokens]


def pattern(clause: Clause) -> str:
    """Write a phrase as a pattern; what it takes away is its first word alone.

    So that a phrase that begins within another is counted too.
    """
    first, *others = " ".join(clause.tokens).strip().split(" ")
    following = "".join(f" {one.translate(_SIGNS) or _ANY}" for one in others)
    return f" {first.translate(_SIGNS)}(?={following} )"


def titled(plan: QueryPlan) -> list[str]:
    """Give the tokens that titles and identifiers have, whatever else is in a text."""
    found: dict[str, None] = {}
    for group in plan.groups:
        for clause in group:
            for token in clause.tokens:
                if clause.field in {"surf", "ident"} and token:
                    found[lexeme("ident", token)] = None
                if clause.field in {"surf", "edge"} and len(token) >= EDGE_MIN:
                    found[lexeme("edge", token[:EDGE_MAX])] = None
    return list(found)
