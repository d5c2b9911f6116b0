"""The formats: each writes rows to a binary stream as they come."""

import csv
import io
import json
from collections.abc import Callable, Iterable
from typing import Any, BinaryIO

from core.errors import Invalid
from core.exporting.flat import cells_of, headings, plain
from core.exporting.vcards import vcard_of
from core.i18n import _
from core.importing.values import harmless
from core.imports import ImportKind, Row

Writer = Callable[[ImportKind, Iterable[Row], BinaryIO], None]

# What a worksheet holds.
_SHEET_ROWS, _CELL_SIGNS = 1_048_575, 32_767


def write_csv(kind: ImportKind, rows: Iterable[Row], out: BinaryIO) -> None:
    """Write comma-separated values in UTF-8, with a mark that spreadsheets expect."""
    text = io.TextIOWrapper(out, "utf-8-sig", newline="", write_through=True)
    names = headings(kind)
    table = csv.writer(text)
    table.writerow(names)
    for row in rows:
        cells = cells_of(kind, row)
        table.writerow([_text(cells.get(name, "")) for name in names])
    text.detach()


def _text(cell: Any) -> Any:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return harmless(cell) if isinstance(cell, str) and not _number(cell) else cell


def _number(cell: str) -> bool:
    return cell.removeprefix("-").replace(".", "", 1).isdecimal() and cell.isascii()


def write_xlsx(kind: ImportKind, rows: Iterable[Row], out: BinaryIO) -> None:
    """Write a worksheet; text stays text there, so nothing in it runs.

    Raises `Invalid` for more rows or longer text than a worksheet holds.
    """
    import xlsxwriter

    book = xlsxwriter.Workbook(out, {"constant_memory": True})
    sheet = book.add_worksheet()
    names = headings(kind)
    for column, name in enumerate(names):
        sheet.write_string(0, column, name)
    for line, row in enumerate(rows, 1):
        if line > _SHEET_ROWS:
            raise Invalid(_("A worksheet holds no more rows. Export as CSV."))
        cells = cells_of(kind, row)
        for column, name in enumerate(names):
            _write_cell(sheet, line, column, cells.get(name, ""))
    book.close()


def _write_cell(sheet: Any, line: int, column: int, cell: Any) -> None:
    if isinstance(cell, bool):
        sheet.write_boolean(line, column, cell)
    elif isinstance(cell, int):
        sheet.write_number(line, column, cell)
    elif len(str(cell)) > _CELL_SIGNS:
        raise Invalid(_("A text is too long for a worksheet. Export as CSV."))
    elif cell != "":
        sheet.write_string(line, column, str(cell))


def write_json(_kind: ImportKind, rows: Iterable[Row], out: BinaryIO) -> None:
    """Write one array of objects, with everything that is nested."""
    mark = b"[\n"
    for row in rows:
        text = json.dumps(row, ensure_ascii=False, default=plain)
        out.write(mark + text.encode("utf-8", "surrogatepass"))
        mark = b",\n"
    out.write(b"[]\n" if mark == b"[\n" else b"\n]\n")


def write_vcards(kind: ImportKind, rows: Iterable[Row], out: BinaryIO) -> None:
    """Write a card a contact; raises `Invalid` for what is no contact."""
    if kind.name != "contacts":
        raise Invalid(_("Only contacts have cards. Export as CSV, XLSX or JSON."))
    for row in rows:
        out.write(vcard_of(row).encode())


WRITERS: dict[str, Writer] = {
    "csv": write_csv,
    "xlsx": write_xlsx,
    "json": write_json,
    "vcard": write_vcards,
}
