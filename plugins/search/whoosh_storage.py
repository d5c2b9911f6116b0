"""Files for Whoosh: segments are read without copying them, commits are durable.

Whoosh 2.7.4 copies every segment into each process (`BufferFile` wraps a `BytesIO`)
and never calls fsync. Both are cured here by subclasses, without touching the library.
"""

import io
import os
import threading
import weakref
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from plugins.search.whoosh_library import (
    BufferFile,
    CompoundStorage,
    FileStorage,
    StructFile,
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


class DurableStorage(FileStorage):  # type: ignore[misc]
    """A folder in which a commit survives a power cut.

    New files are flushed before the table of contents that names them is renamed into
    place, and the folder after it.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self._unflushed: set[str] = set()
        self._files: list[IO[bytes]] = []
        self._scratch: list[DurableStorage] = []

    def create(self) -> "DurableStorage":
        """Make the folder; without the parent's exception for one that is there.

        The parent keeps it, and with it everything that its callers have open.
        """
        os.makedirs(self.folder, exist_ok=True)
        return self

    def temp_storage(self, name: str | None = None) -> "DurableStorage":
        """Return a folder for temporary files inside this one."""
        scratch = DurableStorage(Path(self.folder) / (name or "scratch.tmp"))
        self._scratch.append(scratch)
        scratch.create()
        return scratch

    def close_files(self) -> None:
        """Close what a writer that failed has left open, on a full disk also."""
        for scratch in self._scratch:
            scratch.close_files()
        for file in self._files:
            # What cannot be flushed belongs to a commit that will not be.
            with suppress(OSError):
                file.close()

    def _opened(self, file: StructFile) -> StructFile:
        self._files = [kept for kept in self._files if not kept.closed]
        self._files.append(file.file)
        return file

    def open_file(self, name: str, **kwargs: Any) -> StructFile:
        """Open a file for reading."""
        # Whoosh would leave a damaged table of contents open.
        if not name.endswith(".toc"):
            return self._opened(super().open_file(name, **kwargs))
        content = (Path(self.folder) / name).read_bytes()
        return StructFile(io.BytesIO(content), name=name, **kwargs)

    def create_file(self, name: str, **kwargs: Any) -> StructFile:
        """Create a file and remember to flush it."""
        self._unflushed.add(name)
        return self._opened(super().create_file(name, **kwargs))

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
