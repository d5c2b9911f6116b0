"""Real PDF and DOCX files made from text: for the demo company, and for tests."""

import io
import textwrap
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from xml.sax.saxutils import escape

# PDF measures in points, 72 to the inch: A4 with margins of 2.5 cm.
_WIDTH, _HEIGHT, _MARGIN = 595, 842, 71
_BODY, _TITLE, _LEADING = 11, 16, 1.4
_TITLE_LENGTH = 80

# Widths of the characters from space to ~ in Helvetica, in thousandths of its size,
# from Adobe's font metrics (Core 14 AFM). Accents do not widen a letter.
_HELVETICA = [
    *(278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278),
    *(556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556),
    *(1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778),
    *(667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556),
    *(333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556),
    *(556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584),
]


def make_pdf(text_pages: Sequence[str]) -> bytes:
    """Make an A4 PDF with the text of each page; a short first line is its title.

    Lines are wrapped, and text too long for a page goes on on the next one. Takes
    what Windows-1252 can write; other characters become question marks.
    """
    pages = [page for text in text_pages for page in _pages(text)]
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count %d/Kids[%s]>>"
        % (len(pages), b" ".join(b"%d 0 R" % (5 + 2 * n) for n in range(len(pages)))),
        _font(b"Helvetica"),
        _font(b"Helvetica-Bold"),
    ]
    for number, drawing in enumerate(pages):
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %d %d]/Contents %d 0 R"
            b"/Resources<</Font<</F1 3 0 R/F2 4 0 R>>>>>>"
            % (_WIDTH, _HEIGHT, 6 + 2 * number)
        )
        objects.append(b"<</Length %d>>stream\n%s\nendstream" % (len(drawing), drawing))
    return _numbered(objects)


def make_docx(paragraphs: Iterable[str]) -> bytes:
    """Make a Word document of paragraphs, the first one as the title."""
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    body = "".join(
        f"<w:p>{'' if n else _TITLE_STYLE}<w:r><w:rPr/>{_runs(text)}</w:r></w:p>"
        for n, text in enumerate(paragraphs)
    )
    parts = {
        "[Content_Types].xml": _CONTENT_TYPES,
        "_rels/.rels": _relations("officeDocument", "word/document.xml"),
        "word/_rels/document.xml.rels": _relations("styles", "styles.xml"),
        "word/styles.xml": _STYLES.replace("WORD", word),
        "word/document.xml": f'<w:document xmlns:w="{word}"><w:body>{body}'
        '<w:sectPr><w:pgSz w:w="11906" w:h="16838"/></w:sectPr>'
        "</w:body></w:document>",
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, xml in parts.items():
            # ZipInfo's own date, 1980, makes the same text the same file.
            archive.writestr(
                zipfile.ZipInfo(name),
                f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n{xml}',
                compress_type=zipfile.ZIP_DEFLATED,
            )
    return file.getvalue()


def _pages(text: str) -> Iterator[bytes]:
    """Draw one text as the contents of one or more pages."""
    first, *rest = text.strip("\n").split("\n")
    is_title = len(first) <= _TITLE_LENGTH
    font, size = (b"/F2", _TITLE) if is_title else (b"/F1", _BODY)
    # Bold letters are some 6 % wider.
    lines = [(font, size, line) for line in _wrapped(first, size * 1.06)]
    for paragraph in rest:
        lines += [(b"/F1", _BODY, line) for line in _wrapped(paragraph, _BODY)]
    drawing = [b"BT"]
    y = float(_HEIGHT - _MARGIN)
    for font, size, line in lines:
        y -= size * _LEADING
        if y < _MARGIN:
            yield b"\n".join([*drawing, b"ET"])
            drawing = [b"BT"]
            y = _HEIGHT - _MARGIN - size * _LEADING
        if line:
            drawing.append(
                b"%s %d Tf 1 0 0 1 %d %.1f Tm (%s) Tj"
                % (font, size, _MARGIN, y, _pdf_string(line))
            )
    yield b"\n".join([*drawing, b"ET"])


def _wrapped(paragraph: str, size: float) -> list[str]:
    """Break a paragraph into lines that fit between the margins."""
    room = (_WIDTH - 2 * _MARGIN) * 1000 / size
    lines = [""]
    taken = 0
    for word in paragraph.expandtabs(4).split(" "):
        for piece in textwrap.wrap(word, 60, break_on_hyphens=False) or [""]:
            width = _width(piece)
            taken += _width(" ") + width
            if lines[-1] and taken > room:
                lines.append(piece)
                taken = width
            else:
                lines[-1] += f" {piece}" if lines[-1] else piece
    return lines


def _width(text: str) -> int:
    letters = unicodedata.normalize("NFD", text)
    return sum(
        _HELVETICA[ord(letter) - 32] if " " <= letter <= "~" else 556
        for letter in letters
        if not unicodedata.combining(letter)
    )


def _pdf_string(text: str) -> bytes:
    escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    return escaped.encode("cp1252", "replace")


def _font(name: bytes) -> bytes:
    return b"<</Type/Font/Subtype/Type1/BaseFont/%s/Encoding/WinAnsiEncoding>>" % name


def _numbered(objects: Sequence[bytes]) -> bytes:
    """Write a PDF's objects and the table of where each begins (ISO 32000-1, 7.5)."""
    file = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    starts = []
    for number, content in enumerate(objects, start=1):
        starts.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = len(file)
    file += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    file += b"".join(b"%010d 00000 n \n" % start for start in starts)
    file += b"trailer\n<</Size %d/Root 1 0 R>>\n" % (len(objects) + 1)
    file += b"startxref\n%d\n%%%%EOF\n" % table
    return bytes(file)


def _runs(text: str) -> str:
    """Write text as Word keeps it: lines and tabs are elements of their own."""
    printable = "".join(c for c in text if c >= " " or c in "\n\t")
    xml = f'<w:t xml:space="preserve">{escape(printable)}</w:t>'
    for mark, element in {"\n": "<w:br/>", "\t": "<w:tab/>"}.items():
        xml = xml.replace(mark, f'</w:t>{element}<w:t xml:space="preserve">')
    return xml


def _relations(kind: str, target: str) -> str:
    return (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
        'relationships"><Relationship Id="rId1" Target="' + target + '" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
        + kind
        + '"/></Relationships>'
    )


_TITLE_STYLE = '<w:pPr><w:pStyle w:val="Title"/></w:pPr>'
_MAIN_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_CONTENT_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.'
    'relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/word/document.xml" ContentType="{_MAIN_TYPE}.document.main'
    f'+xml"/><Override PartName="/word/styles.xml" ContentType="{_MAIN_TYPE}.styles'
    '+xml"/></Types>'
)
_STYLES = (
    '<w:styles xmlns:w="WORD"><w:docDefaults><w:rPrDefault><w:rPr>'
    '<w:rFonts w:ascii="Arial" w:hAnsi="Arial"/><w:sz w:val="22"/></w:rPr>'
    '</w:rPrDefault><w:pPrDefault><w:pPr><w:spacing w:after="160"/></w:pPr>'
    '</w:pPrDefault></w:docDefaults><w:style w:type="paragraph" w:default="1" '
    'w:styleId="Normal"><w:name w:val="Normal"/></w:style><w:style w:type="paragraph" '
    'w:styleId="Title"><w:name w:val="Title"/><w:rPr><w:b/><w:sz w:val="36"/></w:rPr>'
    "</w:style></w:styles>"
)
