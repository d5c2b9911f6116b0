"""The text of Excel workbooks, old and new, sheet by sheet."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path

from python_calamine import CalamineWorkbook, PasswordError

from plugins.documents.readers.limits import Unreadable

_Cell = int | float | str | bool | date | datetime | time | timedelta


def read_sheets(path: Path) -> Iterator[str]:
    """Give each sheet's name, then its rows with a tab between cells."""
    try:
        workbook = CalamineWorkbook.from_path(path)
    except PasswordError as error:
        raise Unreadable("password") from error
    for name in workbook.sheet_names:
        yield f"{name}\n"
        for row in workbook.get_sheet_by_name(name).iter_rows():
            words = [_words(cell) for cell in row]
            if any(words):
                yield "\t".join(words).strip("\t") + "\n"
        yield "\f"


def _words(cell: _Cell) -> str:
    """Write a cell as people would type it into a search: 196 and not 196.0."""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        return f"{cell:.15g}"
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    return str(cell).replace("\f", " ")
