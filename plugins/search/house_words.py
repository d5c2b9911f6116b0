"""The words of this house: what means the same here, and what says nothing.

They change the plan of a query, never the index: what an administrator writes is in
force with the next search.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

from plugins.search.analysis import Analyser
from plugins.search.backend import Clause, Group, QueryPlan
from plugins.search.planning import MAX_GROUPS, plan_query

_COMMA = re.compile(r"[,，、]")

# What was typed itself, in any inflection, comes before what means the same.
_BOOST = 0.5
# Words that are looked for as one, such as "heat pump".
_MOST_TOGETHER = 3
# Ways to say one thing, multiplied: of more, words of several stand as a phrase.
_MOST_WAYS = 8

#: The tokens of one word, or of a run of Chinese.
Word = tuple[str, ...]


@dataclass(frozen=True)
class HouseWords:
    """What means the same as some words, and the words that are left out."""

    same: Mapping[tuple[Word, ...], tuple[str, ...]] = field(default_factory=dict)
    unsaid: frozenset[Word] = frozenset()


def read_words(
    synonyms: Iterable[str], stop_words: Iterable[str], analyser: Analyser
) -> HouseWords:
    """Read lines of words with commas between them, and words of no meaning."""
    same: dict[tuple[Word, ...], tuple[str, ...]] = {}
    for line in synonyms:
        parts = [one.strip() for one in _COMMA.split(line) if one.strip()]
        for one in parts:
            others = tuple(other for other in parts if other != one)
            for words in _ways(plan_query(one, analyser).groups):
                same[words] = (*same.get(words, ()), *others)
    unsaid = (_ways(plan_query(one, analyser).groups) for one in stop_words)
    alone = (words[0] for ways in unsaid for words in ways if len(words) == 1)
    return HouseWords(same, frozenset(alone))


def with_house_words(
    plan: QueryPlan, house: HouseWords, analyser: Analyser
) -> QueryPlan:
    """Look for what means the same as well, and not for words of no meaning.

    `a or (b and c)` is looked for as `(a or b) and (a or c)`: a plan is groups of
    which all are wanted.
    """
    said = [one for one in plan.groups if not _known(one) & house.unsaid]
    left = said or list(plan.groups)
    groups: list[Group] = []
    words = set(plan.words)
    while left:
        length, others = _same_from(left, house)
        extra = [plan_query(other, analyser) for other in others]
        groups += _either(left[:length], [one.groups for one in extra if one.groups])
        words.update(*(one.words for one in extra))
        left = left[length:]
    kept = tuple(dict.fromkeys(groups))[:MAX_GROUPS]
    return replace(plan, groups=kept, words=frozenset(words))


def _same_from(said: Sequence[Group], house: HouseWords) -> tuple[int, tuple[str, ...]]:
    """Give how many groups are known together, the longest first, and by what else."""
    for length in range(min(_MOST_TOGETHER, len(said)), 0, -1):
        ways = _ways(said[:length])
        others = [other for way in ways for other in house.same.get(way, ())]
        if others:
            return length, tuple(dict.fromkeys(others))
    return 1, ()


def _ways(groups: Sequence[Group]) -> list[tuple[Word, ...]]:
    """Give all ways in which some words are known: as written, and by their stems."""
    if not 0 < len(groups) <= _MOST_TOGETHER:
        return []
    return list(product(*(sorted(_known(group)) for group in groups)))


def _known(group: Group) -> set[Word]:
    return {
        one.tokens
        for one in group
        if one.field in {"surf", "stem"} and one.kind in {"term", "phrase"}
    }


def _either(
    typed: Sequence[Group], others: Sequence[Sequence[Group]]
) -> Iterator[Group]:
    """Look for what was typed, or for all the words of one of the others."""
    ways = len(typed)
    meant: list[Sequence[Group]] = []
    for one in others:
        ways *= len(one)
        meant.append(one if ways <= _MOST_WAYS else [_phrase(one)])
    for typed_one, *rest in product(typed, *meant):
        exact = (one for group in rest for one in group if one.field != "edge")
        yield (
            *typed_one,
            *(replace(one, boost=one.boost * _BOOST) for one in exact),
        )


def _phrase(groups: Sequence[Group]) -> Group:
    tokens = tuple(token for group in groups for token in group[0].tokens)
    return (Clause("surf", tokens, 1.0, "phrase" if len(tokens) > 1 else "term"),)
