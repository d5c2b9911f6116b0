"""Search as one reader: what is found is what the pages would show them."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from core.audiences import Audience
from core.contacts.models import Contact
from core.db import Record, db
from core.readers import AudienceView, describe
from core.records import RecordType, SearchDocument, parse_ref, record_types
from core.users.models import User
from core.visibility import visible_to
from plugins.search.asking import AS_FOUND, Refined, ask
from plugins.search.backend import IndexBroken, QueryPlan, SearchPage, SearchRequest
from plugins.search.engine import analyser, backend
from plugins.search.operators import Narrowed, Operator
from plugins.search.planning import MAX_QUERY, find
from plugins.search.snippets import Piece, snippets

log = logging.getLogger("rapport.search")


@dataclass(frozen=True)
class Found:
    """One hit as a page shows it; `snippet` is the text around the words, marked."""

    ref: str
    type: str
    type_title: object
    icon: str
    title: str
    title_pieces: Sequence[Piece]
    snippet: Sequence[Piece]
    audience: AudienceView | None
    contact_name: str
    date: datetime | None
    kind: RecordType
    record: Record
    reader: User

    @property
    def url(self) -> str | None:
        """The address the reader opens it at; asked for where there are addresses."""
        return self.kind.url(self.record, self.reader)


@dataclass(frozen=True)
class Results:
    """A page of hits; `total` counts what this reader may see, up to 1,000.

    `operators` are what narrowed the search, as they were typed; where nothing was
    looked for, it was not `is_asked`. Those of `too_many` mean so many contacts that
    they were looked for as words. `counts` are of all hits, by `type:…` and `team:…`.
    """

    items: Sequence[Found]
    total: int
    total_is_exact: bool
    is_relaxed: bool = False
    is_partial: bool = False
    is_degraded: bool = False
    operators: Sequence[Operator] = ()
    is_asked: bool = True
    too_many: Sequence[str] = ()
    counts: Mapping[str, int] = field(default_factory=dict)


def search(
    user: User,
    text: str,
    *,
    types: Iterable[str] = (),
    limit: int = 20,
    offset: int = 0,
    typing: bool = False,
    refined: Refined = AS_FOUND,
) -> Results:
    """Find `text` among what `user` may see; no text is ever an error.

    `types` are full or short names of record types; unknown ones find nothing.
    When the index is broken, names are searched in the database instead.
    """
    # The index may be seconds old: some hits may be gone when the rows are read.
    wider = limit * 2
    asked = ask(
        user,
        text,
        types=types,
        limit=wider,
        offset=offset,
        typing=typing,
        refined=refined,
    )
    request, operators = asked.request, asked.narrowed.operators
    if request is None:
        nothing = Results((), 0, True, operators=operators, is_asked=False)
        return replace(nothing, too_many=asked.too_many)
    try:
        page = find(backend(), request)
    except IndexBroken as error:
        log.warning("the index is broken, searching the database: %s", error)
        found = _degraded(user, asked.narrowed, request, limit)
    else:
        found = _results(user, page, request, limit)
    return replace(found, operators=operators, too_many=asked.too_many)


def _results(
    user: User, page: SearchPage, request: SearchRequest, limit: int
) -> Results:
    keys = [hit.key for hit in page.hits]
    records = load_hits(user, keys)
    shown = [records[key] for key in keys if key in records][:limit]
    # A hit whose row is hidden or gone by now is not counted either.
    lost = len(keys) - len(records)
    return Results(
        items=show_hits(user, shown, request.plan),
        total=max(page.total - lost, len(shown)),
        total_is_exact=page.total_is_exact,
        is_relaxed=page.is_relaxed,
        is_partial=page.is_partial,
        counts=page.counts,
    )


def load_hits(user: User, keys: Sequence[str]) -> dict[str, Record]:
    """Read the rows of the hits through the visible scope, one statement a type."""
    ids: dict[str, list[int]] = defaultdict(list)
    for key in keys:
        parsed = parse_ref(key)
        if parsed is not None:
            ids[parsed[0]].append(parsed[1])
    found: dict[str, Record] = {}
    for name, numbers in ids.items():
        kind = record_types()[name]
        model: Any = kind.model
        query = visible_to(user, model).where(model.id.in_(numbers))
        query = query.options(*kind.loads)
        for record in db.session.scalars(query).unique():
            found[record.ref] = record
    return found


def show_hits(user: User, records: Sequence[Record], plan: QueryPlan) -> list[Found]:
    """Put records into words for a page of hits, with the words of `plan` marked."""
    audiences = [
        one.audience  # type: ignore[attr-defined]
        for one in records
        if one.readers == "audience"
    ]
    words = describe(audiences, user) if user.kind == "staff" else {}
    documents = [(one, _document(one)) for one in records]
    names = contact_names(user, [doc for _, doc in documents])
    return [_found(user, one, doc, plan, words, names) for one, doc in documents]


def _document(record: Record) -> SearchDocument:
    kind = record_types()[record.record_name()]
    document = kind.document(record) if kind.document else None
    return document or SearchDocument(title=kind.label(record))


def contact_names(user: User, documents: Sequence[SearchDocument]) -> dict[int, str]:
    """Give the names of the contacts that documents are about, if `user` sees them."""
    ids = {one.contact_id for one in documents if one.contact_id is not None}
    if not ids:
        return {}
    query = visible_to(user, Contact).where(Contact.id.in_(ids))
    rows = db.session.execute(query.with_only_columns(Contact.id, Contact.name))
    return {row.id: row.name for row in rows}


def _found(
    user: User,
    record: Record,
    document: SearchDocument,
    plan: QueryPlan,
    words: dict[int, AudienceView],
    names: dict[int, str],
) -> Found:
    kind = record_types()[record.record_name()]
    audience: Audience | None = getattr(record, "audience", None)
    # What stands in the title is not said twice.
    unsaid = (one for one in document.identifiers if one not in document.title)
    body = document.body or " · ".join(unsaid)
    name = names.get(document.contact_id or 0, "")
    return Found(
        ref=record.ref,
        type=kind.short,
        type_title=kind.title,
        icon=kind.icon,
        title=document.title,
        title_pieces=snippets(document.title, plan, analyser(), width=200),
        snippet=snippets(body, plan, analyser(), width=200) if body else (),
        audience=words.get(audience.id) if audience is not None else None,
        contact_name="" if name in document.title else name,
        date=document.date,
        kind=kind,
        record=record,
        reader=user,
    )


def _degraded(
    user: User, narrowed: Narrowed, request: SearchRequest, limit: int
) -> Results:
    """Find contacts by part of their name, straight from the database."""
    # Only the type can be told here: what ignored the others would be no answer.
    understood = all(one.name == "type" for one in narrowed.operators)
    if not understood or Contact.record_name() not in request.types:
        return Results((), 0, True, is_degraded=True)
    query = visible_to(user, Contact)
    # As much as the index would be asked for: SQLite refuses patterns over 50 kB.
    for word in narrowed.words[:MAX_QUERY].lower().split()[:5]:
        query = query.where(Contact.sort_name.contains(word, autoescape=True))
    query = query.order_by(Contact.sort_name, Contact.id).limit(limit)
    records = db.session.scalars(query).unique().all()
    items = show_hits(user, records, request.plan)
    return Results(items, len(items), len(items) < limit, is_degraded=True)


def plain(pieces: Iterable[Piece]) -> str:
    """Write a snippet as text, without marks."""
    return "".join(piece.text for piece in pieces)


def refs_for(user: User, text: str) -> list[tuple[str, str]]:
    """Find as `user`, for a command: references and titles."""
    page = search(user, text, limit=20)
    return [(one.ref, one.title) for one in page.items]
