"""Once a day the index is compared with the database, and what differs is mended.

An event that was lost, a file that rotted on the disk, an index that was put back from
an older copy: whatever the reason, a day later everything is found as it is.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import sqlalchemy as sa

from core.db import Record, db
from core.records import RecordType, record_types
from plugins.search.backend import IndexDoc, IndexOp, Problem
from plugins.search.engine import backend
from plugins.search.indexing import (
    build_if_needed,
    document_or_left_out,
    operation_for,
    rebuild,
)

log = logging.getLogger("rapport.search")

# Rows whose versions are read at a time, and records written in one commit.
VERSIONS, BATCH = 2_000, 200
# How often what changes while it is mended is mended again.
ROUNDS = 5
# Where more than these differ, making the index anew is sooner done.
MANY = 2_000


@dataclass(frozen=True)
class Compared:
    """How the index differs from its files as written, and from the database.

    `stale` are records that the index has otherwise or not at all, `orphans` those that
    only it still has. Where files are damaged nothing else is compared.
    """

    problems: Sequence[Problem] = ()
    stale: Sequence[str] = ()
    orphans: Sequence[str] = ()


def compare() -> Compared:
    """Compare all files and all records; raises `IndexMissing` without an index."""
    problems = backend().verify(quick=False)
    if problems:
        return Compared(problems)
    # Read first: a record that appears meanwhile is then looked at once too often, and
    # none is taken for an orphan.
    held = dict(backend().revisions())
    stale: list[str] = []
    missing: list[str] = []
    for kind in record_types().values():
        if kind.document is None:
            continue
        for ref, version in _versions(kind):
            has = held.pop(ref, None)
            if has is None:
                missing.append(ref)
            elif has != version:
                stale.append(ref)
    # What nobody searches, such as an entry in the trash, is rightly missing.
    wanted = (one.key for one in _operations(missing) if one.doc is not None)
    # Of what would be made anew, no more is looked at than tells that.
    return Compared((), [*stale, *islice(wanted, MANY + 1)], sorted(held))


def _versions(kind: RecordType) -> Iterator[tuple[str, int]]:
    """Read reference and version of each record of a type, page by page."""
    model: Any = kind.model
    last, page = 0, [0] * VERSIONS
    while len(page) == VERSIONS:
        query = sa.select(model.id, model.version).where(model.id > last)
        with db.read_only() as session:
            rows = session.execute(query.order_by(model.id).limit(VERSIONS)).all()
        page = [row.id for row in rows]
        last = page[-1] if page else last
        yield from ((f"{kind.name}/{row.id}", row.version) for row in rows)


def reconcile() -> None:
    """Mend what differs; an index whose files are damaged is made anew."""
    if backend().needs_build() is not None:
        build_if_needed()
        return
    found = compare()
    for one in found.problems:
        log.error("the index is damaged: %s: %s", one.file, one.message)
    if found.problems:
        rebuild()
        return
    differing = [*found.stale, *found.orphans]
    if len(differing) > MANY:
        log.warning("more than %d records differ: the index is made anew", MANY)
        rebuild()
        return
    for start in range(0, len(differing), BATCH):
        _mend(differing[start : start + BATCH])
    if differing:
        log.warning("records that differed in the index: %d", len(differing))


def _mend(refs: Sequence[str]) -> None:
    """Write records into the index as they are, and again those that changed since.

    Otherwise what another worker has just heard of could be written over.
    """
    for _round in range(ROUNDS):
        written = list(_operations(refs))
        backend().apply(written)
        by_now = _operations(refs)
        refs = [
            one.key for one, then in zip(by_now, written, strict=True) if one != then
        ]
        if not refs:
            return


def _operations(refs: Sequence[str]) -> Iterator[IndexOp]:
    """Say what the index is to hold of records, as they are by now."""
    for start in range(0, len(refs), BATCH):
        with db.read_only():
            found = [operation_for(ref, _read) for ref in refs[start : start + BATCH]]
        yield from found


def _read(kind: RecordType, record: Record) -> IndexDoc | None:
    """Read a record; one that fails was left out of the index, and is again."""
    return document_or_left_out(kind, record, [])
