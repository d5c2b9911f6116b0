"""Writes a Whoosh index: one commit, and a new index beside the present one."""

import json
import logging
import shutil
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from plugins.search.analysis import DocumentTokens
from plugins.search.backend import (
    Build,
    DocumentRefused,
    IndexDoc,
    IndexMissing,
    IndexOp,
    IndexStats,
)
from plugins.search.whoosh_codec import CompactCodec
from plugins.search.whoosh_folder import IndexFolder, write_manifest
from plugins.search.whoosh_library import FileIndex, SegmentWriter
from plugins.search.whoosh_reader import INDEX_NAME, Snapshot, open_snapshot
from plugins.search.whoosh_schema import make_schema, to_fields
from plugins.search.whoosh_storage import DurableStorage

logger = logging.getLogger(__name__)

#: Postings in memory before they go to a temporary file, in MB.
MEMORY = 64
# The engine's own lock; ours is held around it, so that it is always free.
_PATIENCE = {"timeout": 30.0, "delay": 0.05}


def create_index(folder: Path) -> None:
    """Make an empty index in a folder."""
    FileIndex.create(DurableStorage(folder), make_schema(), INDEX_NAME)


def open_writer(folder: Path) -> SegmentWriter:
    """Open an index for writing, after removing what a killed writer left behind."""
    storage = DurableStorage(folder)
    for name in storage.list():
        if ".toc." in name:
            storage.delete_file(name)
    index = FileIndex(storage, schema=make_schema(), indexname=INDEX_NAME)
    return index.writer(codec=CompactCodec(), limitmb=MEMORY, **_PATIENCE)


def commit_ops(
    folder: Path,
    ops: Iterable[IndexOp],
    *,
    before: Snapshot | None = None,
    optimise: bool = False,
) -> None:
    """Replace and delete records in one commit; `before` saves opening segments.

    Raises DocumentRefused for a record that cannot be written.
    """
    latest = {op.key: op for op in ops}
    writer = open_writer(folder)
    try:
        seen = open_snapshot(writer.storage, writer.generation - 1, before)
        for segment in writer.segments:
            reader = seen.leaves[segment.segment_id()].reader
            for key in latest:
                matcher = reader.postings("key", key)
                for documents, _ in matcher.blocks() if matcher else ():
                    for document in documents:
                        segment.delete_document(document)
        for op in latest.values():
            if op.doc is not None:
                add_document(writer, op.doc)
        commit(writer, folder, optimise=optimise)
    except BaseException:
        abandon(writer)
        raise


def add_document(writer: SegmentWriter, doc: IndexDoc) -> None:
    """Add a record to a commit; raises DocumentRefused when it cannot be written."""
    try:
        writer.add_document(**to_fields(doc))
    except (ValueError, TypeError, AssertionError) as error:
        raise DocumentRefused(doc.key) from error


def commit(writer: SegmentWriter, folder: Path, *, optimise: bool = False) -> None:
    """Make a commit durable and note what was written."""
    generation = writer.generation
    writer.commit(optimize=optimise)
    documents = sum(segment.doc_count() for segment in writer.segments)
    write_manifest(folder, generation, documents)


def abandon(writer: SegmentWriter) -> None:
    """Leave the index as it was; half-written files go with the next commit."""
    if writer.is_closed:
        return
    try:
        writer.cancel()
    except Exception:
        logger.exception("A half-written commit of the search index is left behind")
        if writer.writelock.fd is not None:
            writer.writelock.release()
    finally:
        writer.storage.close_files()


class WhooshBuild(Build):
    """A new index beside the present one, for which changes go into a journal."""

    def __init__(
        self,
        folders: IndexFolder,
        *,
        schema: str,
        analysis: str,
        report: Callable[[], IndexStats],
    ) -> None:
        self._folders = folders
        self._report = report
        self._keys: set[str] = set()
        self._repeated: dict[str, IndexOp] = {}
        with ExitStack() as held:
            held.enter_context(folders.building())
            folders.clear_unfinished()
            self._folder = folders.create(schema, analysis)
            create_index(self._folder)
            with folders.writing():
                folders.start_building(self._folder)
            self._writer = open_writer(self._folder)
            self._held = held.pop_all()

    def add(self, docs: Iterable[IndexDoc]) -> None:
        """Add records; raises DocumentRefused for one that cannot be written."""
        for doc in docs:
            if doc.key in self._keys:
                self._repeated[doc.key] = IndexOp.upsert(doc)
            else:
                add_document(self._writer, doc)
                self._keys.add(doc.key)

    def finish(self) -> IndexStats:
        """Catch up, switch over and remove all older indexes but the last one."""
        try:
            commit(self._writer, self._folder)
            with self._folders.writing():
                journal = self._folders.journal()
                changes = [*self._repeated.values(), *read_journal(journal)]
                if changes:
                    commit_ops(self._folder, changes)
                keep = [self._folder, *self._present()]
                self._folders.switch(self._folder)
                self._folders.stop_building()
        except BaseException:
            self.abort()
            raise
        with self._held:
            self._folders.remove_others(*keep)
        return self._report()

    def abort(self) -> None:
        """Give up: the present index stays in use."""
        abandon(self._writer)
        self._folders.stop_building()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._held.close()

    def _present(self) -> list[Path]:
        try:
            return [self._folders.current()]
        except IndexMissing:
            return []


def write_journal(journal: Path, ops: Iterable[IndexOp]) -> None:
    """Note changes for the index that is being built."""
    with journal.open("a", encoding="utf-8") as file:
        for op in ops:
            file.write(json.dumps(_to_json(op)) + "\n")


def read_journal(journal: Path | None) -> list[IndexOp]:
    """Return the changes noted since the build began, in order."""
    if journal is None or not journal.exists():
        return []
    with journal.open(encoding="utf-8") as file:
        return [_from_json(json.loads(line)) for line in file]


def _to_json(op: IndexOp) -> dict[str, Any]:
    if op.doc is None:
        return {"key": op.key, "doc": None}
    doc = asdict(op.doc)
    for name in ("stem", "ident", "edge"):
        doc["tokens"][name] = sorted(doc["tokens"][name])
    return {"key": op.key, "doc": doc}


def _from_json(told: dict[str, Any]) -> IndexOp:
    doc = told["doc"]
    if doc is None:
        return IndexOp.delete(told["key"])
    tokens = doc.pop("tokens")
    doc["visibility"] = tuple(doc["visibility"])
    doc["tokens"] = DocumentTokens(
        title=tuple(tokens["title"]),
        surf=tuple(tokens["surf"]),
        stem=frozenset(tokens["stem"]),
        ident=frozenset(tokens["ident"]),
        edge=frozenset(tokens["edge"]),
    )
    return IndexOp.upsert(IndexDoc(**doc))
