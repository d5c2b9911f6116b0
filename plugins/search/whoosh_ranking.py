"""Finds and ranks the documents of a plan, one token after the other.

A document that the reader may not see is left out before anything is counted.
"""

import heapq
import time
from collections import Counter
from itertools import chain, compress

from plugins.search.backend import (
    COUNT_CAP,
    Clause,
    Group,
    Order,
    SearchPage,
    SearchRequest,
)
from plugins.search.scoring import ALL_WORDS, K1, idf, least_groups, norms
from plugins.search.whoosh_matching import Scope, Scores, occurrences, together
from plugins.search.whoosh_reader import SegmentReader, Snapshot

# The clock is looked at after so many documents of a list that nothing ranks.
_STRETCH = 16_384

# Score and date, or date and score, whichever decides, and the number of a document
# below zero: of equals the first comes first.
_Rank = tuple[float, float, int]


class _TimeOver(Exception):
    """The deadline of the request has passed."""


def search_snapshot(snapshot: Snapshot, request: SearchRequest) -> SearchPage:
    """Return one page of hits, best first; equal scores: the newest first."""
    ranking = _Ranking(snapshot, request)
    candidates: list[tuple[_Rank, SegmentReader]] = []
    counts: Counter[str] = Counter()
    total, partial = 0, False
    wanted = request.offset + request.limit
    for leaf in snapshot.leaves.values():
        try:
            ranking.look_at_the_clock()
            allowed = leaf.live & leaf.reader.visible(request)
            if not allowed:
                continue
            found, best, of_each = ranking.segment(leaf.reader, allowed, wanted)
        except _TimeOver:
            partial = True
            break
        total += found
        candidates += [(rank, leaf.reader) for rank in best]
        counts.update(of_each)
    candidates.sort(key=lambda candidate: candidate[0][:2], reverse=True)
    score = 0 if request.order == "best" else 1
    hits = tuple(
        reader.hit(-rank[2], round(rank[score], 4))
        for rank, reader in candidates[request.offset : wanted]
    )
    capped, exact = min(total, COUNT_CAP), total <= COUNT_CAP and not partial
    return SearchPage(hits, capped, exact, is_partial=partial, counts=counts)


def _best(
    reader: SegmentReader, scores: Scores, wanted: int, order: Order
) -> list[_Rank]:
    """Return the first `wanted` documents."""
    updated, ranks = reader.updated, scores.items()
    if order == "newest":
        return heapq.nlargest(wanted, ((updated[doc], sc, -doc) for doc, sc in ranks))
    if order == "oldest":
        return heapq.nlargest(wanted, ((-updated[doc], sc, -doc) for doc, sc in ranks))
    least = float("-inf")
    if len(scores) > wanted:
        least = min(heapq.nlargest(wanted, scores.values()), default=least)
    best = ((sc, updated[doc], -doc) for doc, sc in ranks if sc >= least)
    return heapq.nlargest(wanted, best)


