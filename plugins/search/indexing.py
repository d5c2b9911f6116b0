"""Keep the index as the database is: by event, by whole rebuild."""

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from core.db import Record, db
from core.events import Delivery, Event
from core.records import RecordType, SearchDocument, load_ref, record_types
from core.visibility import labels
from plugins.search.asking import facet
from plugins.search.attached import attached_to, hanging, host_of
from plugins.search.backend import (
    IndexBroken,
    IndexDoc,
    IndexMissing,
    IndexOp,
    IndexStats,
)
from plugins.search.engine import analyser, backend

log = logging.getLogger("rapport.search")

PAGE = 500
# The name under which the index hears of events.
SUBSCRIBER = "search"
ERASED = "contact.erased"


Reading = Callable[[RecordType, Record], IndexDoc | None]


def index_document(kind: RecordType, record: Record) -> IndexDoc | None:
    """Turn a record into what the index keeps of it; None when it is not searched."""
    if kind.document is None:
        return None
    document = kind.document(record)
    if document is None:
        return None
    when = document.date or record.updated_at
    return IndexDoc(
        key=record.ref,
        type=kind.name,
        visibility=tuple(sorted(labels(record))),
        contact_id=document.contact_id,
        updated_at=int(when.timestamp() * 1_000_000),
        rev=record.version,
        facets=tuple(sorted(_facets(record, document))),
        tokens=analyser().document(
            title=document.title,
            identifiers=document.identifiers,
            body=document.body,
        ),
    )


def _facets(record: Record, document: SearchDocument) -> set[str]:
    """Name what a search can be narrowed by: tags, and the teams a record is of."""
    teams = {getattr(record, "team_id", None)}
    if record.readers == "audience":
        teams.update(record.audience.spec.teams)  # type: ignore[attr-defined]
    found = {facet("team", one) for one in teams if one is not None}
    found |= {facet("has", one) for one in attached_to(record)}
    return found | {facet("tag", one.lstrip("#")) for one in document.tags}


def index_events(events: list[Event]) -> None:
    """Bring the index up to date with what `events` are about.

    The payload is never trusted: the record is loaded as it is now, so the order of
    events, and hearing one twice, do not matter.
    """
    known = record_types()
    # What a plugin had goes with it: by then nobody declares its types any more.
    refs = dict.fromkeys(
        one.subject
        for one in events
        if one.subject.rpartition("/")[0] in known or one.type.endswith(".deleted")
    )
    if not refs:
        return
    # Analysing takes a while, the first index minutes, and none of it is written to
    # the database: until it is done others get it (on SQLite there is one writer).
    db.session.rollback()
    with db.read_only():
        refs |= dict.fromkeys(_hosts(refs))
        ops = [operation_for(ref) for ref in refs]
    try:
        backend().apply(ops)
    except IndexMissing:
        # The first thing ever to be indexed: the whole index is made with it.
        rebuild()
    if any(one.type == ERASED for one in events):
        # What is only marked as deleted still has the words on the disk.
        backend().optimise()


def _hosts(refs: Iterable[str]) -> list[str]:
    """Name what records hang on: what hangs on it is in the index with it."""
    types = {kind.name for kind, _column in hanging()}
    found = (load_ref(one) for one in refs if one.rpartition("/")[0] in types)
    hosts = (host_of(one) for one in found if one is not None)
    return [one for one in hosts if one is not None]


def operation_for(ref: str, read: Reading = index_document) -> IndexOp:
    """Say what the index is to hold of a record, as it is by now."""
    record = load_ref(ref)
    if record is None:
        return IndexOp.delete(ref)
    document = read(record_types()[record.record_name()], record)
    return IndexOp.delete(ref) if document is None else IndexOp.upsert(document)


def rebuild() -> tuple[IndexStats, list[str]]:
    """Make the index anew beside the present one, and switch over in one step.

    Gives besides the references of those that could not be indexed: one broken record
    does not keep all others from being found.
    """
    analyser().prepare()
    left_out: list[str] = []
    build = backend().begin_build()
    try:
        for kind in record_types().values():
            if kind.document is not None:
                for page in _documents(kind, left_out):
                    build.add(page)
        stats = build.finish()
    except BaseException:
        build.abort()
        raise
    log.info("the index holds %d records", stats.documents)
    return stats, left_out


def _documents(kind: RecordType, left_out: list[str]) -> Iterator[list[IndexDoc]]:
    """Read the records of one type, page by page, one short transaction each."""
    model: Any = kind.model
    last = 0
    while True:
        query = sa.select(model).where(model.id > last).order_by(model.id)
        query = query.limit(PAGE).options(*kind.loads)
        with db.read_only() as session:
            records = session.scalars(query).unique().all()
            if records:
                last = records[-1].id
            found = [document_or_left_out(kind, one, left_out) for one in records]
        yield [one for one in found if one is not None]
        if len(records) < PAGE:
            return


def document_or_left_out(
    kind: RecordType, record: Record, left_out: list[str]
) -> IndexDoc | None:
    """Turn a record into what the index keeps of it; one that fails is noted."""
    ref = record.ref
    try:
        with db.contained():
            return index_document(kind, record)
    except (OperationalError, IndexBroken):
        # Not the record is at fault: whoever asked tries the whole again.
        raise
    except Exception:
        # Whatever a plugin's record raises, all the others are to be found.
        log.exception("%s could not be indexed, and is left out", ref)
        left_out.append(ref)
        return None


def build_if_needed() -> None:
    """Rebuild an index that is missing, broken or of another version."""
    why = backend().needs_build()
    if why is not None:
        log.info("the index is rebuilt: %s", why)
        waiting = _waiting()
        rebuild()
        _forget(waiting)


def _waiting() -> list[int]:
    """List the deliveries that are committed by now: a rebuild will hold them."""
    with db.read_only() as session:
        return list(
            session.scalars(
                sa.select(Delivery.id).where(
                    Delivery.subscriber == SUBSCRIBER,
                    Delivery.leased_until.is_(None),
                    Delivery.parked_at.is_(None),
                )
            )
        )


def _forget(ids: list[int]) -> None:
    """Let what the new index holds already not be read a second time."""
    for start in range(0, len(ids), PAGE):
        with db.transaction() as session:
            session.execute(
                sa.delete(Delivery).where(
                    Delivery.id.in_(ids[start : start + PAGE]),
                    Delivery.leased_until.is_(None),
                )
            )


def what_is_wrong() -> str | None:
    """Say what is wrong with the index, for /readyz and `rapport doctor`."""
    # A missing one is no fault: the worker makes it as soon as it runs.
    if backend().needs_build() == "broken":
        return "the search index is broken: run rapport search rebuild"
    return None
