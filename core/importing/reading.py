"""Tables from files: CSV in any charset and condition, workbooks, and JSON."""

import codecs
import csv
import hashlib
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import count
from pathlib import Path
from typing import IO, Any, TypeAlias

from charset_normalizer import from_bytes
from python_calamine import CalamineError, CalamineWorkbook

from core.errors import Invalid
from core.i18n import _
from core.importing.objects import is_array, names_in, read_objects, rows_in
from core.importing.sniffing import is_workbook
from core.importing.values import as_written

# Text, but for what a JSON file nests or counts.
Cells: TypeAlias = dict[str, Any]

# The whole file was seen to be UTF-8; a byte-order mark is not text.
UTF8 = "utf-8-sig"
DELIMITERS = (",", ";", "\t", "|")
BLOCK = 1 << 20
# What a charset is guessed from, around the first bytes that are not UTF-8.
SAMPLE = 64 * 1024
# A quotation mark that never closes would swallow the file; this ends it.
MOST_LINES = 1000


@dataclass(frozen=True)
class TableRow:
    """One row of a file: its line, its cells by heading, or why it cannot be read.

    `part` is how much of the file lies behind it, from 0 to 1.
    """

    line: int
    cells: Cells
    part: float
    problem: str | None = None


@dataclass(frozen=True)
class Table:
    """A file that rows can be read from, any number of times."""

    path: Path
    headings: tuple[str, ...]
    charset: str = ""
    delimiter: str = ""
    name: str = ""
    # A JSON file: its rows are objects, and its line is where ours would stand.
    objects: bool = False

    def rows(self) -> Iterator[TableRow]:
        """Read the rows below the headings, one at a time; empty ones are left out."""
        if self.objects:
            yield from _objects(self)
            return
        if not self.delimiter:
            yield from _sheet_rows(self)
            return
        with self.path.open(
            encoding=self.charset, errors="replace", newline=""
        ) as file:
            yield from _csv_rows(self, file)


def open_table(
    path: Path,
    *,
    charset: str | None = None,
    delimiter: str | None = None,
    name: str = "",
) -> Table:
    """Look at a file: its charset, its delimiter, its headings.

    `name` is what people call it, if not as its path does. Raises `Invalid` when it is
    not a table or has no headings.
    """
    if not path.is_file():
        raise Invalid(_("There is no file %(path)s.", path=str(path)))
    name = name or path.name
    if is_workbook(path, name):
        return Table(path, _headings(name, next(_sheet(path, name), [])), name=name)
    if is_array(path):
        names = names_in(read_objects(path, name))
        return Table(path, _headings(name, names), name=name, objects=True)
    charset = charset or find_charset(path)
    try:
        first = {one: _first_row(path, charset, one) for one in DELIMITERS}
    except (LookupError, UnicodeError) as error:
        # An unknown name, or no byte-order mark where there must be one.
        raise Invalid(
            _("%(file)s is not text in %(charset)s.", file=name, charset=charset)
        ) from error
    delimiter = delimiter or max(DELIMITERS, key=lambda one: len(first[one]))
    cells = first.get(delimiter) or _first_row(path, charset, delimiter)
    return Table(path, _headings(name, cells), charset, delimiter, name)


def _first_row(path: Path, charset: str, delimiter: str) -> list[str]:
    with path.open(encoding=charset, errors="replace", newline="") as file:
        try:
            rows = csv.reader(_Lines(file), delimiter=delimiter, strict=True)
            return next(rows, [])
        except csv.Error:
            return []