class _Ranking:
    """The statistics of one search over all segments of a snapshot."""

    def __init__(self, snapshot: Snapshot, request: SearchRequest) -> None:
        self._plan = request.plan
        self._order, self._counting = request.order, request.counting
        self._without_words = request.without_words
        self._readers = [leaf.reader for leaf in snapshot.leaves.values()]
        self._documents = snapshot.size
        words = sum(reader.text_length for reader in self._readers)
        self._norms = norms(words, self._documents)
        self._frequency: dict[tuple[str, str], int] = {}
        self._until = (
            time.monotonic() + request.deadline if request.deadline else float("inf")
        )

    def look_at_the_clock(self) -> None:
        """Raise `_TimeOver` when the deadline has passed."""
        if time.monotonic() > self._until:
            raise _TimeOver

    def segment(
        self, reader: SegmentReader, allowed: int, wanted: int
    ) -> tuple[int, list[_Rank], dict[str, int]]:
        """Count the allowed documents of a segment that match, and rank the best."""
        scope = Scope(allowed.to_bytes(reader.size, "little"))
        for group in self._plan.excluded:
            scope = scope.without(self._group(reader, group, scope))
        groups = sorted(self._plan.groups, key=self._commonness)
        if not groups:
            if not self._without_words:
                return 0, [], {}
            listed = self._listed(reader, scope, wanted)
            return scope.mask.count(1), listed, self._counts(reader, scope)
        if self._plan.match == "all":
            scores = self._all(reader, groups, scope)
        else:
            scores = self._some(reader, groups, scope)
        best = _best(reader, scores, wanted, self._order)
        return len(scores), best, self._counts(reader, scope, scores)

    def _counts(
        self, reader: SegmentReader, scope: Scope, scores: Scores | None = None
    ) -> dict[str, int]:
        if not self._counting:
            return {}
        matched = scope if scores is None else scope.only(scores)
        return reader.counts(int.from_bytes(matched.mask, "little"))

    def _listed(self, reader: SegmentReader, scope: Scope, wanted: int) -> list[_Rank]:
        """Rank documents that no word was looked for in: by their dates alone."""
        best: list[tuple[int, int]] = []
        sign = -1 if self._order == "oldest" else 1
        for start in range(0, reader.size, _STRETCH) if wanted else ():
            self.look_at_the_clock()
            mask = scope.mask[start : start + _STRETCH]
            dates = compress(reader.updated[start : start + _STRETCH], mask)
            numbers = compress(range(-start, -start - len(mask), -1), mask)
            dated = (
                (sign * one, number) for one, number in zip(dates, numbers, strict=True)
            )
            best = heapq.nlargest(wanted, chain(best, dated))
        if self._order == "best":
            return [(0.0, date, number) for date, number in best]
        return [(date, 0.0, number) for date, number in best]

    def _all(self, reader: SegmentReader, groups: list[Group], scope: Scope) -> Scores:
        scores = self._group(reader, groups[0], scope)
        for group in groups[1:]:
            if not scores:
                break
            added = self._group(reader, group, scope.only(scores))
            scores = {doc: scores[doc] + score for doc, score in added.items()}
        return scores

    def _some(self, reader: SegmentReader, groups: list[Group], scope: Scope) -> Scores:
        """Return documents with enough of the groups, those with all far ahead."""
        found = [self._group(reader, group, scope) for group in groups]
        scores = dict(found[0])
        for one in found[1:]:
            for document, score in one.items():
                scores[document] = scores.get(document, 0.0) + score
        least = least_groups(groups)
        if least > 1:
            matched = Counter(chain.from_iterable(found))
            scores = {doc: sc for doc, sc in scores.items() if matched[doc] >= least}
        for document in set(found[0]).intersection(*found[1:]):
            scores[document] += ALL_WORDS
        return scores

    def _group(self, reader: SegmentReader, group: Group, scope: Scope) -> Scores:
        """Return the best score of the group's clauses for each document."""
        best: Scores = {}
        for clause in group:
            self.look_at_the_clock()
            if clause.kind == "term":
                found = self._score_term(reader, clause, scope)
            else:
                found = self._score_several(reader, clause, scope)
            if not best:
                best = found
                continue
            for document, score in found.items():
                if best.get(document, 0.0) < score:
                    best[document] = score
        return best

    def _score_term(
        self, reader: SegmentReader, clause: Clause, scope: Scope
    ) -> Scores:
        """Score documents with the token; only in the text it is counted."""
        blocks = occurrences(reader, clause, scope)
        weight = self._idf(clause.field, clause.tokens[0]) * clause.boost
        mask = scope.mask
        if clause.field != "surf":
            return {doc: weight for docs, _ in blocks for doc in docs if mask[doc]}
        top, norms, lengths = weight * (K1 + 1), self._norms, reader.lengths
        return {
            doc: top * times / (times + norms[lengths[doc]])
            for docs, weights in blocks
            for doc, times in zip(docs, weights, strict=False)
            if mask[doc]
        }

    def _score_several(
        self, reader: SegmentReader, clause: Clause, scope: Scope
    ) -> Scores:
        """Score documents with all the tokens, for a phrase one after the other."""
        tokens = {token for token in clause.tokens if token}
        weight = sum(self._idf(clause.field, token) for token in tokens)
        top, norms, lengths = weight * (K1 + 1), self._norms, reader.lengths
        return {
            doc: clause.boost * top * times / (times + norms[lengths[doc]])
            for doc, times in together(reader, clause, scope).items()
        }

    def _count(self, field_name: str, token: str) -> int:
        key = (field_name, token)
        if key not in self._frequency:
            counts = (reader.count(field_name, token) for reader in self._readers)
            self._frequency[key] = sum(counts)
        return self._frequency[key]

    def _idf(self, field_name: str, token: str) -> float:
        return idf(self._documents, self._count(field_name, token))

    def _commonness(self, group: Group) -> int:
        """Return about how many documents a group has, to begin with the fewest."""
        return sum(
            min(self._count(clause.field, token) for token in clause.tokens if token)
            for clause in group
        )
