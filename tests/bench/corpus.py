"""Notes to be searched, made up and always the same, and what is looked for in them.

Words are drawn by Zipf's law (G. K. Zipf, Human Behavior and the Principle of Least
Effort, 1949) from 60,000: as in a language, a few are in every text and most in few.
The most frequent are the words of English that are about nothing; none is looked for.
"""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from plugins.search.stopwords import STOP_WORDS

VOCABULARY = 60_000
#: Kinds of records and labels of readers; a search sees one of each.
TYPES, LABELS = ("note", "call", "ticket", "document"), ("staff", "team:1", "team:2")
QUERIES = 60

_EMPTY = STOP_WORDS["en"].split()
_ONSETS = [*"bdfghjklmnprstv", *("br", "dr", "gr", "kl", "kr", "pl", "pr", "sk", "st")]
_VOWELS = [*"aeiou", "aa", "ai", "ei", "ie", "oi", "uo"]
_ENDS = ["", "", "", "n", "s", "t", "r", "l"]


@dataclass(frozen=True)
class Note:
    """One text, with what search keeps of it."""

    number: int
    kind: str
    label: str
    title: str
    body: str

    @property
    def key(self) -> str:
        """Name it as a record is named."""
        return f"{self.kind}/{self.number}"


def vocabulary(rng: random.Random) -> list[str]:
    """Make up words that can be pronounced, none twice; English ones are the first."""
    found: dict[str, None] = {}
    while len(found) < VOCABULARY:
        count = rng.choice((2, 2, 3, 3, 4))
        parts = (rng.choice(_ONSETS) + rng.choice(_VOWELS) for _ in range(count))
        found["".join(parts) + rng.choice(_ENDS)] = None
    return [*_EMPTY, *sorted(found, key=len)][:VOCABULARY]


def notes(count: int) -> Iterator[Note]:
    """Write `count` notes of about 45 words."""
    rng = random.Random(1949)
    words = vocabulary(rng)
    weights = list(accumulate(1 / rank for rank in range(1, VOCABULARY + 1)))
    for number in range(1, count + 1):
        size = rng.randint(15, 75)
        drawn = rng.choices(words, cum_weights=weights, k=size + 4)
        kind, label = rng.choice(TYPES), rng.choice(LABELS)
        yield Note(number, kind, label, " ".join(drawn[:4]), " ".join(drawn[4:]))


@dataclass(frozen=True)
class Wanted:
    """Queries of one kind: what is typed, and how the yardstick is asked for the same.

    `narrowed` looks at one type and one label only; `typing` takes the last word for
    a beginning; `shown` writes the hits with their words marked.
    """

    name: str
    queries: Sequence[str]
    narrowed: bool = False
    typing: bool = False
    shown: bool = False


def wanted(texts: Sequence[Note]) -> list[Wanted]:
    """Choose what is looked for, by how often words occur."""
    rng = random.Random(42)
    often = Counter(word for one in texts for word in _telling(one))
    ranked = [word for word, _times in often.most_common()]
    common = ranked[:QUERIES]
    middle = _between(often, len(texts) // 400, len(texts) // 40, rng)
    rare = _between(often, 2, 10, rng)
    return [
        Wanted("a rare word", rare),
        Wanted("a common word", common),
        Wanted("a word, of one type and label", middle, narrowed=True),
        Wanted("as one types", [word[:3] for word in middle], typing=True),
        Wanted("three words", [_three(rng.choice(texts), rng) for _ in middle]),
        Wanted("a phrase", [_phrase(rng.choice(texts), rng) for _ in middle]),
        Wanted("20 hits with their words marked", middle, shown=True),
    ]


def _telling(note: Note) -> set[str]:
    return {*note.title.split(), *note.body.split()}.difference(_EMPTY)


def _between(
    often: Mapping[str, int], least: int, most: int, rng: random.Random
) -> list[str]:
    found = sorted(word for word, times in often.items() if least <= times <= most)
    return rng.sample(found, QUERIES)


def _three(note: Note, rng: random.Random) -> str:
    return " ".join(rng.sample(sorted(_telling(note)), 3))


def _phrase(note: Note, rng: random.Random) -> str:
    words = note.body.split()
    pairs = [one for one in pairwise(words) if not set(one).intersection(_EMPTY)]
    return '"{} {}"'.format(*rng.choice(pairs or list(pairwise(words))))
