"""The folder of the Whoosh engine: which index is in use, and who may write it.

<root>/CURRENT                        the name of the index in use
<root>/BUILDING                       the name of the one being built, if any
<root>/WRITER.lock, BUILD.lock        held (flock) while writing, while building
<root>/<schema>-<analysis>-<stamp>/   an index, with its MANIFEST.json
"""

import fcntl
import json
import logging
import os
import shutil
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from plugins.search.backend import IndexMissing, Problem, WriterBusy
from plugins.search.whoosh_storage import flush

logger = logging.getLogger(__name__)

#: How long a writer waits for another one, and how often it asks, in seconds.
LOCK_PATIENCE, LOCK_INTERVAL = 30.0, 0.05
MANIFEST = "MANIFEST.json"
JOURNAL = "JOURNAL"
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class IndexName:
    """The name of an index: what it was made with, and when."""

    schema: str
    analysis: str
    stamp: str

    @classmethod
    def parse(cls, name: str) -> "IndexName":
        """Read a name back; raises ValueError for anything else."""
        schema, analysis, stamp = name.split("-")
        return cls(schema, analysis, stamp)

    def __str__(self) -> str:
        return f"{self.schema}-{self.analysis}-{self.stamp}"


class IndexFolder:
    """The indexes of one deployment on disk."""

    def __init__(self, root: Path, *, patience: float = LOCK_PATIENCE) -> None:
        self.root = root
        self._patience = patience

    @property
    def pointer(self) -> Path:
        """Return the file that names the index in use."""
        return self.root / "CURRENT"

    def current(self) -> Path:
        """Return the index in use; raises IndexMissing when there is none."""
        try:
            name = self.pointer.read_text(encoding="ascii").strip()
        except (FileNotFoundError, UnicodeDecodeError) as error:
            raise IndexMissing("There is no search index yet") from error
        if not name or "/" in name or not (self.root / name).is_dir():
            raise IndexMissing(f"The search index {name!r} is not there")
        return self.root / name

    def create(self, schema: str, analysis: str) -> Path:
        """Make the folder of a new index and return it."""
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        folder = self.root / str(IndexName(schema, analysis, stamp))
        folder.mkdir(parents=True)
        return folder

    def switch(self, folder: Path) -> None:
        """Use another index from now on; a power cut leaves the old or the new one."""
        self._write_durably(self.pointer, folder.name)

    def remove_others(self, *keep: Path) -> None:
        """Remove indexes that nobody goes back to; open ones stay readable."""
        names = {path.name for path in keep}
        for folder in self.root.iterdir():
            if folder.is_dir() and folder.name not in names and _is_index(folder.name):
                shutil.rmtree(folder)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Be the only writer; raises WriterBusy when another does not finish."""
        with self._locked("WRITER.lock", self._patience):
            yield

    @contextmanager
    def building(self, patience: float = 1.0) -> Iterator[None]:
        """Be the only one who builds; raises WriterBusy after `patience` seconds."""
        with self._locked("BUILD.lock", patience):
            yield

    def start_building(self, folder: Path) -> None:
        """Tell writers to keep a journal for the index being built."""
        self._write_durably(self.root / "BUILDING", folder.name)

    def stop_building(self) -> None:
        """Tell writers that no index is being built any more."""
        (self.root / "BUILDING").unlink(missing_ok=True)

    def journal(self) -> Path | None:
        """Return where changes are noted for the index being built, if one is.

        What a builder that died has left is removed.
        """
        folder = self._unfinished()
        if folder is None:
            return None
        try:
            with self.building(patience=0.0):
                self.clear_unfinished()
                return None
        except WriterBusy:
            return folder / JOURNAL

    def clear_unfinished(self) -> None:
        """Remove what a builder that died has left; call it while `building`."""
        folder = self._unfinished()
        if folder is not None:
            logger.warning("An unfinished search index is removed: %s", folder.name)
            shutil.rmtree(folder, ignore_errors=True)
            self.stop_building()

    def _unfinished(self) -> Path | None:
        try:
            name = (self.root / "BUILDING").read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return None
        return self.root / name if _is_index(name) else None

    @contextmanager
    def _locked(self, name: str, patience: float) -> Iterator[None]:
        self.root.mkdir(parents=True, exist_ok=True)
        until = time.monotonic() + patience
        descriptor = os.open(self.root / name, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError as error:
                    if time.monotonic() >= until:
                        raise WriterBusy(
                            f"Another process has been writing the search index"
                            f" for more than {patience:.0f} seconds"
                        ) from error
                    time.sleep(LOCK_INTERVAL)
            yield
        finally:
            # Closing releases the lock; so does the kernel when the process dies.
            os.close(descriptor)

    def _write_durably(self, path: Path, text: str) -> None:
        fresh = path.with_suffix(".new")
        fresh.write_text(text, encoding="ascii")
        flush(fresh)
        os.replace(fresh, path)
        flush(self.root)


def write_manifest(folder: Path, generation: int, documents: int) -> None:
    """Note size and CRC-32 of every file of a commit; unchanged files are not read."""
    known = read_manifest(folder).get("files", {})
    files: dict[str, dict[str, int]] = {}
    for name in _files_of(folder):
        size = (folder / name).stat().st_size
        if name in known and known[name]["size"] == size:
            files[name] = known[name]
        else:
            with (folder / name).open("rb") as file:
                files[name] = {"size": size, "crc32": _checksum(file)}
    fresh = folder / f"{MANIFEST}.new"
    content = {"generation": generation, "documents": documents, "files": files}
    fresh.write_text(json.dumps(content), encoding="ascii")
    os.replace(fresh, folder / MANIFEST)


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of an index, empty when it has none that is readable."""
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def compare_with_manifest(folder: Path, *, quick: bool) -> list[Problem]:
    """Return which files are not as they were written; quick looks at sizes only.

    Files of a commit after the manifest, which a killed writer leaves, are not known
    to it; files of an older one that the commit removed are no fault either.
    """
    manifest = read_manifest(folder)
    if not manifest:
        return [] if quick else [Problem(MANIFEST, "The list of files is missing")]
    is_latest = any(
        name == f"_MAIN_{manifest['generation']}.toc" for name in _files_of(folder)
    )
    problems = []
    with ExitStack() as held:
        # All are opened first: what a commit removes meanwhile can still be read.
        opened: dict[str, BinaryIO] = {}
        for name in manifest["files"]:
            try:
                opened[name] = held.enter_context((folder / name).open("rb"))
            except FileNotFoundError:
                if is_latest:
                    problems.append(Problem(name, "The file is missing"))
        for name, file in opened.items():
            told, size = manifest["files"][name], os.fstat(file.fileno()).st_size
            if size != told["size"]:
                message = f"The file has {size} bytes instead of {told['size']}"
                problems.append(Problem(name, message))
            elif not quick and _checksum(file) != told["crc32"]:
                problems.append(Problem(name, "The content is not what was written"))
    return problems


def _files_of(folder: Path) -> list[str]:
    """Return the names of tables of contents and segments."""
    return sorted(path.name for path in folder.iterdir() if path.suffix in _SUFFIXES)


_SUFFIXES = {".toc", ".seg"}


def _checksum(file: BinaryIO) -> int:
    crc = 0
    while chunk := file.read(_CHUNK):
        crc = zlib.crc32(chunk, crc)
    return crc


def _is_index(name: str) -> bool:
    return name.count("-") == 2
