"""The text of text files, web pages and e-mails, whatever their character set."""

import codecs
import email
import email.policy
import re
from collections.abc import Iterator
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path

from charset_normalizer import from_bytes

from plugins.documents.readers.limits import MAX_PLAIN, Unreadable

# Longer samples make the guess slower and hardly better.
_SAMPLE = 64 * 1024
_CHUNK = 64 * 1024
_MARKED = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# Letters and signs of western Europe that a short text in another character set seldom
# turns into: charset-normalizer takes a Finnish line for Chinese.
_WESTERN = set(
    "åäöæøéüàâçèêëîïôùûñáíóúßÅÄÖÆØÉÜÀÇÈÊÑÁÍÓÚ¿¡§€£°“”„‘’–—…«»·½²³µ®©™•×´\xa0"
)
_WESTERN_SHARE = 0.4
_CANDIDATES = (
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257"),
    *("koi8_r", "cp866", "gb18030", "big5", "cp932", "euc_jp", "euc_kr"),
)
_DECLARED = re.compile(rb"""charset\s{0,9}=\s{0,9}["']?([A-Za-z0-9_-]+)""")

_SILENT = {"script", "style", "template", "noscript"}
_IN_LINE = {"a", "abbr", "b", "bdi", "bdo", "cite", "code", "del", "em", "font", "i"}
_IN_LINE |= {"ins", "kbd", "label", "mark", "q", "s", "samp", "small", "span"}
_IN_LINE |= {"strike", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr"}
_HEADERS = ("Subject", "From", "To", "Cc", "Date")


def decode(data: bytes, declared: str = "") -> str:
    """Turn bytes into text: by their mark, as UTF-8, as declared, or by a guess."""
    for mark, encoding in _MARKED.items():
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    # ISO-2022 looks like ASCII but for its escapes.
    for encoding in (declared, "utf-8") if b"\x1b" in data else ("utf-8", declared):
        try:
            # A decoder, because the bytes may have been cut within a character.
            return codecs.getincrementaldecoder(encoding)().decode(data)
        except (LookupError, UnicodeDecodeError):
            continue
    western = data.decode("cp1252", "replace")
    if _is_western(western[:_SAMPLE]):
        return western
    best = from_bytes(data[:_SAMPLE], cp_isolation=list(_CANDIDATES)).best()
    return data.decode(best.encoding, "replace") if best else western


def _is_western(text: str) -> bool:
    letters = [letter for letter in text if letter.isalpha()]
    special = [letter for letter in text if letter > "\x7f"]
    return set(special) <= _WESTERN and len(special) <= _WESTERN_SHARE * len(letters)


def read_text(path: Path) -> Iterator[str]:
    """Give the text of a text file."""
    text = decode(_read(path))
    if "\0" in text[:_SAMPLE]:
        raise Unreadable("mismatch")
    yield text


def read_html(path: Path) -> Iterator[str]:
    """Give the words of a web page, without its scripts and styles."""
    data = _read(path)
    declared = _DECLARED.search(data[:2048])
    yield from _html_words(decode(data, declared[1].decode() if declared else ""))


def read_eml(path: Path) -> Iterator[str]:
    """Give an e-mail's headers, its text, and the names of its attachments."""
    message = email.message_from_bytes(_read(path), policy=email.policy.default)
    for name in _HEADERS:
        if message[name]:
            yield f"{message[name]}\n"
    yield "\n"
    parts = [part for part in message.walk() if not part.is_multipart()]
    texts = [part for part in parts if _is_body(part, "text/plain")]
    pages = [part for part in parts if _is_body(part, "text/html")]
    for part in texts:
        yield _content(part) + "\n"
    for part in pages if not texts else []:
        yield from _html_words(_content(part))
    for part in parts:
        if part.get_filename():
            yield f"\n{part.get_filename()}"


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_PLAIN)


def _is_body(part: EmailMessage, content_type: str) -> bool:
    return part.get_content_type() == content_type and not part.is_attachment()


def _content(part: EmailMessage) -> str:
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    return decode(data, part.get_content_charset() or "")


class _PageWords(HTMLParser):
    """Collects what a browser would show as text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a line where a browser would."""
        self._silent += tag in _SILENT
        self._gap(tag)

    def handle_endtag(self, tag: str) -> None:
        """End a line where a browser would."""
        self._silent -= tag in _SILENT and self._silent > 0
        self._gap(tag)

    def handle_data(self, data: str) -> None:
        """Keep words; in HTML any space is as good as one."""
        if not self._silent:
            words = " ".join(data.split())
            before = " " if data[:1].isspace() else ""
            after = " " if words and data[-1:].isspace() else ""
            self.words.append(before + words + after)

    def _gap(self, tag: str) -> None:
        if tag not in _IN_LINE:
            self.words.append("\t" if tag in {"td", "th"} else "\n")


def _html_words(html: str) -> Iterator[str]:
    page = _PageWords()
    for start in range(0, len(html), _CHUNK):
        page.feed(html[start : start + _CHUNK])
        yield "".join(page.words)
        page.words.clear()
    page.close()
    yield "".join(page.words)
