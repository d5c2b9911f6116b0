"""A dossier on paper: A4, every entry with the word of its audience."""

import io
import re
from collections.abc import Callable, Iterator
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.colors import black
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table

from core.i18n import _
from core.markup import excerpt, to_text
from core.moments import show_datetime
from plugins.interactions.dossiers.story import Dossier, Line

# Every reader of PDF has it, or another for it: no file of some megabytes to carry.
CHINESE = "STSong-Light"
# What stands beside a frame, and in it, has to fit one sheet: a row is never split.
MOST_HEAD = 300
# Breaking the lines of one paragraph takes the square of its length.
_AT_ONCE = 2_000

_BODY = ParagraphStyle("body", fontSize=10, leading=14, splitLongWords=True)
_SMALL = ParagraphStyle("small", fontSize=8.5, leading=12)
_HEAD = ParagraphStyle("head", fontName="Helvetica-Bold", fontSize=10, leading=14)
_TITLE = ParagraphStyle("title", fontName="Helvetica-Bold", fontSize=16, leading=21)
_AUDIENCE = ParagraphStyle(
    "audience", fontName="Helvetica-Bold", fontSize=8.5, leading=11, alignment=TA_RIGHT
)
# Within the margins, and the 6 points that a frame keeps free on each side.
_WIDTH = A4[0] - 40 * mm - 12
# What Helvetica can write, by Windows-1252, and what it cannot.
_RUNS = re.compile(r"([\x00-\xff–—‘’“”…€•]+)|([^\x00-\xff–—‘’“”…€•]+)")
_TAG = re.compile(r"<[^>]+>")


def to_pdf(dossier: Dossier, on_step: Callable[[], None] = lambda: None) -> bytes:
    """Write a dossier as PDF; `on_step` is called at every entry and every sheet."""
    if CHINESE not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(UnicodeCIDFont(CHINESE))
    file = io.BytesIO()
    title = _("Timeline of %(name)s", name=dossier.contact.name)
    document = SimpleDocTemplate(
        file,
        pagesize=A4,
        leftMargin=20 * mm,
        rightMargin=20 * mm,
        topMargin=20 * mm,
        bottomMargin=20 * mm,
        title=title,
        author=dossier.made_by,
    )

    def foot(canvas: Any, _document: Any) -> None:
        on_step()
        line = Paragraph(_marked(f"{dossier.words} · {canvas.getPageNumber()}"), _SMALL)
        line.wrap(_WIDTH, 10 * mm)
        line.drawOn(canvas, 20 * mm + 6, 10 * mm)

    story = list(_story(dossier, title, on_step))
    document.build(story, onFirstPage=foot, onLaterPages=foot)
    return file.getvalue()


def _story(
    dossier: Dossier, title: str, on_step: Callable[[], None]
) -> Iterator[Flowable]:
    yield Paragraph(_marked(title), _TITLE)
    made = _(
        "%(words)s. Made by %(name)s, %(time)s.",
        words=dossier.words,
        name=dossier.made_by,
        time=_plain(show_datetime(dossier.made_at)),
    )
    yield Paragraph(_marked(made), _SMALL)
    if not dossier.complete:
        said = _("Only the latest %(num)d entries.", num=len(dossier.lines))
        yield Paragraph(_marked(said), _HEAD)
    yield Spacer(1, 6 * mm)
    if not dossier.lines:
        yield Paragraph(_marked(_("There is no entry.")), _BODY)
    for one in dossier.lines:
        on_step()
        yield from _entry(one)


def _entry(line: Line) -> Iterator[Flowable]:
    entry = line.entry
    yield from _head(line)
    if entry.subject:
        yield Paragraph(_marked(entry.subject), _HEAD)
    if line.facts:
        for piece in _pieces(" · ".join(line.facts)):
            yield Paragraph(_marked(piece), _SMALL)
    for paragraph in to_text(line.body).split("\n"):
        for piece in _pieces(paragraph):
            yield Paragraph(_marked(piece), _BODY)
    if line.files:
        yield Paragraph(_marked(_("Files") + ": " + ", ".join(line.files)), _SMALL)
    if line.linked:
        words = _("Linked to") + ": " + ", ".join(line.linked)
        yield Paragraph(_marked(words), _SMALL)
    yield Spacer(1, 5 * mm)


def _head(line: Line) -> Iterator[Flowable]:
    """Say who wrote it and for whom; what is too long for its place stands below."""
    when = _plain(show_datetime(line.entry.occurred_at))
    head = " · ".join([line.author, line.kind, when])
    present = _("with") + " " + ", ".join(line.contacts) if line.contacts else ""
    if present and len(head) + len(present) < MOST_HEAD:
        head, present = f"{head} · {present}", ""
    # Outside has the heavier frame, as on screen: it has to survive a grey printer.
    frame = Table(
        [[Paragraph(_marked(excerpt(line.audience, MOST_HEAD)), _AUDIENCE)]],
        colWidths=[0.3 * _WIDTH],
        style=[("BOX", (0, 0), (-1, -1), 2 if line.outside else 0.5, black)],
    )
    yield Table(
        [[Paragraph(_marked(excerpt(head, MOST_HEAD)), _HEAD), frame]],
        colWidths=[0.68 * _WIDTH, 0.32 * _WIDTH],
        style=[("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (0, 0), 0)],
    )
    if present:
        yield Paragraph(_marked(present), _HEAD)
    if len(line.audience) > MOST_HEAD:
        yield Paragraph(_marked(line.audience), _SMALL)


def _pieces(text: str) -> Iterator[str]:
    """Take a paragraph apart where it is very long, at a space if there is one."""
    text = text.strip()
    while len(text) > _AT_ONCE:
        space = text.rfind(" ", _AT_ONCE // 2, _AT_ONCE)
        end = _AT_ONCE if space < 0 else space
        yield text[:end]
        text = text[end:].strip()
    if text:
        yield text


def _plain(moment: Any) -> str:
    return _TAG.sub("", str(moment))


def _marked(text: str) -> str:
    """Escape a text, and name the font of what Helvetica cannot write."""
    parts = []
    for plain, run in _RUNS.findall(text):
        # What is no letter, such as a form feed, would be a fault in the file.
        parts.append(escape("".join(c if c.isprintable() else " " for c in plain)))
        if run:
            parts.append(f'<font name="{CHINESE}">{escape(_in_one_plane(run))}</font>')
    return "".join(parts)


def _in_one_plane(text: str) -> str:
    """Replace what the font has no place for: beyond the basic plane, and marks."""
    return "".join(
        one if one.isprintable() and ord(one) < 0x10000 else "?" for one in text
    )
