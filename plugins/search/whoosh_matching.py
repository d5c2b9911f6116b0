"""Where the tokens of a clause occur in one segment of a Whoosh index."""

from collections.abc import Iterator

from plugins.search.backend import Clause
from plugins.search.whoosh_reader import SegmentReader
from plugins.search.whoosh_storage import BlockMatcher

#: The score of each document.
Scores = dict[int, float]

# Candidates so much rarer than a token are looked up one by one in its postings.
_RARER = 8


def occurrences(
    reader: SegmentReader, clause: Clause, matcher: BlockMatcher, within: Scores | None
) -> Iterator[tuple[int, float]]:
    """Yield the documents and frequencies of a term, only those `within` if given."""
    if within is None:
        for documents, weights in matcher.blocks():
            yield from zip(documents, weights, strict=False)
    elif len(within) * _RARER < reader.count(clause.field, clause.tokens[0]):
        yield from matcher.find(sorted(within))
    else:
        for documents, weights in matcher.blocks():
            for document, weight in zip(documents, weights, strict=False):
                if document in within:
                    yield document, weight


def together(
    reader: SegmentReader, clause: Clause, mask: bytes, within: Scores | None
) -> Scores:
    """Return how often the tokens occur together in each document of the mask.

    For a phrase: how often they stand one after the other. For the kind "all": how
    often the rarest of them in that document does.
    """
    tokens = [(place, token) for place, token in enumerate(clause.tokens) if token]
    tokens.sort(key=lambda item: reader.count(clause.field, item[1]))
    wanted = None if within is None else sorted(within)
    counts: Scores = {}
    starts: dict[int, set[int]] = {}
    for turn, (place, token) in enumerate(tokens):
        matcher = reader.postings(clause.field, token)
        if matcher is None:
            return {}
        seen = matcher.marked(mask) if wanted is None else matcher.find(wanted)
        counts_before, counts = counts, {}
        for document, times in seen:
            if not mask[document]:
                continue
            if clause.kind == "phrase":
                begun = {position - place for position in matcher.positions()}
                if turn:
                    begun &= starts[document]
                starts[document] = begun
                times = len(begun)
            elif turn:
                times = min(times, counts_before[document])
            if times:
                counts[document] = float(times)
        wanted = sorted(counts)
    return counts
