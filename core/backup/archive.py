"""The file of a backup: a ZIP that is looked through before anything of it is used.

`rapport.json` says what is in it, `tables/NAME.jsonl` holds a table, `files/SHA256` an
uploaded file, `instance/` the settings. A truncated ZIP has lost its table of contents,
a damaged one fails its checksums, and no other name than these is taken.
"""

import hashlib
import json
import os
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from core.backup.values import Kind

FORMAT = 1
SETTINGS = ("config.py", "secret_key")
_CHUNK = 1024 * 1024
_CONTENTS = "rapport.json"
_NAMES = re.compile(
    r"rapport\.json|tables/[A-Za-z0-9_]+\.jsonl|files/[0-9a-f]{64}"
    r"|instance/(config\.py|secret_key)"
)

T = TypeVar("T")
# Shows how far `items` have come while they are gone through: (label, items) → items.
Watch = Callable[[str, list[Any]], Iterable[Any]]


def unwatched(_label: str, items: list[T]) -> Iterable[T]:
    """Go through `items` without showing how far one is."""
    return items


class BackupError(ValueError):
    """A backup cannot be made or used; the message says why, in one sentence."""


@dataclass(frozen=True)
class TableInside:
    """A table in a backup: its columns in order, and what makes it whole."""

    name: str
    lineage: str
    columns: dict[str, Kind]
    rows: int
    sha256: str
    last_id: int | None


@dataclass
class Contents:
    """What a backup says of itself."""

    rapport: str
    made_at: str
    database: str
    lineages: dict[str, str]
    tables: list[TableInside] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    settings: list[str] = field(default_factory=list)
    format: int = FORMAT


class Writer:
    """A backup under construction."""

    def __init__(self, file: BinaryIO) -> None:
        """Write to `file`, which must be able to seek."""
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=5)

    def add_rows(self, name: str, rows: Iterable[list[Any]]) -> tuple[int, str]:
        """Add a table; give the number of its rows, and the hash of what it became."""
        digest, count = hashlib.sha256(), 0
        with self._zip.open(f"tables/{name}.jsonl", "w", force_zip64=True) as member:
            for row in rows:
                line = json.dumps(row, ensure_ascii=False).encode() + b"\n"
                digest.update(line)
                member.write(line)
                count += 1
        return count, digest.hexdigest()

    def add_stream(self, name: str, stream: BinaryIO) -> None:
        """Add what `stream` holds, piece by piece."""
        with self._zip.open(name, "w", force_zip64=True) as member:
            while chunk := stream.read(_CHUNK):
                member.write(chunk)

    def close(self, contents: Contents) -> None:
        """Say what is inside; without this it is no backup."""
        self._zip.writestr(_CONTENTS, json.dumps(asdict(contents), indent=1))
        self._zip.close()

    def abandon(self) -> None:
        """Let go of the file of a backup that failed; the disk may be full."""
        with suppress(OSError):
            self._zip.close()


@contextmanager
def new_archive(path: Path) -> Iterator[tuple[Writer, BinaryIO]]:
    """Write a backup that is at `path` when it is whole, and only its owner reads.

    Raises `BackupError` when something is there already.
    """
    if path.is_dir() or (path.exists() and path.stat().st_size):
        raise BackupError(f"{path} is there already: choose another name.")
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    number = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(number, "w+b") as file:
            writer = Writer(file)
            try:
                yield writer, file
            except BaseException:
                writer.abandon()
                raise
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


class Archive:
    """A backup that was found whole."""

    def __init__(self, file: zipfile.ZipFile, contents: Contents) -> None:
        """Read what `contents` says is in `file`."""
        self._zip = file
        self.contents = contents

    def rows(self, name: str) -> Iterator[list[Any]]:
        """Give the rows of a table."""
        with self._zip.open(f"tables/{name}.jsonl") as member:
            yield from map(json.loads, member)

    @contextmanager
    def stream(self, name: str) -> Iterator[Any]:
        """Open a file inside."""
        with self._zip.open(name) as member:
            yield member


@contextmanager
def whole_archive(path: Path, watch: Watch = unwatched) -> Iterator[Archive]:
    """Open a backup after reading all of it once; raises `BackupError`."""
    try:
        with zipfile.ZipFile(path) as file:
            archive = _looked_through(path, file, watch)
            yield archive
    except zipfile.BadZipFile as error:
        raise BackupError(f"{path} is no backup, or not a whole one.") from error


def _looked_through(path: Path, file: zipfile.ZipFile, watch: Watch) -> Archive:
    counts = Counter(one.filename for one in file.infolist())
    for name, count in counts.items():
        if count > 1 or not _NAMES.fullmatch(name):
            raise BackupError(f"{path} is no backup of Rapport: {name!r} is in it.")
    contents = _contents(path, file)
    expected = {f"tables/{one.name}.jsonl": one.sha256 for one in contents.tables}
    expected |= {f"files/{one}": one for one in contents.files}
    named = set(expected) | {f"instance/{one}" for one in contents.settings}
    if named | {_CONTENTS} != set(counts):
        raise BackupError(f"{path} is damaged: it does not hold what it says.")
    try:
        for name in watch("Checking", sorted(named)):
            with file.open(name) as member:
                found = hashlib.file_digest(member, "sha256").hexdigest()  # type: ignore[arg-type]
            if found != expected.get(name, found):
                raise BackupError(f"{path} is damaged: {name} is not what it was.")
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise BackupError(f"{path} is damaged: it cannot be read.") from error
    return Archive(file, contents)


def _contents(path: Path, file: zipfile.ZipFile) -> Contents:
    try:
        said = json.loads(file.read(_CONTENTS))
        if said["format"] > FORMAT:
            raise BackupError(f"{path} was made by a newer Rapport: install that.")
        tables = [TableInside(**one) for one in said.pop("tables")]
        return Contents(**said, tables=tables)
    except BackupError:
        raise
    except (KeyError, TypeError, ValueError, zlib.error, zipfile.BadZipFile) as error:
        raise BackupError(f"{path} is no backup of Rapport.") from error
