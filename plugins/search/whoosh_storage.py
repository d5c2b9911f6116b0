"""Whoosh made safe and cheap: segments are mapped, not copied; commits are durable.

Whoosh 2.7.4 copies every segment into each process (`BufferFile` wraps a `BytesIO`)
and never calls fsync. Both are cured here by subclasses, without touching the library.
"""

import io
import os
import threading
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

from plugins.search.whoosh_library import (
    BufferFile,
    Column,
    CompoundStorage,
    FileStorage,
    StructFile,
    W3Codec,
    W3LeafMatcher,
    W3Segment,
)

# How much the unpickler may look ahead: a block's header, not the whole segment.
_PEEK = 256


class _Place(threading.local):
    """Where this thread reads in a file."""

    at = 0


class MappedBytes:
    """A readable file over mapped memory, with a position for each thread.

    Whoosh seeks and reads in two steps on files that all searches share; one common
    position would let two threads read each other's postings.
    """

    def __init__(self, view: memoryview) -> None:
        self._view = view
        self._place = _Place()

    def read(self, size: int | None = -1) -> bytes:
        """Return the next bytes, all that are left for a negative size."""
        start = self._place.at
        end = len(self._view) if size is None or size < 0 else start + size
        found = bytes(self._view[start:end])
        self._place.at = start + len(found)
        return found

    def peek(self, size: int = 0) -> bytes:
        """Return some of the next bytes without moving; the unpickler's short cut."""
        start = self._place.at
        return bytes(self._view[start : start + min(size, _PEEK)])

    def readinto(self, target: memoryview) -> int:
        """Fill a buffer and return how many bytes there were."""
        found = self.read(len(target))
        target[: len(found)] = found
        return len(found)

    def readline(self) -> bytes:
        """Return the bytes up to and with the next line feed."""
        start = self._place.at
        line = io.BytesIO(self._view[start:]).readline()
        self._place.at = start + len(line)
        return line

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move this thread's position and return it."""
        base = (0, self._place.at, len(self._view))[whence]
        self._place.at = base + offset
        return self._place.at

    def tell(self) -> int:
        """Return this thread's position."""
        return self._place.at


class MappedFile(BufferFile):  # type: ignore[misc]  # Whoosh has no types
    """One file inside a mapped segment; reading copies only what is asked for."""

    def __init__(self, view: memoryview, name: str | None = None) -> None:
        # Not the parent's constructor, whose copy of the buffer is the defect.
        self._buf = view
        self._name = name
        self.file = MappedBytes(view)
        self.onclose = None
        self.is_real = False
        self.is_closed = False

    def subset(self, position: int, length: int, name: str | None = None) -> BufferFile:
        """Return a part as a file of its own, over the same memory."""
        part = self._buf[position : position + length]
        return MappedFile(part, name or self._name)


class MappedStorage(CompoundStorage):  # type: ignore[misc]
    """The files of one segment, mapped into memory."""

    def open_file(self, name: str, *args: Any, **kwargs: Any) -> StructFile:
        """Open one of the files; raises NameError for one that is not inside."""
        if not self._source:
            return super().open_file(name, *args, **kwargs)
        start, length = self.range(name)
        view = memoryview(self._source)[start : start + length]
        if len(view) != length:
            raise EOFError(f"{name} ends before its {length} bytes")
        return MappedFile(view, name)


class MappedSegment(W3Segment):  # type: ignore[misc]
    """A segment that is opened without copying it."""

    def open_compound_file(self, storage: FileStorage) -> CompoundStorage:
        """Return the files of the segment."""
        name = self.make_filename(self.COMPOUND_EXT)
        return MappedStorage(storage.open_file(name), use_mmap=storage.supports_mmap)


class BlockMatcher(W3LeafMatcher):  # type: ignore[misc]
    """The postings of a term, also readable by the block, four times as fast."""

    def blocks(self) -> Iterator[tuple[tuple[int, ...], Iterable[float]]]:
        """Yield document numbers and weights of each block, from the present one."""
        while not self._atend:
            if self._ids is None:
                self._read_ids()
            weights = self._data[1]
            if weights is None:
                weights = repeat(1.0)
            elif isinstance(weights, float):
                weights = repeat(weights)
            yield self._ids, weights
            self._next_block()

    def find(self, documents: Iterable[int]) -> Iterator[tuple[int, float]]:
        """Yield those of the documents, given in order, that have the term.

        Blocks without any of them stay packed.
        """
        for document in documents:
            if self._atend:
                return
            if self._maxid < document:
                self._skip_to_block(lambda least=document: self._maxid < least)
                if self._atend:
                    return
            if self._ids is None:
                self._read_ids()
            place = bisect_left(self._ids, document)
            if self._ids[place] == document:
                self._i = place
                yield document, self.weight()

    def marked(self, mask: bytes) -> Iterator[tuple[int, float]]:
        """Yield document and weight of each posting whose document is marked."""
        while not self._atend:
            if self._ids is None:
                self._read_ids()
            for place, document in enumerate(self._ids):
                if mask[document]:
                    self._i = place
                    yield document, self.weight()
            self._next_block()

    def positions(self) -> list[int]:
        """Return the places of the word in the document found last."""
        places: list[int] = self.value_as("positions")
        return places


class MappedCodec(W3Codec):  # type: ignore[misc]
    """The format of Whoosh 3, written as ever and read through the classes above."""

    def new_segment(self, storage: FileStorage, indexname: str) -> MappedSegment:
        """Return the record of a segment to be written."""
        return MappedSegment(self, indexname)

    def postings_reader(  # noqa: D102  (as in the parent)
        self,
        dbfile: StructFile,
        terminfo: Any,
        format_: Any,
        term: tuple[str, bytes] | None = None,
        scorer: Any = None,
    ) -> BlockMatcher:
        offset, length = terminfo.extent()
        return BlockMatcher(dbfile, offset, length, format_, term=term, scorer=scorer)


class RawColumn(Column):  # type: ignore[misc]
    """Reads a column of fixed-size numbers as the bytes that are on disk."""

    def reader(
        self, dbfile: StructFile, basepos: int, length: int, doccount: int
    ) -> bytes:
        """Return the bytes; documents at the end without a value have none."""
        return bytes(dbfile.get(basepos, length))


class DurableStorage(FileStorage):  # type: ignore[misc]
    """A folder in which a commit survives a power cut.

    New files are flushed before the table of contents that names them is renamed into
    place, and the folder after it.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self._unflushed: set[str] = set()

    def create_file(self, name: str, **kwargs: Any) -> StructFile:
        """Create a file and remember to flush it."""
        self._unflushed.add(name)
        return super().create_file(name, **kwargs)

    def rename_file(self, oldname: str, newname: str, safe: bool = False) -> None:
        """Rename a file; for a table of contents this is the moment of the commit."""
        is_commit = newname.endswith(".toc")
        if is_commit:
            for name in sorted(self._unflushed | {oldname}):
                flush(Path(self.folder) / name)
            self._unflushed.clear()
        super().rename_file(oldname, newname, safe)
        if is_commit:
            flush(Path(self.folder))


def flush(path: Path) -> None:
    """Wait until a file or folder is on the disk; one already gone needs nothing."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
