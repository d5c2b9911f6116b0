"""Short passages of a text around what was searched for, with the hits marked."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from plugins.search.analysis import Analyser, findable_forms
from plugins.search.backend import QueryPlan
from plugins.search.tokenising import Token, run_of, surfaces, tokenise, word_of

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
    words = plan.words
    runs = sorted((word for word in words if not word.isascii()), key=len, reverse=True)
    heads = {word[:_ALIKE] for word in words | plan.beginnings}
    beginnings = tuple(plan.beginnings)
    for token in tokenise(text):
        if token.kind == "run":
            yield from _marks_in_run(token, runs)
            continue
        seen = surfaces(token)
        if token.kind != "word":
            seen += findable_forms(token)
        term = next((form for form in seen if form in words), None)
        if term is None and beginnings:
            term = next((form for form in seen if form.startswith(beginnings)), None)
        if (
            term is None
            and token.kind == "word"
            and seen[:1]
            and seen[0][:_ALIKE] in heads
        ):
            stems = analyser.stems(word_of(token))
            term = min(stems & words, default=None)
        if term is not None:
            yield _Mark(token.start, token.end, term)


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
