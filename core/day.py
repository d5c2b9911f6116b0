"""The blocks of "my day", drawn; those that share a list are put together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import render_template
from markupsafe import Markup

from core.pages import DayItem
from core.parts import draw


@dataclass(frozen=True)
class Block:
    """A block as the page shows it; without `html` it failed."""

    item: DayItem
    html: Markup | None


def blocks(items: Sequence[DayItem]) -> list[Block]:
    """Draw what plugins contributed, in the order of their weights."""
    together: dict[str, list[DayItem]] = {}
    for one in items:
        together.setdefault(one.joins or one.name, []).append(one)
    return [_block(some) for some in together.values()]


def _block(items: list[DayItem]) -> Block:
    first = items[0]
    if not any(one.lines for one in items):
        return Block(first, draw(first))
    drawn = list(_lines(items))
    if not drawn:
        return Block(first, None)
    # The plain sort keeps the order of the blocks where moments are the same.
    drawn.sort(key=lambda one: one[0])
    more = [one.context["more_url"] for one in items if "more_url" in one.context]
    lines = [html for _at, html in drawn]
    page = render_template("core/day_list.html", lines=lines, more=more)
    return Block(first, Markup(page))  # noqa: S704 - a template's own output


def _lines(items: list[DayItem]) -> Iterator[tuple[datetime, Markup]]:
    for item in items:
        for line in item.lines:
            html = draw(item, **line.context)
            if html is not None:
                yield line.at, html
