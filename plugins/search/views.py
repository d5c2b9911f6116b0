"""/search: one box over everything the reader may see."""

from typing import Any

from flask import Blueprint, render_template, request

from core.errors import NotFound
from core.permissions import me, requires
from core.references import seen_by
from plugins.search import refining, saved, services
from plugins.search.asking import allowed_for
from plugins.search.operators import offered, without
from plugins.search.permissions import READ
from plugins.search.related import related
from plugins.search.spelling import did_you_mean

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
    refined = refining.chosen(request.args)
    results = services.search(
        me(),
        text,
        types=[kind] if kind else (),
        limit=PAGE,
        offset=(number - 1) * PAGE,
        refined=refined,
    )
    meant = did_you_mean(me(), text, results, types=[kind] if kind else ())
    return render_template(
        "search/index.html",
        text=text,
        results=results,
        meant=meant,
        meant_url=refining.here(q=meant) if meant else "",
        tabs_=refining.tabs(me(), text, kind, refined, results),
        orders=refining.orders(refined),
        periods=refining.periods(refined),
        teams=refining.teams(me(), text, results),
        narrowed=[
            (one.text, refining.here(q=without(text, one))) for one in results.operators
        ],
        offered=[
            (one, refining.here(q=f"{text} {one}".strip()))
            for one in offered(allowed_for(me()))
        ],
        next_url=refining.here(page=number + 1)
        if number * PAGE < results.total
        else "",
        prev_url=refining.here(page=number - 1) if number > 1 else "",
        keeps=me().kind == "staff",
        kept=saved.kept_as(me(), text, kind) if text else None,
        searches=[] if text else saved.searches_of(me()),
        address_of=saved.address_of,
    )


@bp.get("/search/related/<path:ref>")
@requires(READ)
def related_to(ref: str) -> Any:
    """What else is about the same as a record."""
    record = seen_by(me(), [ref]).get(ref)
    if record is None:
        raise NotFound
    part = request.headers.get("HX-Request")
    return render_template(
        "search/related.html" if part else "search/related_page.html",
        found=related(me(), record),
    )
