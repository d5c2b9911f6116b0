"""The text of a PDF, page by page."""

from collections.abc import Iterator
from pathlib import Path

import pypdfium2
import pypdfium2.raw

from plugins.documents.readers.limits import Unreadable


def read_pdf(path: Path) -> Iterator[str]:
    """Give the text of each page; a scan has pages without text."""
    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        if error.err_code == pypdfium2.raw.FPDF_ERR_PASSWORD:
            raise Unreadable("password") from error
        raise
    damaged = words = False
    for number in range(len(document)):
        try:
            text = _page(document, number)
        except pypdfium2.PdfiumError:
            # The other pages are worth having, and keep their numbers.
            damaged, text = True, ""
        words = words or bool(text.strip())
        yield text + "\f"
    document.close()
    if damaged:
        raise Unreadable("damaged")
    if not words:
        raise Unreadable("no-words")


def _page(document: pypdfium2.PdfDocument, number: int) -> str:
    page = document[number]
    words = page.get_textpage()
    text = words.get_text_range()
    words.close()
    page.close()
    return str(text).replace("\f", " ")
