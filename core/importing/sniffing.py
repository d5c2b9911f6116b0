"""What a file is, by its first bytes: its name may say anything."""

import zipfile
from pathlib import Path, PurePosixPath

from core.errors import Invalid
from core.i18n import _

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0"
_MARKS = (b"\xff\xfe", b"\xfe\xff")
_BOOKS = {".xlsx", ".xls", ".ods"}
# A workbook is unpacked in memory: more than this is no list of contacts.
MOST_UNPACKED = 300_000_000
_SAMPLE = 64 * 1024


def is_workbook(path: Path, name: str) -> bool:
    """Say whether a file is a workbook, else it is text; `Invalid` if it is neither."""
    with path.open("rb") as file:
        start = file.read(_SAMPLE)
    if not start.strip():
        raise Invalid(_("%(file)s is empty.", file=name))
    if start.startswith(_ZIP):
        _refuse_bomb(path, name)
        return True
    if start.startswith(_OLE):
        return True
    if PurePosixPath(name).suffix.lower() in _BOOKS:
        # Some systems write text and call it .xls; what else it may be, calamine says.
        return b"\x00" in start
    # UTF-16 says so in its first two bytes; other text has hardly a zero, others many.
    zeros = start.count(b"\x00")
    if zeros * 20 > len(start) and not start.startswith(_MARKS):
        raise _no_table(name)
    if start.startswith((b"%PDF", b"\x89PNG", b"GIF8", b"\xff\xd8\xff", b"{\\rtf")):
        raise _no_table(name)
    return False


def _refuse_bomb(path: Path, name: str) -> None:
    try:
        with zipfile.ZipFile(path) as packed:
            size = sum(one.file_size for one in packed.infolist())
    except zipfile.BadZipFile as error:
        raise _no_table(name) from error
    if size > MOST_UNPACKED:
        raise Invalid(
            _("%(file)s unpacks to more than we can read. Save it as CSV.", file=name)
        )


def _no_table(name: str) -> Invalid:
    return Invalid(
        _("%(file)s is not a table. Save it as CSV or as Excel (.xlsx).", file=name)
    )
