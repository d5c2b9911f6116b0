"""/search: one box over everything the reader may see."""

from typing import Any

from flask import Blueprint, render_template, request, url_for

from core.i18n import _
from core.permissions import me, requires
from plugins.search import services
from plugins.search.asking import allowed_for, readable_types
from plugins.search.operators import offered, without
from plugins.search.permissions import READ

bp = Blueprint("search", __name__)

PAGE = 20
# Numbered pages stop here; nobody reads further, and counting goes no further.
LAST = 50


@bp.get("/search")
@requires(READ, portal=True)
def index() -> Any:
    """The search page: hits best first, with the words marked."""
    text = request.args.get("q", "").strip()
    kind = request.args.get("type", "")
    number = min(max(request.args.get("page", 1, type=int), 1), LAST)
    allowed = allowed_for(me())
    results = services.search(
        me(),
        text,
        types=[kind] if kind else (),
        limit=PAGE,
        offset=(number - 1) * PAGE,
    )
    return render_template(
        "search/index.html",
        text=text,
        results=results,
        tabs_=_tabs(text, kind),
        narrowed=[(one.text, _here(without(text, one))) for one in results.operators],
        offered=[(one, _here(f"{text} {one}".strip())) for one in offered(allowed)],
        next_url=_page_url(number + 1) if results.total > number * PAGE else "",
        prev_url=_page_url(number - 1) if number > 1 else "",
    )


def _here(text: str) -> str:
    return url_for("search.index", q=text, type=request.args.get("type"))


def _page_url(number: int) -> str:
    text, kind = request.args.get("q", ""), request.args.get("type")
    return url_for("search.index", q=text, type=kind, page=number)


def _tabs(text: str, chosen: str) -> list[tuple[Any, str, bool, int | None]]:
    """One tab for everything, and one for each type that has hits."""
    if not text:
        return []
    types = readable_types(me())
    counts = services.count_by_type(me(), text)
    here = url_for("search.index", q=text)
    tabs: list[tuple[Any, str, bool, int | None]] = [(_("All"), here, not chosen, None)]
    for name, count in counts.items():
        address = url_for("search.index", q=text, type=types[name].short)
        current = chosen in {name, types[name].short}
        tabs.append((types[name].title, address, current, count))
    return tabs
