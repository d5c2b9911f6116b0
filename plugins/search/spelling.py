"""What was meant where a word of a query is found nowhere: "did you mean"."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from rapidfuzz import process
from rapidfuzz.distance import OSA

from core.users.models import User
from plugins.search.asking import ask
from plugins.search.backend import Clause, IndexBroken, QueryPlan, SearchRequest
from plugins.search.engine import analyser, backend
from plugins.search.planning import plan_query
from plugins.search.services import Results, load_hits, show_hits
from plugins.search.tokenising import fold, tokenise

# Shorter words are like too many others.
SHORTEST = 4
# In longer ones, two letters may be wrong.
LONG = 8
# Of each query so many words, and of the words like each so many, are looked for.
MOST_WORDS, TRIES = 2, 4

# Words that stand alone: no part of an address or a code, and none that is left out.
_WORD = re.compile(rf"(?<![\w@.:/+#-])[^\W\d_]{{{SHORTEST},}}(?![\w@:/+-]|\.\w)")


def did_you_mean(
    user: User, text: str, results: Results, *, types: Iterable[str] = ()
) -> str | None:
    """Write `text` with words that are found instead of those that are not.

    None when all were found, nothing like them is either, or there was no time to find
    out. Only words of what `user` may see are ever given, and as they are spelt there.
    """
    nobody_knows = results.is_degraded or results.is_partial
    if nobody_knows or (results.total and not results.is_relaxed):
        return None
    asked = ask(user, text, types=types)
    if asked.request is None:
        return None
    said = asked.request
    written = text
    try:
        for word in _unfound(asked.narrowed.words, said):
            other = _like(user, word, said)
            if other is not None:
                written = re.sub(rf"(?<!\w){word}(?!\w)", other, written, count=1)
    except IndexBroken:
        return None
    return written if written != text else None


def _unfound(words: str, said: SearchRequest) -> Iterator[str]:
    """Name the words of a query by which the reader finds nothing."""
    looked_at = 0
    for word in dict.fromkeys(_WORD.findall(words)):
        if [token.kind for token in tokenise(word)] != ["word"]:
            continue
        if analyser().is_stop_word(fold(word)):
            continue
        looked_at += 1
        if looked_at > MOST_WORDS:
            return
        if not _total(plan_query(word, analyser()), said):
            yield word


def _like(user: User, word: str, said: SearchRequest) -> str | None:
    """Give the word most like `word` by which the reader finds most."""
    wanted = fold(word)
    wrong = 2 if len(wanted) >= LONG else 1
    known = backend().words(
        wanted[:1], shortest=len(wanted) - wrong, longest=len(wanted) + wrong
    )
    known.discard(wanted)
    # Letters that changed places count as one that is wrong.
    found = process.extract(
        wanted, sorted(known), scorer=OSA.distance, score_cutoff=wrong, limit=TRIES
    )
    tried = [(int(distance), other) for other, distance, _place in found]
    # As many searches for every word: how long it takes does not tell how many there
    # are like it in what the reader may not see.
    tried += [(wrong + 1, wanted)] * (TRIES - len(tried))
    ranked = sorted((far, -_total(_plan(other), said), other) for far, other in tried)
    spelt = (_spelt(user, other, said) for _far, total, other in ranked if total)
    return next((one for one in spelt if one is not None), None)


def _plan(word: str) -> QueryPlan:
    clause = Clause("surf", (word,))
    return QueryPlan(groups=((clause,),), words=frozenset({word}))


def _narrow(plan: QueryPlan, said: SearchRequest) -> SearchRequest:
    return replace(said, plan=plan, without_words=False, limit=1, offset=0)


def _total(plan: QueryPlan, said: SearchRequest) -> int:
    return backend().search(_narrow(plan, said)).total


def _spelt(user: User, word: str, said: SearchRequest) -> str | None:
    """Read in the database how a word is spelt that the index has without accents."""
    plan = _plan(word)
    page = backend().search(_narrow(plan, said))
    records = load_hits(user, [hit.key for hit in page.hits])
    for one in show_hits(user, list(records.values()), plan):
        for piece in (*one.title_pieces, *one.snippet):
            if piece.hit and fold(piece.text) == word:
                return piece.text.lower()
    return None
