"""Markdown that people write, turned into HTML that is safe to show.

Markdown is the CommonMark of https://spec.commonmark.org/ with tables and
strike-through. HTML in it is shown as text, pictures become links, and bare web
addresses can be clicked. Text that is no note any more (huge, or marks upon marks)
is shown as it was typed: that costs little and loses nothing.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markupsafe import Markup, escape

from core.marks import NO_MARKS, Marks, mark_names_and_tags, text_like

# Markdown's worst cases cost 10 to 40 microseconds a mark, or a line times its depth.
# Within these limits they stay under a third of a second.
MAX_CHARACTERS = 100_000
MAX_LINES = 2_500
MAX_MARKS = 10_000
# Quotes in quotes or lists in lists (two levels each). The parser silently drops what
# lies deeper, nh3 is quadratic in depth, and nobody reads it.
MAX_DEPTH = 24

_MARKS = "*_[<`~|&"
_LINK_REL = "nofollow noopener noreferrer"
_HEADING_SHIFT = 2
_URL = re.compile(r"https?://[^\s<>\"\u3000-\u303f\uff01-\uff60]+", re.IGNORECASE)
# What plain text keeps of each kind of token, and what it puts in the gaps.
_WORDY = {"text", "code_inline", "fence", "code_block", "image"}
_GAPS = {
    "softbreak": "\n",
    "hardbreak": "\n",
    "paragraph_close": "\n",
    "heading_close": "\n",
    "tr_close": "\n",
    "td_close": "\t",
    "th_close": "\t",
}
_PARAGRAPH_ENDS = {"paragraph_close", "heading_close"}
_WORD = re.compile(r"\S+")
_BLANK_LINES = re.compile(r"\n{3,}")

_CLEANER = nh3.Cleaner(
    tags={"a", "br", "code", "em", "s", "strong", "h3", "h4", "h5", "h6", "p", "pre"}
    | {"blockquote", "hr", "ul", "ol", "li"}
    | {"table", "thead", "tbody", "tr", "th", "td", "span"},
    attributes={"a": {"href", "title"}, "ol": {"start"}},
    url_schemes={"http", "https", "mailto", "tel"},
    link_rel=_LINK_REL,
    # Whom a text calls: drawn here alone, since HTML that people write is no HTML.
    allowed_classes={"span": {"mention", "mention-me"}},
)

# Characters of the longest text whose HTML is remembered.
_REMEMBERED = 4_000


def to_html(text: str, marks: Marks = NO_MARKS) -> Markup:
    """Show Markdown as HTML that holds no script, style, picture, h1 or h2."""
    # What people wrote last is drawn again and again; what is long is kept by nobody.
    if "#" not in text and not marks.names:
        marks = NO_MARKS
    return _shown(text, marks) if len(text) <= _REMEMBERED else _show(text, marks)


@lru_cache(maxsize=2_000)
def _shown(text: str, marks: Marks) -> Markup:
    return _show(text, marks)


def _show(text: str, marks: Marks) -> Markup:
    text = _well_formed(text)
    tokens = _parse(text, marks)
    if tokens is None:
        return _as_typed(text)
    html = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    return Markup(_CLEANER.clean(html))  # noqa: S704 - cleaned in this very line.


def to_text(markdown: str) -> str:
    """Give the words of Markdown without its marks, a line for each paragraph."""
    markdown = _well_formed(markdown)
    tokens = _parse(markdown)
    if tokens is None:
        return markdown.strip()
    return _BLANK_LINES.sub("\n\n", "".join(_words(tokens))).strip()


def spoken(markdown: str) -> str:
    """Give the words of Markdown that are no code, which names and tags stand in."""
    tokens = _parse(_well_formed(markdown))
    return "" if tokens is None else "".join(_words(tokens, {"text"}))


def excerpt(text: str, length: int = 160) -> str:
    """Cut plain text to one line of at most `length` characters, at a word's end."""
    words: list[str] = []
    size = -1
    # Splitting all of a long text only to show its first words would be waste.
    for word in _WORD.finditer(text):
        words.append(word.group())
        size += 1 + len(words[-1])
        if size > length:
            break
    line = " ".join(words)
    if size <= length:
        return line
    cut = line[: max(length - 1, 0)]
    if line[len(cut)] != " ":
        whole_words = cut.rpartition(" ")[0]
        # Chinese has no spaces, and a web address may fill the line: cut those.
        cut = whole_words if len(whole_words) >= length // 2 else cut
    return cut.rstrip(" ,;:.-–—") + "…"


