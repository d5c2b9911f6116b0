"""What else is about the same: records like one that is being read."""

from collections import Counter
from dataclasses import replace

from core.db import Record
from core.records import SearchDocument, record_type_of
from core.users.models import User
from plugins.search.asking import ask
from plugins.search.backend import IndexBroken
from plugins.search.engine import analyser, backend
from plugins.search.services import Found, contact_names, load_hits, show_hits

# The words that stand for a text: a query has room for so many.
MOST_WORDS = 16
TITLE_WEIGHT = 3


def related(user: User, record: Record, *, limit: int = 5) -> list[Found]:
    """Find what is most like `record` among what `user` may see, best first.

    Empty where the index cannot answer: nobody waits for it.
    """
    kind = record_type_of(record)
    document = kind.document(record) if kind and kind.document else None
    if kind is None or document is None:
        return []
    if kind.alike == "body":
        document = replace(document, title="")
    name = contact_names(user, [document]).get(document.contact_id or 0, "")
    words = " ".join(_words(document, name))
    # One more: the record itself is most like it.
    request = ask(user, words, types=[kind.name], limit=limit + 1).request
    if request is None:
        return []
    try:
        page = backend().search(replace(request, plan=request.plan.relaxed()))
    except IndexBroken:
        return []
    keys = [hit.key for hit in page.hits if hit.key != record.ref]
    found = load_hits(user, keys)
    shown = [found[key] for key in keys if key in found]
    return show_hits(user, shown[:limit], request.plan)


def _words(document: SearchDocument, name: str) -> list[str]:
    """Give the words that say most: those of the title, and those said again.

    The name of the contact is left out: what is like it may be about any other.
    """
    title, body = document.title, document.body
    tokens = analyser().document(title=title, identifiers=(), body=body)
    named = set(analyser().document(title=name).title)
    counts = Counter(tokens.surf)
    counts.update(tokens.title * (TITLE_WEIGHT - 1))
    said = (
        (count * len(word), word)
        for word, count in counts.items()
        if word and not word.isdigit() and not analyser().is_stop_word(word)
        if word not in named
    )
    return [word for _weight, word in sorted(said, reverse=True)[:MOST_WORDS]]
