"""Files people upload, kept under the SHA-256 of their content.

The same content is stored once, and a stored file never changes: what is at a hash is
that content or nothing. Bytes are stored before the transaction that mentions them
commits; a job removes the hashes that no row mentions.
"""

import errno
import fcntl
import hashlib
import logging
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from flask import Flask, current_app

from core.errors import NotFound, TooLarge, Unavailable
from core.i18n import _

logger = logging.getLogger(__name__)

_CHUNK = 1024 * 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Readable(Protocol):
    """What can be stored: an upload, an open file, bytes in memory."""

    def read(self, size: int, /) -> bytes:
        """Give at most `size` bytes, none at the end."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file in the store: the hash of its content, and its size in bytes."""

    sha256: str
    size: int


class FileStore:
    """Files in a folder, any number of processes and hosts sharing it at once.

    The content of hash `aabb…` is at `aa/bb/aabb…`. Files on their way in are in
    `incoming/`, on the same file system, so that a rename makes them whole at once.
    """

    def __init__(self, root: Path):
        """Keep files under `root`; it is made when the first file comes."""
        self.root = root
        self._incoming = root / "incoming"

    def put(self, stream: Readable, *, limit: int | None) -> StoredFile:
        """Store what `stream` still holds; on return it is safe on the disk.

        Raises `TooLarge` past `limit` bytes, and `Unavailable` when the disk is full;
        both leave nothing behind.
        """
        try:
            with self._incoming_file() as (file, path):
                stored = _copy(stream, file, limit)
                self._keep(path, stored)
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            logger.exception("No room for a file under %s", self.root)
            raise Unavailable(
                _("There is no room for this file. Tell your administrator.")
            ) from error
        return stored

    def open(self, sha256: str) -> BinaryIO:
        """Open a stored file to read; raises `NotFound`."""
        try:
            return self._path(sha256).open("rb")
        except FileNotFoundError as error:
            raise _not_here() from error

    def path(self, sha256: str) -> Path:
        """Say where a stored file is, for programs that need a path: `NotFound`."""
        path = self._path(sha256)
        if not path.is_file():
            raise _not_here()
        return path

    def exists(self, sha256: str) -> bool:
        """Say whether content of this hash is stored."""
        return bool(_SHA256.fullmatch(sha256)) and self._path(sha256).is_file()

    def verify(self, sha256: str) -> bool:
        """Read a stored file and say whether it is what its hash promises."""
        if not self.exists(sha256):
            return False
        with self._path(sha256).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256

    def remove(self, sha256: str, *, stored_before: datetime | None = None) -> bool:
        """Remove content, and say whether it was removed; twice is harmless.

        With `stored_before`, content that somebody stored at that time or later stays:
        the row that mentions it may not be committed yet.
        """
        path = self._path(sha256)
        with self._lock():
            try:
                stored_at = path.stat().st_mtime
            except FileNotFoundError:
                return False
            if stored_before is not None and stored_at >= stored_before.timestamp():
                return False
            path.unlink()
        _sync_folder(path.parent)
        return True

    def hashes(self) -> Iterator[str]:
        """Name all content in the store, in order."""
        for path in sorted(self.root.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]")):
            yield from sorted(
                file.name for file in path.iterdir() if _SHA256.fullmatch(file.name)
            )

    def remove_unfinished(self, *, started_before: datetime) -> int:
        """Remove what a killed process left half-written, and say how many files."""
        removed = 0
        for path in self._incoming.glob("*.part"):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < started_before.timestamp():
                    path.unlink()
                    removed += 1
        return removed

    def _path(self, sha256: str) -> Path:
        # A hash may come from an address: nothing else may become a path.
        if not _SHA256.fullmatch(sha256):
            raise _not_here()
        return self.root / sha256[:2] / sha256[2:4] / sha256

    @contextmanager
    def _incoming_file(self) -> Iterator[tuple[BinaryIO, Path]]:
        """Open a file that is removed unless it was renamed before the end."""
        _make_folder(self._incoming)
        number, name = tempfile.mkstemp(suffix=".part", dir=self._incoming)
        path = Path(name)
        try:
            with os.fdopen(number, "wb") as file:
                yield cast(BinaryIO, file), path
        finally:
            path.unlink(missing_ok=True)

    def _keep(self, path: Path, stored: StoredFile) -> None:
        target = self._path(stored.sha256)
        _make_folder(target.parent)
        with self._lock():
            # Also when the content is there already: that heals a damaged file, and
            # the new date keeps the job that removes forgotten content away.
            path.replace(target)
        _sync_folder(target.parent)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Let nobody store content in the moment between looking and removing."""
        _make_folder(self._incoming)
        with (self._incoming / "lock").open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def init_files(app: Flask) -> None:
    """Give `app` its store, in the folder that `FILES_FOLDER` names."""
    app.extensions["rapport_files"] = FileStore(Path(app.config["FILES_FOLDER"]))


def file_store() -> FileStore:
    """Give the store of the current app."""
    return cast(FileStore, current_app.extensions["rapport_files"])


def _not_here() -> NotFound:
    return NotFound(_("This file is not here any more. Tell your administrator."))


def _too_large(limit: int) -> TooLarge:
    size = f"{limit / 1_000_000:.1f}".removesuffix(".0")
    return TooLarge(
        _("This file is larger than %(size)s MB. Use a smaller one.", size=size)
    )


def _copy(stream: Readable, file: BinaryIO, limit: int | None) -> StoredFile:
    digest = hashlib.sha256()
    size = 0
    while chunk := stream.read(_CHUNK):
        size += len(chunk)
        if limit is not None and size > limit:
            raise _too_large(limit)
        digest.update(chunk)
        file.write(chunk)
    file.flush()
    os.fsync(file.fileno())
    return StoredFile(digest.hexdigest(), size)


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it, so that they outlive a power failure."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
