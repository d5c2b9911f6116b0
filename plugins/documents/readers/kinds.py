"""Which reader a file needs: its first bytes decide, then the end of its name."""

import codecs
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from plugins.documents.readers import office, pdf, plain, sheets
from plugins.documents.readers.limits import Unreadable


@dataclass(frozen=True, slots=True)
class Kind:
    """How to read one kind of file, and whether it has pages, slides or sheets."""

    read: Callable[[Path], Iterator[str]]
    paged: bool = False


_PDF = Kind(pdf.read_pdf, paged=True)
_SHEETS = Kind(sheets.read_sheets, paged=True)
_WORD = Kind(office.read_docx)
_SLIDES = Kind(office.read_pptx, paged=True)
_OPEN_DOCUMENT = Kind(office.read_open_document)
_OPEN_DOCUMENT_PAGES = Kind(office.read_open_document, paged=True)
_TEXT = Kind(plain.read_text)

_OFFICE = {"word": _WORD, "ppt": _SLIDES, "xl": _SHEETS}
_OPEN = {
    "text": _OPEN_DOCUMENT,
    "spreadsheet": _OPEN_DOCUMENT_PAGES,
    "presentation": _OPEN_DOCUMENT_PAGES,
}
_PLAIN = {
    **dict.fromkeys([".txt", ".text", ".md", ".csv", ".tsv", ".log", ".ics"], _TEXT),
    **dict.fromkeys([".vcf", ".json", ".yaml", ".yml", ".toml", ".ini"], _TEXT),
    **dict.fromkeys([".html", ".htm", ".xhtml"], Kind(plain.read_html)),
    ".eml": Kind(plain.read_eml),
    # A text file from a system where names have no ends: README, LICENSE.
    "": _TEXT,
}
# Names that promise a format with a signature of its own.
_SIGNED = {".pdf", ".docx", ".docm", ".dotx", ".pptx", ".pptm", ".xlsx", ".xlsm"}
_SIGNED |= {".xlsb", ".xls", ".odt", ".ods", ".odp", ".ott"}

_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_RTF = b"{\\rtf"
_UNICODE = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def kind_of(path: Path, suffix: str) -> Kind:
    """Say how to read a file; raises `Unreadable` when nothing here can."""
    with path.open("rb") as file:
        start = file.read(4096)
    if b"%PDF-" in start[:1024]:
        return _PDF
    if start.startswith((b"PK\3\4", b"PK\5\6")):
        return _zipped_kind(path)
    if start.startswith(_OLE):
        return _ole_kind(path)
    if not start:
        raise Unreadable("no-text")
    if start.startswith(_RTF):
        raise Unreadable("unsupported")
    if suffix in _SIGNED:
        raise Unreadable("mismatch")
    kind = _PLAIN.get(suffix)
    if kind is None:
        raise Unreadable("unsupported")
    if b"\0" in start and not start.startswith(_UNICODE):
        raise Unreadable("mismatch")
    return kind


def _zipped_kind(path: Path) -> Kind:
    with office.open_archive(path) as archive:
        names = set(archive.namelist())
        if "mimetype" in names:
            return _open_document_kind(archive)
        if "[Content_Types].xml" in names:
            folder = office.main_part(archive).partition("/")[0]
            if folder in _OFFICE:
                return _OFFICE[folder]
    raise Unreadable("unsupported")


def _open_document_kind(archive: zipfile.ZipFile) -> Kind:
    mimetype = office.read_part(archive, "mimetype").decode("ascii", "replace")
    name = mimetype.strip().removeprefix("application/vnd.oasis.opendocument.")
    kind = _OPEN.get(name.removesuffix("-template"))
    if kind is None:
        raise Unreadable("unsupported")
    if b":encryption-data" in office.read_part(archive, "META-INF/manifest.xml"):
        raise Unreadable("password")
    return kind


def _ole_kind(path: Path) -> Kind:
    """Tell Microsoft's older files apart by the names of their streams."""
    data = path.read_bytes() if path.stat().st_size < 100_000_000 else b""

    def has_stream(name: str) -> bool:
        return name.encode("utf-16-le") in data

    if has_stream("EncryptedPackage"):
        raise Unreadable("password")
    if has_stream("Workbook") or has_stream("Book\0"):
        return _SHEETS
    raise Unreadable("unsupported")
