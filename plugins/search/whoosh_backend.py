"""The default search engine: Whoosh, embedded, in one folder.

Readers never write and never lock. One writer at a time holds a lock; an index is
replaced by building another beside it and switching the pointer to it.
"""

import os
import pickle
import struct
import threading
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from plugins.search.backend import (
    IndexBroken,
    IndexMissing,
    IndexOp,
    IndexStats,
    Problem,
    SearchBackend,
    SearchPage,
    SearchRequest,
)
from plugins.search.whoosh_folder import (
    LOCK_PATIENCE,
    IndexFolder,
    IndexName,
    compare_with_manifest,
)
from plugins.search.whoosh_library import (
    FileFormatError,
    IndexVersionError,
    StorageError,
    TermNotFound,
    WhooshIndexError,
)
from plugins.search.whoosh_ranking import search_snapshot
from plugins.search.whoosh_reader import Snapshot, latest_generation, open_snapshot
from plugins.search.whoosh_schema import SCHEMA_VERSION
from plugins.search.whoosh_storage import DurableStorage
from plugins.search.whoosh_writing import (
    WhooshBuild,
    commit_ops,
    write_journal,
)

#: What reading a damaged index raises, as seen with truncated, zeroed, missing and
#: foreign files. Whoosh also raises a plain Exception for a block without its mark.
BROKEN_INDEX_ERRORS = (
    AssertionError,
    AttributeError,
    EOFError,
    FileFormatError,
    FileNotFoundError,
    ImportError,
    IndexError,
    IndexVersionError,
    LookupError,
    NameError,
    OverflowError,
    StorageError,
    TermNotFound,
    TypeError,
    ValueError,
    WhooshIndexError,
    pickle.UnpicklingError,
    struct.error,
    zlib.error,
)

# A folder changed less than this long ago (ns) may change again within the same tick
# of the file system's clock, so that its time alone proves nothing.
_SETTLED = 1_000_000_000
# A writer may remove files between their being named and opened.
_ATTEMPTS, _PAUSE = 20, 0.02


@dataclass(frozen=True, slots=True)
class _Opened:
    """The commit that searches use, and the state of the disk when it was opened."""

    folder: Path
    state: tuple[int, ...]
    settled: bool
    snapshot: Snapshot


