"""Finds and ranks the documents of a plan, one token after the other.

Scores are BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25
and Beyond", 2009) with the idf of Whoosh; only the text counts words and has a length.
A document that the reader may not see is left out before anything is counted.
"""

import heapq
import time
from collections.abc import Iterator
from math import log

from plugins.search.backend import (
    COUNT_CAP,
    Clause,
    Group,
    SearchPage,
    SearchRequest,
)
from plugins.search.whoosh_library import byte_to_length
from plugins.search.whoosh_matching import Scope, Scores, occurrences, together
from plugins.search.whoosh_reader import SegmentReader, Snapshot

K1, B = 1.6, 0.75
#: Of the groups of a relaxed plan, one in so many must match.
RELAXED_SHARE = 4
# Added to the score of a document with all the words: more than any sum of scores.
_ALL_WORDS = 1000.0
_LENGTHS = [byte_to_length(code) for code in range(256)]


class _TimeOver(Exception):
    """The deadline of the request has passed."""


def search_snapshot(snapshot: Snapshot, request: SearchRequest) -> SearchPage:
    """Return one page of hits, best first; equal scores: the newest first."""
    ranking = _Ranking(snapshot, request)
    candidates: list[tuple[tuple[float, int], SegmentReader, int]] = []
    total, partial = 0, False
    wanted = request.offset + request.limit
    for leaf in snapshot.leaves.values():
        allowed = leaf.live & leaf.reader.visible(request)
        if not allowed:
            continue
        try:
            scores = ranking.segment(leaf.reader, allowed)
        except _TimeOver:
            partial = True
            break
        total += len(scores)
        candidates += _best(leaf.reader, scores, wanted)
    candidates.sort(key=lambda candidate: candidate[0], reverse=True)
    hits = tuple(
        reader.hit(document, round(rank[0], 4))
        for rank, reader, document in candidates[request.offset : wanted]
    )
    capped = min(total, COUNT_CAP)
    return SearchPage(hits, capped, total <= COUNT_CAP and not partial, False, partial)


def _best(
    reader: SegmentReader, scores: Scores, wanted: int
) -> Iterator[tuple[tuple[float, int], SegmentReader, int]]:
    """Yield the documents that can be among the first `wanted`, with their rank."""
    least = float("-inf")
    if len(scores) > wanted:
        least = min(heapq.nlargest(wanted, scores.values()), default=least)
    best = [
        ((score, reader.updated[document]), reader, document)
        for document, score in scores.items()
        if score >= least
    ]
    best.sort(key=lambda candidate: candidate[0], reverse=True)
    yield from best[:wanted]


class _Ranking:
    """The statistics of one search over all segments of a snapshot."""

    def __init__(self, snapshot: Snapshot, request: SearchRequest) -> None:
        self._plan = request.plan
        self._without_words = request.without_words
        self._readers = [leaf.reader for leaf in snapshot.leaves.values()]
        self._documents = snapshot.size
        words = sum(reader.text_length for reader in self._readers)
        average = words / max(self._documents, 1) or 1.0
        # What the length of a text adds below the line of BM25, by its code.
        self._norms = [K1 * (1 - B + B * length / average) for length in _LENGTHS]
        self._frequency: dict[tuple[str, str], int] = {}
        self._until = (
            time.monotonic() + request.deadline if request.deadline else float("inf")
        )

    def segment(self, reader: SegmentReader, allowed: int) -> Scores:
        """Return the scores of the allowed documents of one segment."""
        scope = Scope(allowed.to_bytes(reader.size, "little"))
        for group in self._plan.excluded:
            scope = scope.without(self._group(reader, group, scope))
        groups = sorted(self._plan.groups, key=self._commonness)
        if not groups:
            return scope.everything() if self._without_words else {}
        if self._plan.match == "all":
            return self._all(reader, groups, scope)
        return self._some(reader, groups, scope)

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
        scores: Scores = {}
        matched: dict[int, int] = {}
        for group in groups:
            for document, score in self._group(reader, group, scope).items():
                scores[document] = scores.get(document, 0.0) + score
                matched[document] = matched.get(document, 0) + 1
        least, most = max(1, len(groups) // RELAXED_SHARE), len(groups)
        return {
            document: score + (_ALL_WORDS if matched[document] == most else 0.0)
            for document, score in scores.items()
            if matched[document] >= least
        }

    def _group(self, reader: SegmentReader, group: Group, scope: Scope) -> Scores:
        """Return the best score of the group's clauses for each document."""
        best: Scores = {}
        for clause in group:
            if time.monotonic() > self._until:
                raise _TimeOver
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
        return log(self._documents / (self._count(field_name, token) + 1)) + 1

    def _commonness(self, group: Group) -> int:
        """Return about how many documents a group has, to begin with the fewest."""
        return sum(
            min(self._count(clause.field, token) for token in clause.tokens if token)
            for clause in group
        )
