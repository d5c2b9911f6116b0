"""How documents are weighed, the same in every engine.

Scores are BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25
and Beyond", 2009) with the idf of Whoosh; only the text counts words and has a length.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import log

from plugins.search.analysis import DocumentTokens
from plugins.search.whoosh_library import byte_to_length

K1, B = 1.6, 0.75
#: Of the groups of a relaxed plan, one in so many must match.
RELAXED_SHARE = 4
#: Added to the score of a document with all the words: more than any sum of scores.
ALL_WORDS = 1000.0
#: A word of the title counts as often as three of the body (measured on Cranfield).
TITLE_WEIGHT = 3

# Lengths are kept in one byte, the long ones rounded; by that byte.
_LENGTHS = [byte_to_length(code) for code in range(256)]


def written(tokens: DocumentTokens) -> str:
    """Write the text that is indexed: tokens between spaces, gaps between two."""
    title, body = " ".join(tokens.title), " ".join(tokens.surf)
    # Two spaces are a gap, so that no phrase runs from one repetition to the next.
    return "  ".join([*[title] * TITLE_WEIGHT, body])


def idf(documents: int, having: int) -> float:
    """Weigh a token by how many of the documents have it."""
    return log(max(documents, 1) / (having + 1)) + 1


@lru_cache(maxsize=16)
def norms(words: int, documents: int) -> tuple[float, ...]:
    """Give what the length of a text adds below the line of BM25, by its code.

    `words` is how many all the documents have together.
    """
    average = words / max(documents, 1) or 1.0
    return tuple(K1 * (1 - B + B * length / average) for length in _LENGTHS)


def least_groups(groups: Sequence[object]) -> int:
    """Say how many groups of a relaxed plan a document must have."""
    return max(1, len(groups) // RELAXED_SHARE)