def hash_of(path: Path) -> str:
    """Give the SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def find_charset(path: Path) -> str:
    """Say how a file's text is written: UTF-8 if all of it is, else the best guess."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    before = b""
    with path.open("rb") as file:
        start = file.read(4)
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        file.seek(0)
        while block := file.read(BLOCK):
            try:
                decoder.decode(block)
            except UnicodeDecodeError as error:
                # The decoder counts from the bytes it had kept of the last block.
                at = max(error.start - SAMPLE // 2, 0)
                return _guess(before[-SAMPLE:] + block[at : at + SAMPLE])
            before = block
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return _guess(before[-SAMPLE:])
    return UTF8


def _guess(sample: bytes) -> str:
    best = from_bytes(sample).best()
    return best.encoding if best else "cp1252"


def _headings(file: str, cells: list[str]) -> tuple[str, ...]:
    """Name the columns; the second of one name gets a number."""
    names: list[str] = []
    for cell in cells:
        name = re.sub(r"\s+", " ", cell).strip()
        numbered = (f"{name} {n}" for n in count(2))
        names.append(
            name
            if name not in names or not name
            else next(one for one in numbered if one not in names)
        )
    while names and not names[-1]:
        names.pop()
    if not names:
        raise Invalid(_("%(file)s has no headings in its first line.", file=file))
    return tuple(names)


class _Lines:
    """Lines of a file that can be given back, and their numbers."""

    def __init__(self, file: IO[str]):
        self._file = file
        self._back: deque[str] = deque()
        self.taken: list[str] = []
        self.number = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if len(self.taken) >= MOST_LINES:
            raise csv.Error
        line = self._back.popleft() if self._back else self._file.readline(BLOCK)
        if not line:
            raise StopIteration
        self.taken.append(line)
        self.number += 1
        return line

    def give_back(self) -> None:
        """Keep the first line of what was taken, read the others again."""
        self._back.extendleft(reversed(self.taken[1:]))
        self.number -= len(self.taken) - 1


def _csv_rows(table: Table, file: IO[str]) -> Iterator[TableRow]:
    lines = _Lines(file)
    reader = csv.reader(lines, delimiter=table.delimiter, strict=True)
    size = max(table.path.stat().st_size, 1)
    next(reader)
    while True:
        lines.taken.clear()
        line = lines.number + 1
        problem = None
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            cells, problem = [], _quoting()
        if not problem and not any(cells):
            continue
        if not problem:
            problem = _misfit(table, cells)
        if problem:
            # A stray quotation mark swallows the lines after it: refuse the first
            # alone, so that the rest still come in.
            lines.give_back()
            cells = next(csv.reader(lines.taken[:1], delimiter=table.delimiter))
        # What the decoder has read ahead is at most a few kilobytes.
        part = min(file.buffer.tell() / size, 1.0)  # type: ignore[attr-defined]
        # What our own export made harmless for spreadsheets means what it meant.
        cells = [as_written(cell) for cell in cells]
        yield _row(table, line, cells, part, problem)


def _row(
    table: Table, line: int, cells: list[str], part: float, problem: str | None = None
) -> TableRow:
    named = dict(zip(table.headings, cells, strict=False))
    text = "".join(cells)
    # Our own sign for bytes that are not text, unless the file's author wrote it.
    if "\x00" in text or ("\ufffd" in text and table.charset != UTF8):
        problem = problem or str(_("This row has signs that are not text."))
        named = {key: cell.replace("\x00", "\ufffd") for key, cell in named.items()}
    return TableRow(line, named, part, problem)


def _quoting() -> str:
    return str(_("The quotation marks of this row do not close."))


def _misfit(table: Table, cells: list[str]) -> str | None:
    """Say why a row does not fit its headings; empty cells at its end do no harm."""
    wanted = len(table.headings)
    if len(cells) >= wanted and not any(cells[wanted:]):
        return None
    said = _(
        "This row has %(found)d cells, but there are %(wanted)d headings.",
        found=len(cells),
        wanted=wanted,
    )
    return str(said)


def _sheet(path: Path, name: str) -> Iterator[list[str]]:
    """Read the first sheet of a workbook; its cells are held in memory."""
    try:
        with path.open("rb") as file, CalamineWorkbook.from_filelike(file) as book:
            for cells in book.get_sheet_by_index(0).iter_rows():
                yield [_plain(cell) for cell in cells]
    except (CalamineError, IndexError) as error:
        raise Invalid(_("%(file)s is not a table.", file=name)) from error


def _plain(cell: object) -> str:
    """Write a cell as a CSV file would: `5` and not `5.0`, days as ISO 8601."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, datetime) and cell.time() == datetime.min.time():
        cell = cell.date()
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def _sheet_rows(table: Table) -> Iterator[TableRow]:
    # The sheet is in memory anyway, and its length says how far we are.
    rows = list(_sheet(table.path, table.name))
    for number, cells in enumerate(rows[1:], start=2):
        if any(cells):
            yield _row(table, number, cells, number / len(rows))


def _objects(table: Table) -> Iterator[TableRow]:
    found = read_objects(table.path, table.name)
    for number, (row, problem) in enumerate(rows_in(found), start=1):
        # Our own files have a bracket in the first line, and a row in each other.
        yield TableRow(number + 1, row, number / len(found), problem)
