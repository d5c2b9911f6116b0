"""Where the tokens of a clause occur in one segment of a Whoosh index."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from plugins.search.backend import Clause
from plugins.search.whoosh_reader import SegmentReader

#: The score of each document.
Scores = dict[int, float]

# Candidates so much rarer than a token are looked up one by one in its postings.
_RARER = 8


@dataclass(frozen=True, slots=True)
class Scope:
    """The documents that count: a byte for each, and their numbers when they are few.

    `few` is in rising order; None when the whole postings are to be read.
    """

    mask: bytes
    few: list[int] | None = None

    def without(self, documents: Iterable[int]) -> "Scope":
        """Return the scope less some documents."""
        mask = bytearray(self.mask)
        for document in documents:
            mask[document] = 0
        return Scope(bytes(mask))

    def only(self, documents: Iterable[int]) -> "Scope":
        """Return the scope narrowed to documents that are in it."""
        few = sorted(documents)
        mask = bytearray(len(self.mask))
        for document in few:
            mask[document] = 1
        return Scope(bytes(mask), few)


def occurrences(
    reader: SegmentReader, clause: Clause, scope: Scope
) -> Iterator[tuple[Iterable[int], Iterable[float]]]:
    """Yield documents and frequencies of a term by the block, all in scope at least."""
    token = clause.tokens[0]
    matcher = reader.postings(clause.field, token)
    if matcher is None:
        return
    count = reader.count(clause.field, token)
    if scope.few is None or len(scope.few) * _RARER > count:
        yield from matcher.blocks()
    else:
        for document, weight in matcher.find(scope.few):
            yield (document,), (weight,)


def together(reader: SegmentReader, clause: Clause, scope: Scope) -> Scores:
    """Return how often the tokens occur together in each document in scope.

    For a phrase: how often they stand one after the other. For the kind "all": how
    often the rarest of them in that document does.
    """
    tokens = [(place, token) for place, token in enumerate(clause.tokens) if token]
    tokens.sort(key=lambda item: reader.count(clause.field, item[1]))
    few = scope.few
    counts: Scores = {}
    starts: dict[int, set[int]] = {}
    for turn, (place, token) in enumerate(tokens):
        matcher = reader.postings(clause.field, token)
        if matcher is None:
            return {}
        before, counts = counts, {}
        found = matcher.marked(scope.mask) if few is None else matcher.find(few)
        for document, times in found:
            if clause.kind == "phrase":
                begun = {position - place for position in matcher.positions()}
                if turn:
                    begun &= starts[document]
                starts[document] = begun
                times = len(begun)
            elif turn:
                times = min(times, before[document])
            if times:
                counts[document] = float(times)
        few = sorted(counts)
    return counts