def _well_formed(text: str) -> str:
    """Replace lone surrogates, which no encoder and no database takes."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _parse(text: str, marks: Marks = NO_MARKS) -> list[Token] | None:
    """Read Markdown; None when it is too large, too dense or too deep to be a note."""
    if len(text) > MAX_CHARACTERS or text.count("\n") > MAX_LINES:
        return None
    if sum(text.count(mark) for mark in _MARKS) > MAX_MARKS:
        return None
    tokens = _MARKDOWN.parse(text, {"marks": marks})
    return None if _depth(tokens) >= MAX_DEPTH else tokens


def _depth(tokens: Sequence[Token]) -> int:
    deepest = level = 0
    for token in tokens:
        level += token.nesting
        inner = _depth(token.children) if token.children else 0
        deepest = max(deepest, level + inner)
    return deepest


def _as_typed(text: str) -> Markup:
    """Show text as it is, line by line."""
    lines = str(escape(text.strip())).splitlines()
    return Markup("<p>" + "<br>\n".join(lines) + "</p>")  # noqa: S704 - escaped above.


def _words(tokens: Sequence[Token], wordy: Collection[str] = _WORDY) -> Iterator[str]:
    for token in tokens:
        if token.type == "inline":
            yield from _words(token.children or (), wordy)
        elif token.type in wordy:
            yield token.content
        elif token.type in _WORDY:
            # Two words with code between them are not one.
            yield " "
        else:
            yield _GAPS.get(token.type, "")
        if token.type in _PARAGRAPH_ENDS and token.level == 0:
            yield "\n"


def _demote_headings(state: StateCore) -> None:
    """Put a note's headings below the h1 and h2 of the page it stands on."""
    for token in state.tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1]) + _HEADING_SHIFT, 6)}"


def _link_addresses(state: StateCore) -> None:
    """Make bare web addresses links; markdown-it's own rule needs another library."""
    for block in state.tokens:
        if block.type != "inline" or "://" not in block.content:
            continue
        linked: list[Token] = []
        inside_link = 0
        for token in block.children or ():
            if token.type in {"link_open", "link_close"}:
                inside_link += token.nesting
            if token.type == "text" and not inside_link:
                linked.extend(_with_links(token, state.md))
            else:
                linked.append(token)
        block.children = linked


def _with_links(token: Token, md: MarkdownIt) -> Iterator[Token]:
    start = 0
    for match in _URL.finditer(token.content):
        url = _without_punctuation(match.group())
        href = md.normalizeLink(url)
        if not md.validateLink(href):
            continue
        yield text_like(token, token.content[start : match.start()])
        yield Token("link_open", "a", 1, attrs={"href": href}, level=token.level)
        yield text_like(token, url)
        yield Token("link_close", "a", -1, level=token.level)
        start = match.start() + len(url)
    yield text_like(token, token.content[start:])


def _without_punctuation(url: str) -> str:
    """Leave out what ends the sentence and not the address."""
    url = url.rstrip(".,:;!?'*_")
    if url.endswith(")") and "(" not in url:
        url = url.rstrip(").,:;!?'*_")
    return url


def _render_image(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, *_rest: Any
) -> str:
    """Draw a picture as a link: loading it would tell its server who reads."""
    token = tokens[index]
    source = escape(token.attrGet("src") or "")
    return f'<a href="{source}">{escape(token.content or source)}</a>'


def _make_parser() -> MarkdownIt:
    options = {"html": False, "breaks": True, "maxNesting": MAX_DEPTH}
    md = MarkdownIt("commonmark", options).enable(["table", "strikethrough"])
    md.core.ruler.push("demote_headings", _demote_headings)
    md.core.ruler.push("link_addresses", _link_addresses)
    md.core.ruler.push("mark_names_and_tags", mark_names_and_tags)
    md.add_render_rule("image", _render_image)
    # Rules are compiled at first use, and two threads at once would then see none.
    md.render("# a\n\n> - **b** [c](d)")
    return md


_MARKDOWN = _make_parser()
