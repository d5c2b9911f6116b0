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
from plugins.search.whoosh_matching import Scores, occurrences, together
from plugins.search.whoosh_reader import SegmentReader, Snapshot

K1, B = 1.6, 0.75
#: Of the groups of a relaxed plan, one in so many must match.
RELAXED_SHARE = 3
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
        mask = allowed.to_bytes(reader.size, "little")
        for group in self._plan.excluded:
            mask = self._without(reader, group, mask)
        groups = sorted(self._plan.groups, key=self._commonness)
        if not groups:
            return {}
        if self._plan.match == "all":
            return self._all(reader, groups, mask)
        return self._some(reader, groups, mask)

    def _all(self, reader: SegmentReader, groups: list[Group], mask: bytes) -> Scores:
        scores = self._group(reader, groups[0], mask, None)
        for group in groups[1:]:
            if not scores:
                break
            added = self._group(reader, group, mask, scores)
            scores = {doc: scores[doc] + score for doc, score in added.items()}
        return scores

    def _some(self, reader: SegmentReader, groups: list[Group], mask: bytes) -> Scores:
        """Return documents with enough of the groups, those with all far ahead."""
        scores: Scores = {}
        matched: dict[int, int] = {}
        for group in groups:
            for document, score in self._group(reader, group, mask, None).items():
                scores[document] = scores.get(document, 0.0) + score
                matched[document] = matched.get(document, 0) + 1
        least, most = max(1, len(groups) // RELAXED_SHARE), len(groups)
        return {
            document: score * matched[document] / most
            + (1000.0 if matched[document] == most else 0.0)
            for document, score in scores.items()
            if matched[document] >= least
        }

    def _group(
        self, reader: SegmentReader, group: Group, mask: bytes, within: Scores | None
    ) -> Scores:
        """Return the best score of the group's clauses for each document."""
        best: Scores = {}
        for clause in group:
            if time.monotonic() > self._until:
                raise _TimeOver
            if clause.kind == "term":
                self._score_term(reader, clause, mask, within, best)
            else:
                self._score_several(reader, clause, mask, within, best)
        return best

    def _score_term(
        self,
        reader: SegmentReader,
        clause: Clause,
        mask: bytes,
        within: Scores | None,
        best: Scores,
    ) -> None:
        token = clause.tokens[0]
        matcher = reader.postings(clause.field, token)
        if matcher is None:
            return
        weight = self._idf(clause.field, token) * clause.boost
        get = best.get
        if clause.field != "surf":
            # Without frequencies every match has the same score.
            for document, _ in occurrences(reader, clause, matcher, within):
                if mask[document] and get(document, 0.0) < weight:
                    best[document] = weight
            return
        top = weight * (K1 + 1)
        norms, lengths = self._norms, reader.lengths
        for document, times in occurrences(reader, clause, matcher, within):
            if mask[document]:
                score = top * times / (times + norms[lengths[document]])
                if get(document, 0.0) < score:
                    best[document] = score

    def _score_several(
        self,
        reader: SegmentReader,
        clause: Clause,
        mask: bytes,
        within: Scores | None,
        best: Scores,
    ) -> None:
        """Score documents with all the tokens, for a phrase one after the other."""
        found = together(reader, clause, mask, within)
        weight = sum(
            self._idf(clause.field, token) for token in set(clause.tokens) if token
        )
        top = weight * clause.boost * (K1 + 1)
        for document, times in found.items():
            score = top * times / (times + self._norms[reader.lengths[document]])
            if best.get(document, 0.0) < score:
                best[document] = score

    def _without(self, reader: SegmentReader, group: Group, mask: bytes) -> bytes:
        kept = bytearray(mask)
        for document in self._group(reader, group, mask, None):
            kept[document] = 0
        return bytes(kept)

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
