"""The text of documents: read by the worker, shown page by page, and looked through."""

import re
from dataclasses import dataclass, field

import sqlalchemy as sa

from core.db import db
from core.events import announce
from plugins.documents import events
from plugins.documents.extraction import Extraction
from plugins.documents.models import PAGE_END, Document, Version

# Texts without pages are shown in parts of about so many characters.
PART = 6_000
# Texts that are fetched at once for a list of hits.
FETCHED = 20
# As many pages with hits are counted; nobody walks through more.
MOST_HITS = 500


@dataclass(frozen=True)
class Unread:
    """A version whose text is to be read."""

    version_id: int
    sha256: str
    filename: str


@dataclass(frozen=True)
class Piece:
    """A stretch of text, and whether it is what was looked for."""

    text: str
    hit: bool


def unread_versions(document_id: int) -> list[Unread]:
    """Name the versions of a document that nobody has read yet, newest first."""
    rows = db.session.execute(
        sa.select(Version.id, Version.sha256, Version.filename)
        .where(Version.document_id == document_id, Version.text_state == "pending")
        .order_by(Version.number.desc())
    )
    return [Unread(row.id, row.sha256, row.filename) for row in rows]


def keep_text(version_id: int, found: Extraction) -> None:
    """Keep what was read of a version; a second time changes nothing.

    Announces `documents.document.text_read`, so that search takes the words in.
    """
    version = db.session.get(Version, version_id)
    if version is None or version.text_state != "pending":
        return
    version.text = PAGE_END.join(found.pages) if found.pages else found.text
    version.page_count = len(found.pages)
    version.text_state = found.state
    version.text_detail = found.detail
    db.session.flush()
    # Not a change of the document: whoever is changing it is not to be told that
    # somebody saved first.
    said = {"number": version.number, "state": version.text_state}
    announce(events.TEXT_READ.name, version.document, said)


@dataclass(frozen=True)
class Words:
    """What search takes of a document: its file's name, and its text.

    Pages of the text are divided by form feeds.
    """

    filename: str
    text: str


@dataclass
class _Fetched:
    """What was fetched for a session and not given yet, and what was given."""

    waiting: dict[int, Words] = field(default_factory=dict)
    given: set[int] = field(default_factory=set)


def words_of(document: Document) -> Words:
    """Give the words of the version that counts.

    A list of hits asks for one document after the other, so those that are in the
    session beside it are fetched along, a few at once: texts may be long.
    """
    fetched = db.session.info.setdefault("documents_words", _Fetched())
    if document.id not in fetched.waiting:
        beside = [
            one.id
            for one in db.session.identity_map.values()
            if isinstance(one, Document)
            and one.id != document.id
            and one.id not in fetched.given | fetched.waiting.keys()
        ]
        ids = [document.id, *sorted(beside)[: FETCHED - 1]]
        fetched.waiting |= _words(ids)
    # Given once: the next time it may have changed.
    fetched.given.add(document.id)
    found: Words | None = fetched.waiting.pop(document.id, None)
    return found or Words("", "")


def _words(document_ids: list[int]) -> dict[int, Words]:
    rows = db.session.execute(
        sa.select(Version.document_id, Version.filename, Version.text)
        .join(Document, Document.id == Version.document_id)
        .where(Document.id.in_(document_ids), Version.number == Document.current)
    )
    return {row.document_id: Words(row.filename, row.text) for row in rows}


def pages_of(version: Version) -> list[str]:
    """Give the text of a version in pages, or in parts where it has none."""
    if version.page_count:
        return version.text.split(PAGE_END)
    return _parts(version.text)


def _parts(text: str) -> list[str]:
    """Cut a text at the ends of lines into parts fit to read."""
    parts: list[str] = []
    start = 0
    while len(text) - start > PART * 1.5:
        end = text.rfind("\n", start + PART // 2, start + PART)
        end = start + PART if end < 0 else end + 1
        parts.append(text[start:end])
        start = end
    rest = text[start:]
    return [*parts, rest] if rest else parts


def pages_with(pages: list[str], words: str) -> list[int]:
    """Give the numbers of the pages, from 1, on which `words` stand."""
    pattern = _pattern(words)
    if pattern is None:
        return []
    found = (n for n, page in enumerate(pages, 1) if pattern.search(page))
    return [number for number, _once in zip(found, range(MOST_HITS), strict=False)]


def marked(page: str, words: str) -> list[Piece]:
    """Take a page apart where `words` stand, in any case and however they wrap."""
    pattern = _pattern(words)
    if pattern is None:
        return [Piece(page, False)]
    pieces: list[Piece] = []
    place = 0
    for match in pattern.finditer(page):
        pieces.append(Piece(page[place : match.start()], False))
        pieces.append(Piece(match.group(), True))
        place = match.end()
    pieces.append(Piece(page[place:], False))
    return [piece for piece in pieces if piece.text]


def _pattern(words: str) -> re.Pattern[str] | None:
    parts = [re.escape(one) for one in words.split()]
    return re.compile(r"\s+".join(parts), re.IGNORECASE) if parts else None
