"""The text of DOCX, PPTX and OpenDocument files: XML in a zip archive.

XML is read as a stream by expat, so neither size nor depth takes memory. A document
type declaration is refused: no office program writes one, and entity bombs need it.
"""

import posixpath
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

from plugins.documents.readers.limits import MAX_PARTS, MAX_UNPACKED, Unreadable

_OnStart = Callable[[str, dict[str, str]], None]
_CHUNK = 64 * 1024
_ENCRYPTED = 0x1
_XML = (".xml", ".rels", ".bin")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the elements of a format mean for its text, by their local names.

    `text` elements hold words, if they are in one of `within` (when any is named);
    `skipped` ones hide all they hold; `marks` stand for characters; and `ends` say
    what follows an element.
    """

    text: frozenset[str]
    skipped: frozenset[str]
    marks: dict[str, str]
    ends: dict[str, str]
    within: frozenset[str] = frozenset()


# ECMA-376. `Fallback` repeats for old programs what `Choice` says, `moveFrom` what
# `moveTo` says; `tab` in `pPr` is a tab stop. In charts, `v` is a value.
_OFFICE_OPEN = Vocabulary(
    text=frozenset({"t", "v"}),
    skipped=frozenset({"pPr", "Fallback", "moveFrom"}),
    marks={"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"},
    ends={"p": "\n", "v": "\t", "cat": "\n", "val": "\n", "tx": "\n"},
)
# Who wrote a comment, and when.
_COMMENT_BY = [
    f"http://purl.org/dc/elements/1.1/ {name}" for name in ("creator", "date")
]
# OpenDocument 1.3, part 3. Tracked changes hold what was deleted.
_OPEN_DOCUMENT = Vocabulary(
    text=frozenset({"p", "h"}),
    skipped=frozenset({"tracked-changes", "note-citation", *_COMMENT_BY}),
    marks={"tab": "\t", "line-break": "\n"},
    ends={"p": "\n", "h": "\n", "page": "\f"},
)
_OPEN_SHEETS = Vocabulary(
    text=_OPEN_DOCUMENT.text,
    skipped=_OPEN_DOCUMENT.skipped,
    marks={"tab": " ", "line-break": " "},
    ends={"p": " ", "h": " ", "table-cell": "\t", "table-row": "\n", "table": "\f"},
)
_HEADERS = Vocabulary(
    text=_OPEN_DOCUMENT.text,
    skipped=frozenset({"sheet-name", "page-number", "page-count", "date", "time"}),
    marks=_OPEN_DOCUMENT.marks,
    ends=_OPEN_DOCUMENT.ends,
    within=frozenset(
        f"{part}{where}"
        for part in ("header", "footer")
        for where in ("", "-left", "-first")
    ),
)


def open_archive(path: Path) -> zipfile.ZipFile:
    """Open an archive after looking for what would make it a bomb."""
    archive = zipfile.ZipFile(path)
    parts = archive.infolist()
    unpacked = sum(part.file_size for part in parts if part.filename.endswith(_XML))
    if len(parts) > MAX_PARTS or unpacked > MAX_UNPACKED:
        archive.close()
        raise Unreadable("too-large")
    if any(part.flag_bits & _ENCRYPTED for part in parts):
        archive.close()
        raise Unreadable("password")
    return archive


def read_part(archive: zipfile.ZipFile, name: str) -> bytes:
    """Read a small part of an archive whole."""
    with archive.open(name) as file:
        return file.read(5_000_000)


def main_part(archive: zipfile.ZipFile) -> str:
    """Name the part of an Office file where its document begins."""
    for kind, target in _relations(archive, ""):
        if kind == "officeDocument":
            return target
    raise Unreadable("damaged")


def read_docx(path: Path) -> Iterator[str]:
    """Give the text of a Word document with its headers, notes and charts."""
    with open_archive(path) as archive:
        main = main_part(archive)
        yield from _words(archive, main, _OFFICE_OPEN)
        beside = {"header", "footer", "footnotes", "endnotes", "comments"}
        beside |= {"chart", "diagramData"}
        for kind, target in _relations(archive, main):
            if kind in beside:
                yield "\n"
                yield from _words(archive, target, _OFFICE_OPEN)


def read_pptx(path: Path) -> Iterator[str]:
    """Give the text of each slide, with its notes and charts."""
    with open_archive(path) as archive:
        for slide in _slides(archive):
            yield from _words(archive, slide, _OFFICE_OPEN)
            for kind, target in _relations(archive, slide):
                if kind in {"notesSlide", "chart", "diagramData", "comments"}:
                    yield "\n"
                    yield from _words(archive, target, _OFFICE_OPEN)
            yield "\f"


def read_open_document(path: Path) -> Iterator[str]:
    """Give the text of an OpenDocument file, its headers and footers first."""
    with open_archive(path) as archive:
        if "styles.xml" in archive.namelist():
            yield from _words(archive, "styles.xml", _HEADERS)
        sheets = b"spreadsheet" in read_part(archive, "mimetype")
        vocabulary = _OPEN_SHEETS if sheets else _OPEN_DOCUMENT
        yield from _words(archive, "content.xml", vocabulary)


class _Words:
    """Collects the words of one XML part while expat reads it."""

    def __init__(self, vocabulary: Vocabulary):
        self.words: list[str] = []
        self._vocabulary = vocabulary
        self._text = self._skipped = self._within = 0
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters

    def _doctype(self, *_declaration: object) -> None:
        raise Unreadable("unsafe")

    def _start(self, element: str, attributes: dict[str, str]) -> None:
        name = self._count(element, 1)
        if self._silent():
            return
        if name in self._vocabulary.marks:
            self.words.append(self._vocabulary.marks[name])
        elif name == "s":
            self.words.append(" ")
        elif name == "table" and "table" in self._vocabulary.ends:
            self.words += [*_values(attributes, " name"), "\n"]

    def _end(self, element: str) -> None:
        name = self._count(element, -1)
        if not self._silent():
            self.words.append(self._vocabulary.ends.get(name, ""))

    def _characters(self, data: str) -> None:
        if self._text and not self._silent():
            self.words.append(data)

    def _count(self, element: str, step: int) -> str:
        name = element.rpartition(" ")[2]
        self._text += step * (name in self._vocabulary.text)
        self._skipped += step * bool({name, element} & self._vocabulary.skipped)
        self._within += step * (name in self._vocabulary.within)
        return name

    def _silent(self) -> bool:
        outside = bool(self._vocabulary.within) and not self._within
        return bool(self._skipped) or outside


def _words(
    archive: zipfile.ZipFile, name: str, vocabulary: Vocabulary
) -> Iterator[str]:
    words = _Words(vocabulary)
    with archive.open(name) as file:
        while chunk := file.read(_CHUNK):
            try:
                words.parser.Parse(chunk, False)
            finally:
                # Also when the rest is damaged: these words are good.
                yield "".join(words.words)
            words.words.clear()
    words.parser.Parse(b"", True)
    yield "".join(words.words)


def _slides(archive: zipfile.ZipFile) -> list[str]:
    """Name the slides in the order they are shown."""
    main = main_part(archive)
    order: list[str] = []

    def start(element: str, attributes: dict[str, str]) -> None:
        if element.rpartition(" ")[2] == "sldId":
            order.extend(_values(attributes, " id"))

    _parse(archive, main, start)
    targets = _targets(archive, main)
    return [targets[key][1] for key in order if key in targets]


def _relations(archive: zipfile.ZipFile, part: str) -> list[tuple[str, str]]:
    """Give the kind and name of the parts that `part` refers to."""
    return list(dict.fromkeys(_targets(archive, part).values()))


def _targets(archive: zipfile.ZipFile, part: str) -> dict[str, tuple[str, str]]:
    folder, name = posixpath.split(part)
    relations = posixpath.join(folder, "_rels", f"{name}.rels")
    present = set(archive.namelist())
    found: dict[str, tuple[str, str]] = {}

    def start(_element: str, attributes: dict[str, str]) -> None:
        kind = attributes.get("Type", "").rpartition("/")[2]
        target = posixpath.join("/", folder, attributes.get("Target", ""))
        target = posixpath.normpath(target).lstrip("/")
        if target in present and attributes.get("TargetMode") != "External":
            found[attributes.get("Id", "")] = (kind, target)

    if relations in present:
        _parse(archive, relations, start)
    return found


def _parse(archive: zipfile.ZipFile, name: str, start: _OnStart) -> None:
    reader = _Words(_OFFICE_OPEN)
    reader.parser.StartElementHandler = start
    reader.parser.EndElementHandler = None
    reader.parser.Parse(read_part(archive, name), True)


def _values(attributes: dict[str, str], name: str) -> list[str]:
    return [value for key, value in attributes.items() if key.endswith(name)]
