"""Turn what a person typed into a plan that every engine executes alike."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from plugins.search.analysis import EDGE_MAX, EDGE_MIN, GAP, Analyser
from plugins.search.backend import (
    Clause,
    Group,
    Kind,
    QueryPlan,
    SearchBackend,
    SearchPage,
    SearchRequest,
)
from plugins.search.clauses import beginnings, identifier_clauses
from plugins.search.tokenising import (
    MAX_TOKEN,
    Token,
    amount_forms,
    code_pieces,
    fold,
    identifier_forms,
    joined_words,
    other_spellings,
    phone_forms,
    run_of,
    straighten,
    surfaces,
    tokenise,
    word_of,
)

#: What is typed beyond this is not read; a person's query never gets there.
MAX_QUERY = 400
MAX_GROUPS = 24
#: With fewer hits than this for all the words, records with some of them join in.
RELAX_BELOW = 20

# A part in quotes (the last quote may be missing) or a piece without spaces, either
# with a minus before it. After a digit that no quote precedes, a quote means inches.
_PART = re.compile(
    r'(?P<minus>-?)(?:"(?P<phrase>[^"]*)"?|(?P<piece>[^\s"](?:[^\s"]|(?<=\d)")*))'
)
# "040 123" and "+358 (0)40": digits that a person groups by spaces.
_NUMBER = re.compile(r"(?<![^\s(])\(?\+?\d(?:[\d ()./-]|,(?=\d))*\d(?![^\s)])")
# Half of the people copy an address from the browser, half know only its name.
_SCHEME = re.compile(r"^(?:https?://)?(?:www\.)?(?=\w)", re.IGNORECASE)
_ADDRESS = re.compile(r"[.@_&+\d]")


def plan_query(text: str, analyser: Analyser, *, typing: bool = False) -> QueryPlan:
    """Return the plan of a query; every text has one, an empty plan finds nothing.

    With `typing`, the last word is taken as the beginning of a word.
    """
    text = straighten(text[:MAX_QUERY])
    unfinished = typing and text[-1:] not in {"", " ", '"'}
    planner = _Planner(analyser)
    parts = list(_parts(text))
    for place, (excluded, is_phrase, part) in enumerate(parts):
        if is_phrase:
            planner.add_phrase(part, excluded=excluded)
        else:
            last = unfinished and place == len(parts) - 1
            planner.add_piece(part, excluded=excluded, unfinished=last)
    return planner.plan()


def find(backend: SearchBackend, request: SearchRequest) -> SearchPage:
    """Search for all the words and, when that finds little, for some of them.

    Records with all the words stay first; sorted by date, where nothing has to, those
    with some of them come only when there are no others. Only what the reader may see
    decides.
    """
    page = backend.search(request)
    enough = RELAX_BELOW if request.order == "best" else 1
    if page.total >= enough or page.is_partial or len(request.plan.groups) < 2:
        return page
    wider = backend.search(replace(request, plan=request.plan.relaxed()))
    return replace(wider, is_relaxed=wider.total > page.total)


def _parts(text: str) -> Iterator[tuple[bool, bool, str]]:
    """Yield (excluded, is a phrase, text) of each part of a query."""
    grouped = _NUMBER.sub(lambda found: _grouped(found.group()), text)
    for match in _PART.finditer(grouped):
        phrase = match["phrase"]
        part = phrase if phrase is not None else match["piece"]
        yield bool(match["minus"]), phrase is not None, part.replace("\0", " ")


def _grouped(number: str) -> str:
    """Hold together the groups of digits that read as one number."""
    digits = sum(sign.isdigit() for sign in number)
    return number.replace(" ", "\0") if 4 <= digits <= 15 else number


class _Planner:
    """Collects the groups of one query."""

    def __init__(self, analyser: Analyser) -> None:
        self._analyser = analyser
        self._groups: dict[Group, bool] = {}  # the value: a stop word
        self._excluded: dict[Group, None] = {}
        self._words: set[str] = set()
        self._beginnings: set[str] = set()

    def plan(self) -> QueryPlan:
        """Return the plan; stop words count only when there is nothing else."""
        groups = [group for group, common in self._groups.items() if not common]
        return QueryPlan(
            groups=tuple((groups or list(self._groups))[:MAX_GROUPS]),
            excluded=tuple(self._excluded)[:MAX_GROUPS],
            words=frozenset(self._words),
            beginnings=frozenset(self._beginnings),
        )

    def add_phrase(self, text: str, *, excluded: bool) -> None:
        """Look for the words as they are, one after the other."""
        exact = [surface for token in tokenise(text) for surface in surfaces(token)]
        kept = [GAP if self._analyser.is_stop_word(word) else word for word in exact]
        phrase = _trimmed(kept) or tuple(exact)
        if phrase:
            kind: Kind = "phrase" if len(phrase) > 1 else "term"
            self._add((Clause("surf", phrase, 1.0, kind),), excluded=excluded)
            self._mark(set(phrase), excluded=excluded)

    def add_piece(self, piece: str, *, excluded: bool, unfinished: bool) -> None:
        """Look for a word, an identifier, or the words that punctuation joins."""
        piece = _SCHEME.sub("", piece)
        tokens = list(tokenise(piece))
        if not tokens:
            return
        if _is_number(piece):
            self._add_number(piece, tokens, excluded=excluded)
        elif len(tokens) > 1 and _ADDRESS.search(piece) and "@" not in piece:
            self._add_joined(piece, tokens, excluded=excluded)
        else:
            joined = [joined_words(piece, *pair) for pair in pairwise(tokens)]
            for place, token in enumerate(tokens):
                begun = "@" in piece or (unfinished and place == len(tokens) - 1)
                ones = {
                    fold(one) for one in joined[max(0, place - 1) : place + 1] if one
                }
                self._add_token(token, ones, excluded=excluded, begun=begun)

    def _add_token(
        self, token: Token, joined: set[str], *, excluded: bool, begun: bool
    ) -> None:
        if token.kind == "word":
            self._add_word(token, joined, excluded=excluded, begun=begun)
        elif token.kind == "run":
            self._add_run(token, excluded=excluded)
        else:
            self._add_identifier(token, excluded=excluded, begun=begun)

    def _add_word(
        self, token: Token, joined: set[str], *, excluded: bool, begun: bool
    ) -> None:
        """Look for a word, or for the one that it is a part of: "re-order"."""
        word = surfaces(token)[0] if surfaces(token) else ""
        if not word:
            return
        stems = self._analyser.stems(word_of(token))
        clauses = [Clause("surf", (word,)), Clause("ident", (word,), 3.0)]
        clauses += [Clause("stem", (stem,), 0.6) for stem in sorted(stems | {word})]
        clauses += [Clause("surf", (stem,), 0.8) for stem in sorted(stems)]
        others = other_spellings(word, token.text) | joined
        clauses += [Clause("surf", (other,), 0.8) for other in sorted(others)]
        if word.isdigit() and len(word) >= 4:
            clauses += [Clause("ident", ("~" + word,), 1.5)]
            clauses += [Clause("stem", ("~" + word,), 0.6)]
        if begun and len(word) >= EDGE_MIN:
            clauses.append(Clause("edge", (word[:EDGE_MAX],)))
        # One letter is no beginning that could be looked up: wait for the next.
        common = self._analyser.is_stop_word(word) or (begun and len(word) < EDGE_MIN)
        self._add(tuple(clauses), excluded=excluded, common=common)
        if not common:
            self._mark({word} | stems | others, excluded=excluded, begun=begun)

    def _add_run(self, token: Token, *, excluded: bool) -> None:
        found = tuple(surfaces(token))
        if len(found) > 1:
            group: Group = (Clause("surf", found, 1.0, "phrase"),)
            # Forms and letterheads space out short names: 张 伟.
            if len(run_of(token)) <= 4:
                group += (Clause("surf", tuple(run_of(token)), 0.8, "phrase"),)
        elif len(found[0]) > 1:
            spaced = Clause("surf", tuple(found[0]), 0.8, "phrase")
            group = (Clause("surf", found), spaced)
        else:
            group = (Clause("surf", found), Clause("stem", found, 0.6))
        self._add(group, excluded=excluded)
        self._mark({run_of(token)}, excluded=excluded)

    def _add_identifier(
        self, token: Token, *, excluded: bool, begun: bool = False
    ) -> None:
        """Look for an address or code: whole, in part, or as its words in a text."""
        forms = identifier_forms(token)
        whole = fold(token.text)[:MAX_TOKEN]
        wanted = forms & {whole, re.sub(r"[\W_]+", "", whole)}
        if token.kind == "phone":
            wanted = forms
        clauses = identifier_clauses(wanted)
        parts = tuple(surfaces(token))
        if len(parts) > 1:
            clauses.append(Clause("surf", parts, 1.0, "phrase"))
        elif parts:
            clauses.append(Clause("surf", parts))
        if token.kind == "code" and len(pieces := code_pieces(whole)) > len(parts):
            # Typed without separators, written with them: AB1234 and AB 1234.
            clauses.append(Clause("surf", tuple(pieces), 0.8, "phrase"))
        if begun:
            clauses += beginnings(token, wanted, parts)
        self._add(tuple(clauses), excluded=excluded)
        self._mark(wanted, excluded=excluded, begun=True)

    def _add_number(self, piece: str, tokens: list[Token], *, excluded: bool) -> None:
        """Look for a number however its digits are grouped, or for each group."""
        forms = {form for form in phone_forms(piece) if len(form) >= 3}
        amounts = amount_forms(piece)
        # "12.500,00" is no telephone number, and its cents are not its last digits.
        forms = (forms if not amounts or "," not in piece else set()) | amounts
        for token in tokens:
            if token.kind == "date":
                forms |= {form for form in identifier_forms(token) if len(form) == 8}
        clauses = identifier_clauses(forms)
        clauses += [Clause("surf", (form,), 0.8) for form in sorted(forms)]
        parts = tuple(part for token in tokens for part in surfaces(token))
        kind: Kind = "all" if len(parts) > 1 else "term"
        clauses.append(Clause("surf", parts, 0.8, kind))
        self._add(tuple(clauses), excluded=excluded)
        self._mark(forms | set(parts), excluded=excluded, begun=True)

    def _add_joined(self, piece: str, tokens: list[Token], *, excluded: bool) -> None:
        """Look for "jane.d" or "ab-1" whole, by its beginning or as words."""
        whole = fold(piece.strip('.,;:/"'))[:MAX_TOKEN]
        parts = tuple(part for token in tokens for part in surfaces(token))
        clauses = identifier_clauses({whole, re.sub(r"[\W_]+", "", whole)} - {""})
        clauses.append(Clause("surf", parts, 0.8, "all"))
        self._add(tuple(clauses), excluded=excluded)
        self._mark({whole, *parts}, excluded=excluded)

    def _add(self, group: Group, *, excluded: bool, common: bool = False) -> None:
        if excluded:
            # A beginning would exclude far more than the word that was meant.
            exact = tuple(clause for clause in group if clause.field != "edge")
            self._excluded[exact] = None
        else:
            self._groups.setdefault(group, common)

    def _mark(self, words: set[str], *, excluded: bool, begun: bool = False) -> None:
        if not excluded:
            self._words |= words - {GAP}
            self._words |= {"~" + word for word in words if word.isdigit()}
            if begun:
                self._beginnings |= {word for word in words if len(word) >= EDGE_MIN}


def _is_number(piece: str) -> bool:
    """Tell whether a piece is digits, grouped or long enough to be quoted in part."""
    digits = sum(sign.isdigit() for sign in piece)
    return digits >= 4 and not any(sign.isalpha() for sign in piece)


def _trimmed(words: list[str]) -> tuple[str, ...]:
    """Return a phrase without the gaps at its ends."""
    while words and not words[0]:
        words = words[1:]
    while words and not words[-1]:
        words = words[:-1]
    return tuple(words)
