"""Whoosh made safe and cheap: segments are not copied, and commits are durable.

Whoosh 2.7.4 copies every segment into each process (`BufferFile` wraps a `BytesIO`)
and never calls fsync. Both are cured here by subclasses, without touching the library.
"""

import io
import marshal
import os
import sys
import threading
import weakref
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import accumulate, chain, repeat
from operator import sub
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
    W3PerDocReader,
    W3PostingsWriter,
    W3Segment,
)

# How far the unpickler may look ahead: over the header of a block, not the segment.
_PEEK = 256


class OpenFile:
    """A file open for reading at any place, by any thread; closed with its last user.

    Reading leaves nothing in the process, unlike mapping, where every page of the index
    that was ever looked at counts as its memory, and where a file that is cut short
    under a reader ends the process.
    """

    def __init__(self, path: str) -> None:
        self._descriptor = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._descriptor)
        self.size = os.fstat(self._descriptor).st_size

    def read(self, start: int, length: int) -> bytes:
        """Return the bytes from a place on, fewer at the end."""
        return os.pread(self._descriptor, max(length, 0), start)


class _Place(threading.local):
    """Where this thread reads in a file."""

    at = 0


class PartReader:
    """A part of a file as a file of its own, with a position for each thread.

    Whoosh seeks and reads in two steps on files that all searches share; one common
    position would let two threads read each other's postings.
    """

    def __init__(self, source: OpenFile, start: int, length: int) -> None:
        self._source = source
        self._start = start
        self.length = length
        self._place = _Place()

    def at(self, place: int, size: int) -> bytes:
        """Return bytes from a place on without moving; fewer at the end."""
        return self._source.read(self._start + place, min(size, self.length - place))

    def read(self, size: int | None = -1) -> bytes:
        """Return the next bytes, all that are left for a negative size."""
        place = self._place.at
        found = self.at(place, self.length if size is None or size < 0 else size)
        self._place.at = place + len(found)
        return found

    def peek(self, size: int = 0) -> bytes:
        """Return some of the next bytes without moving; the unpickler's short cut."""
        return self.at(self._place.at, min(size, _PEEK))

    def readinto(self, target: memoryview) -> int:
        """Fill a buffer and return how many bytes there were."""
        found = self.read(len(target))
        target[: len(found)] = found
        return len(found)

    def readline(self) -> bytes:
        """Return the bytes up to and with the next line feed."""
        line = io.BytesIO(self.at(self._place.at, self.length)).readline()
        self._place.at += len(line)
        return line

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move this thread's position and return it."""
        base = (0, self._place.at, self.length)[whence]
        self._place.at = base + offset
        return self._place.at

    def tell(self) -> int:
        """Return this thread's position."""
        return self._place.at


class SharedFile(BufferFile):  # type: ignore[misc]  # Whoosh has no types
    """One file inside a segment; reading copies only what is asked for."""

    def __init__(self, part: PartReader, name: str | None = None) -> None:
        # Not the parent's constructor, whose copy of the buffer is the defect.
        self._part = part
        self._name = name
        self.file = part
        self.onclose = None
        self.is_real = False
        self.is_closed = False

    def get(self, position: int, length: int) -> bytes:
        """Return the bytes at a place; raises EOFError when the file ends before."""
        found = self._part.at(position, length)
        if len(found) != length:
            raise EOFError(f"{self._name} ends within {length} bytes at {position}")
        return found

    def close(self) -> None:
        """Mark it closed; the file itself closes with its last user."""
        self.is_closed = True


class SegmentStorage(CompoundStorage):  # type: ignore[misc]
    """The files of one segment, read from its one file on disk."""

    def __init__(self, path: str) -> None:
        self._whole = OpenFile(path)
        file = SharedFile(PartReader(self._whole, 0, self._whole.size), path)
        super().__init__(file, use_mmap=False)

    def open_file(self, name: str, *args: Any, **kwargs: Any) -> SharedFile:
        """Open one of the files; raises NameError for one that is not inside."""
        start, length = self.range(name)
        if start + length > self._whole.size:
            raise EOFError(f"{name} ends before its {length} bytes")
        return SharedFile(PartReader(self._whole, start, length), name)


class SharedSegment(W3Segment):  # type: ignore[misc]
    """A segment that is opened without copying it."""

    def open_compound_file(self, storage: FileStorage) -> SegmentStorage:
        """Return the files of the segment."""
        name = self.make_filename(self.COMPOUND_EXT)
        return SegmentStorage(os.path.join(storage.folder, name))


class CompactWriter(W3PostingsWriter):  # type: ignore[misc]
    """Writes blocks of postings that are unpacked only as far as they are needed."""

    def _mini_ids(self) -> bytes:
        """Return the distances between document numbers, four bytes each."""
        return _packed(self._ids)

    def _mini_values(self) -> bytes:
        """Return the positions as one object, which only a phrase has to open."""
        return marshal.dumps(tuple(self._values))


class BlockMatcher(W3LeafMatcher):  # type: ignore[misc]
    """The postings of a term, also readable by the block, four times as fast."""

    def _read_ids(self) -> None:
        if self._data is None:
            self._read_data()
        self._ids = _unpacked(self._data[0])

    def _read_values(self) -> None:
        if self._data is None:
            self._read_data()
        if self._fixedsize == 0:
            self._values = (b"",) * self._blocklength
        else:
            self._values = marshal.loads(self._data[2])  # noqa: S302

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


class DocumentReader(W3PerDocReader):  # type: ignore[misc]
    """Reads columns, and remembers which of them a segment does not have.

    Whoosh asks the file system for the length of every posting of a field without one.
    """

    def __init__(self, storage: FileStorage, segment: SharedSegment) -> None:
        super().__init__(storage, segment)
        self._has_column: dict[str, bool] = {}

    def has_column(self, fieldname: str) -> bool:
        """Tell whether the segment has a column of this name."""
        if fieldname not in self._has_column:
            self._has_column[fieldname] = bool(super().has_column(fieldname))
        return self._has_column[fieldname]


class CompactCodec(W3Codec):  # type: ignore[misc]
    """The format of Whoosh 3, written as ever and read through the classes above."""

    def new_segment(self, storage: FileStorage, indexname: str) -> SharedSegment:
        """Return the record of a segment to be written."""
        return SharedSegment(self, indexname)

    def per_document_reader(
        self, storage: FileStorage, segment: SharedSegment
    ) -> DocumentReader:
        """Return what reads the columns of a segment."""
        return DocumentReader(storage, segment)

    def postings_writer(
        self, dbfile: StructFile, byteids: bool = False
    ) -> CompactWriter:
        """Return what writes the postings of one term after the other."""
        return CompactWriter(
            dbfile, self._blocklimit, byteids, self._compression, self._inlinelimit
        )

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


def _packed(numbers: "array[int]") -> bytes:
    """Return the distances between rising numbers as bytes, low byte first."""
    distances = array("I", map(sub, numbers, chain((0,), numbers)))
    if sys.byteorder == "big":
        distances.byteswap()
    return distances.tobytes()


def _unpacked(packed: bytes) -> tuple[int, ...]:
    """Return the numbers whose distances were packed."""
    distances = array("I", packed)
    if sys.byteorder == "big":
        distances.byteswap()
    return tuple(accumulate(distances))


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

    def open_file(self, name: str, **kwargs: Any) -> StructFile:
        """Open a file for reading."""
        # Whoosh would leave a damaged table of contents open.
        if not name.endswith(".toc"):
            return super().open_file(name, **kwargs)
        content = (Path(self.folder) / name).read_bytes()
        return StructFile(io.BytesIO(content), name=name, **kwargs)

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