class WhooshBackend(SearchBackend):
    """Whoosh 2.7.4 in `root`; safe to share between threads.

    `analysis_version` is `Analyser.version`: an index made with another one still
    answers, but `needs_build` says so. A writer waits `patience` seconds for another.
    """

    name = "whoosh"
    caps = frozenset({"phrase", "edge", "deadline"})

    def __init__(
        self, root: Path, *, analysis_version: str, patience: float = LOCK_PATIENCE
    ) -> None:
        self.root = root
        self._folders = IndexFolder(root, patience=patience)
        self._analysis_version = analysis_version
        self._opened: _Opened | None = None
        self._opening = threading.Lock()

    def search(self, request: SearchRequest) -> SearchPage:
        """Return one page of hits; a commit of the worker is seen at once."""
        try:
            with reading():
                return search_snapshot(self._snapshot(), request)
        except OSError as error:
            # A writer has to tell a full disk from a bad one; a reader has not.
            raise IndexBroken(str(error)) from error

    def words(self, beginning: str, *, shortest: int, longest: int) -> set[str]:
        """Return the words of all texts that begin so, deleted ones among them."""
        with reading():
            return {
                word
                for leaf in self._snapshot().leaves.values()
                for word in leaf.reader.tokens("surf", beginning)
                if shortest <= len(word) <= longest
            }

    def apply(self, ops: Sequence[IndexOp]) -> None:
        """Make the changes in one commit, and note them for an index being built."""
        if not ops:
            return
        with self._folders.writing():
            journal = self._folders.journal()
            if journal is not None:
                write_journal(journal, ops)
            try:
                folder = self._folders.current()
            except IndexMissing:
                if journal is not None:
                    return
                raise
            with reading():
                commit_ops(folder, ops, before=self._known(folder))

    def begin_build(self) -> WhooshBuild:
        """Start a new index; raises WriterBusy when another is being built."""
        return WhooshBuild(
            self._folders,
            schema=SCHEMA_VERSION,
            analysis=self._analysis_version,
            report=self.stats,
        )

    def needs_build(self) -> str | None:
        """Return "missing", "broken", "schema" or "analysis", or None."""
        try:
            folder = self._folders.current()
            name = IndexName.parse(folder.name)
        except (IndexMissing, ValueError):
            return "missing"
        if name.schema != SCHEMA_VERSION:
            return "schema"
        if self.verify():
            return "broken"
        return "analysis" if name.analysis != self._analysis_version else None

    def verify(self, *, quick: bool = True) -> list[Problem]:
        """Return what is wrong with the files; raises IndexMissing without an index."""
        for _ in range(_ATTEMPTS):
            folder = self._folders.current()
            try:
                state = self._state(folder)
                problems = self._compare(folder, quick=quick)
                if not problems or self._state(folder) == state:
                    break
            except FileNotFoundError as error:
                # Another index has just taken the place of this one.
                problems = [Problem(folder.name, str(error))]
            # Files that a commit removes while one looks are no fault.
            time.sleep(_PAUSE)
        return problems

    def _compare(self, folder: Path, *, quick: bool) -> list[Problem]:
        problems = compare_with_manifest(folder, quick=quick)
        if not problems:
            try:
                with reading():
                    self._open(folder, None)
            except IndexBroken as error:
                problems.append(Problem(folder.name, str(error)))
        return problems

    def revisions(self) -> Iterator[tuple[str, int]]:
        """Yield key and revision of every record, in no particular order."""
        with reading():
            for leaf in self._snapshot().leaves.values():
                live = leaf.live.to_bytes(leaf.reader.size, "little")
                for document, is_live in enumerate(live):
                    if is_live:
                        kept = leaf.reader.stored(document)
                        yield kept["key"], kept["rev"]

    def stats(self) -> IndexStats:
        """Return size, version and the number of records of each type."""
        with reading():
            snapshot = self._snapshot()
            folder = self._folders.current()
            name = IndexName.parse(folder.name)
            return IndexStats(
                name=folder.name,
                documents=snapshot.documents,
                segments=len(snapshot.leaves),
                generation=snapshot.generation,
                size=sum(path.stat().st_size for path in folder.iterdir()),
                schema_version=name.schema,
                analysis_version=name.analysis,
                counts=snapshot.counts("type"),
            )

    def optimise(self) -> None:
        """Join all segments, which also removes what was deleted from the disk."""
        with self._folders.writing():
            folder = self._folders.current()
            with reading():
                commit_ops(folder, (), before=self._known(folder), optimise=True)

    def _snapshot(self) -> Snapshot:
        """Return the newest commit, opened anew only when the disk has changed."""
        opened = self._opened
        if (
            opened is not None
            and opened.settled
            and self._state(opened.folder) == opened.state
        ):
            return opened.snapshot
        with self._opening:
            return self._refresh()

    def _refresh(self) -> Snapshot:
        for _ in range(_ATTEMPTS):
            folder = self._folders.current()
            state = self._state(folder)
            known = self._known(folder)
            if known is None and (
                problems := compare_with_manifest(folder, quick=True)
            ):
                raise IndexBroken("; ".join(f"{p.file}: {p.message}" for p in problems))
            try:
                snapshot = self._open(folder, known)
            except FileNotFoundError as error:
                missing = error
                time.sleep(_PAUSE)
                continue
            settled = time.time_ns() - max(state[1:]) > _SETTLED
            self._opened = _Opened(folder, state, settled, snapshot)
            return snapshot
        raise missing

    def _open(self, folder: Path, known: Snapshot | None) -> Snapshot:
        storage = DurableStorage(folder)
        generation = latest_generation(storage)
        if generation < 0:
            raise IndexBroken("The search index has no table of contents")
        if known is not None and known.generation == generation:
            return known
        return open_snapshot(storage, generation, known)

    def _known(self, folder: Path) -> Snapshot | None:
        opened = self._opened
        return (
            opened.snapshot if opened is not None and opened.folder == folder else None
        )

    def _state(self, folder: Path) -> tuple[int, ...]:
        pointer = os.stat(self._folders.pointer)
        return pointer.st_ino, pointer.st_mtime_ns, os.stat(folder).st_mtime_ns


@contextmanager
def reading() -> Iterator[None]:
    """Turn what a damaged index raises into IndexBroken."""
    try:
        yield
    except BROKEN_INDEX_ERRORS as error:
        raise IndexBroken(f"{type(error).__name__}: {error}") from error
    except Exception as error:
        if type(error) is Exception:
            raise IndexBroken(str(error)) from error
        raise
