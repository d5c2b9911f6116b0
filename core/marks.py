"""What `@` and `#` in a text mean: whom it calls, and what it is about.

They are found in words alone, never in code, and drawn as badges and links.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from markdown_it.rules_core import StateCore
from markdown_it.token import Token

# A tag begins with a letter, so that "#12" stays a number and "# Title" a heading.
# Chinese has no blank before either.
_ALONE = r"(?<![^\W\u4e00-\u9fff])"
TAG = re.compile(_ALONE + r"(?<![#/&])#(?P<tag>[^\W\d_][\w-]{0,79})")
MOST_OF_TAG: Final = 80
_CLOSED = {"link_open", "link_close", "mention_open", "mention_close"}


@dataclass(frozen=True)
class Marks:
    """What `@` and `#` in a text are to its reader.

    `names` are whom it calls: as it is written, as it is shown, and whether it is the
    reader. `tags` is the address of a list to which the tag is added.
    """

    names: tuple[tuple[str, str, bool], ...] = ()
    tags: str = ""


NO_MARKS: Final = Marks()


def plain(name: str) -> str:
    """Give a name as it is looked up, whatever its capitals."""
    return name.casefold()


def tag_of(word: str) -> str:
    """Give a tag as it is kept: in small letters, which may be more than were typed."""
    return word.casefold()[:MOST_OF_TAG]


def mention_pattern(names: Iterable[str]) -> re.Pattern[str]:
    """Find `@name` of any of `names`, the longest that fits, in any capitals.

    What it finds may still be no name of these: to a pattern "ı" is a small "I".
    """
    # After a Latin name no letter follows; Chinese has no blanks between words.
    ways = (
        re.escape(one) + (r"(?!\w)" if one[-1:].isascii() else "")
        for one in sorted(set(names), key=len, reverse=True)
    )
    return re.compile(rf"{_ALONE}(?<![@/.])@(?P<name>{'|'.join(ways)})", re.IGNORECASE)


def mark_names_and_tags(state: StateCore) -> None:
    """Put badges in place of names, and links in place of tags."""
    marks: Marks = state.env.get("marks", NO_MARKS)
    if marks.names:
        shown = {plain(name): (word, me) for name, word, me in marks.names}
        # As they are written too: in small letters "Groß" has one letter more.
        pattern = mention_pattern([*shown, *(name for name, _w, _m in marks.names)])
        _replace(state, pattern, lambda found: _name(found, shown))
    if marks.tags:
        _replace(state, TAG, lambda found: _tag(found["tag"], marks.tags))


def _replace(
    state: StateCore,
    pattern: re.Pattern[str],
    make: Callable[[re.Match[str]], list[Token]],
) -> None:
    """Put other tokens in place of words, but not in links, badges and code."""
    for block in state.tokens:
        if block.type != "inline":
            continue
        made: list[Token] = []
        inside = 0
        for token in block.children or ():
            inside += token.nesting if token.type in _CLOSED else 0
            if token.type != "text" or inside:
                made.append(token)
                continue
            start = 0
            for found in pattern.finditer(token.content):
                made.append(text_like(token, token.content[start : found.start()]))
                made.extend(make(found))
                start = found.end()
            made.append(text_like(token, token.content[start:]))
        block.children = made


def _name(found: re.Match[str], shown: Mapping[str, tuple[str, bool]]) -> list[Token]:
    known = shown.get(plain(found["name"]))
    return _badge(*known) if known else [Token("text", "", 0, content=found[0])]


def _badge(word: str, me: bool) -> list[Token]:
    names = {"class": "mention mention-me" if me else "mention"}
    name = Token("text", "", 0, content=f"@{word}")
    begin = Token("mention_open", "span", 1, attrs=dict(names))
    return [begin, name, Token("mention_close", "span", -1)]


def _tag(word: str, address: str) -> list[Token]:
    href = address + quote(tag_of(word), safe="")
    begin = Token("link_open", "a", 1, attrs={"href": href})
    name = Token("text", "", 0, content=f"#{word}")
    return [begin, name, Token("link_close", "a", -1)]


def text_like(token: Token, content: str) -> Token:
    """Make the token of a part of a text."""
    return Token("text", "", 0, content=content, level=token.level)
