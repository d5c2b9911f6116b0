"""Short passages of a text around what was searched for, with the hits marked."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from plugins.search.analysis import Analyser, findable_forms
from plugins.search.backend import QueryPlan
from plugins.search.tokenising import (
    LETTER,
    MAX_TOKEN,
    Token,
    fold,
    run_of,
    surfaces,
    tokenise,
    word_of,
)

#: Of a longer text, only the beginning is looked through.
MAX_TEXT = 200_000
# A word and its inflections begin alike; others are not worth stemming.
_ALIKE = 2
_SPACES = re.compile(r"\s+")


class Piece(NamedTuple):
    """A stretch of text, and whether it is what was searched for."""

    text: str
    hit: bool


@dataclass(frozen=True, slots=True)
class _Mark:
    """A place to be marked, and the word of the query that it answers."""

    start: int
    end: int
    term: str


def snippets(
    text: str, plan: QueryPlan, analyser: Analyser, *, width: int = 200
) -> list[Piece]:
    """Return about `width` characters of the text where most of the query is.

    Words are marked in any inflection that the index finds. Without a hit the
    beginning of the text is returned. Left-out text shows as "…".
    """
    text = text[:MAX_TEXT]
    marks = list(_marks(text, plan, analyser))
    start, end = _window(text, marks, width)
    pieces: list[Piece] = []
    if start > 0:
        pieces.append(Piece("…", False))
    place = start
    for mark in marks:
        if start <= mark.start and mark.end <= end and mark.start >= place:
            pieces.append(Piece(text[place : mark.start], False))
            pieces.append(Piece(text[mark.start : mark.end], True))
            place = mark.end
    pieces.append(Piece(text[place:end], False))
    if end < len(text):
        pieces.append(Piece("…", False))
    told = [Piece(_SPACES.sub(" ", piece.text), piece.hit) for piece in pieces]
    return [piece for piece in told if piece.text]


def _marks(text: str, plan: QueryPlan, analyser: Analyser) -> Iterator[_Mark]:
    """Yield the places in the text that answer a word of the plan, in order."""
    words, beginnings = plan.words, tuple(plan.beginnings)
    runs = sorted((word for word in words if not word.isascii()), key=len, reverse=True)
    heads = {word[:_ALIKE] for word in words | plan.beginnings}
    for start, end in _stretches(text, heads):
        for token in tokenise(text[start:end]):
            found = list(_marks_in_run(token, runs)) if token.kind == "run" else []
            if token.kind != "run":
                term = _answered(token, words, beginnings, heads, analyser)
                if term is not None:
                    found = [_Mark(token.start, token.end, term)]
            for mark in found:
                yield _Mark(start + mark.start, start + mark.end, mark.term)


def _answered(
    token: Token,
    words: frozenset[str],
    beginnings: tuple[str, ...],
    heads: set[str],
    analyser: Analyser,
) -> str | None:
    """Return the word of the query that a token answers."""
    seen = surfaces(token)
    if token.kind != "word":
        seen += findable_forms(token)
    for form in seen:
        if form in words or (beginnings and form.startswith(beginnings)):
            return form
    if token.kind == "word" and any(form[:_ALIKE] in heads for form in seen):
        return min(analyser.stems(word_of(token)) & words, default=None)
    return None


def _stretches(text: str, heads: set[str]) -> Iterator[tuple[int, int]]:
    """Yield the stretches of the text in which a hit can be.

    Cutting a long text into tokens is slow. When all that is looked for begins with
    two letters of an alphabet, only pieces around such a beginning are cut.
    """
    if not heads:
        return
    pattern = _beginning(frozenset(heads))
    if pattern is None:
        yield 0, len(text)
        return
    looked_at = 0
    for match in pattern.finditer(text):
        start = match.start()
        if start < looked_at:
            continue
        earliest = max(looked_at, start - MAX_TOKEN)
        while start > earliest and not text[start - 1].isspace():
            start -= 1
        space = _SPACES.search(text, match.end())
        looked_at = space.start() if space else len(text)
        yield start, looked_at


@lru_cache(maxsize=256)
def _beginning(heads: frozenset[str]) -> re.Pattern[str] | None:
    """Return what finds the beginnings of words; None for other scripts."""
    letters = _spellings()
    if not all(letter in letters for head in heads for letter in head):
        return None
    return re.compile("|".join(map(_spelling, sorted(heads))))


def _spelling(head: str) -> str:
    """Return a pattern for the beginning of a word, however it is accented."""
    letters, marks = _spellings(), "[\u0300-\u036f]*"
    # A letter may stand for both: æ for "ae".
    double = "".join(sign for sign in letters[head[0]] if fold(sign) == head)
    pattern = marks.join(f"[{letters[letter]}]" for letter in head)
    return rf"(?<!{LETTER})(?:{pattern}{f'|[{double}]' if double else ''})"


@lru_cache(maxsize=1)
def _spellings() -> dict[str, str]:
    """Return for each letter all the signs that fold to it or begin with it."""
    found: dict[str, str] = {}
    alphabets = [range(0x41, 0x590), range(0x1E00, 0x2000), range(0xFF21, 0xFF5B)]
    for sign in map(chr, chain(*alphabets)):
        if sign.isalpha() and (folded := fold(sign)):
            found[folded[0]] = found.get(folded[0], "") + sign
    return found


def _marks_in_run(token: Token, runs: list[str]) -> Iterator[_Mark]:
    """Yield where the query's runs stand in a run of an unspaced script."""
    run = run_of(token)
    if len(run) != token.end - token.start:
        # Its usual form is longer or shorter, so that places in it say nothing.
        if any(wanted in run for wanted in runs):
            yield _Mark(token.start, token.end, run)
        return
    place = 0
    while place < len(run):
        found = next((wanted for wanted in runs if run.startswith(wanted, place)), None)
        if found:
            yield _Mark(token.start + place, token.start + place + len(found), found)
        place += len(found or " ")


def _window(text: str, marks: list[_Mark], width: int) -> tuple[int, int]:
    """Return the stretch that holds the most different words, then the most hits."""
    best, first = (0, 0), None
    last = 0
    for here, mark in enumerate(marks):
        last = max(last, here)
        while last < len(marks) and marks[last].end - mark.start <= width:
            last += 1
        inside = marks[here:last]
        worth = (len({other.term for other in inside}), len(inside))
        if worth > best:
            best, first = worth, here
    if first is None:
        return 0, _cut_before(text, width)
    found = marks[first : first + best[1]]
    spare = max(0, width - (found[-1].end - found[0].start))
    start = max(0, found[0].start - spare // 2)
    end = min(len(text), max(start + width, found[-1].end))
    start = max(0, min(start, end - width))
    return _cut_after(text, start, found[0].start), _cut_before(
        text, end, found[-1].end
    )


def _cut_after(text: str, place: int, latest: int) -> int:
    """Return the beginning of the next word, but no later than `latest`."""
    if place == 0:
        return 0
    space = _SPACES.search(text, place, latest)
    return space.end() if space else place


def _cut_before(text: str, place: int, earliest: int = 0) -> int:
    """Return the end of the last whole word, but no earlier than `earliest`."""
    if place >= len(text):
        return len(text)
    space = max(text.rfind(" ", earliest, place), text.rfind("\n", earliest, place))
    return space if space > earliest else place
