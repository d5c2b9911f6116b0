"""Keeping searches, hearing of what is new in them, and forgetting them."""

from typing import Any

from flask import flash, redirect, request, url_for

from core.i18n import _
from core.permissions import me, requires
from plugins.search import saved
from plugins.search.permissions import READ
from plugins.search.views import bp as bp


def _back(address: str) -> Any:
    return redirect(address, 303)


@bp.post("/search/saved")
@requires(READ)
def keep() -> Any:
    """Keep a search, and say when something new is found if that is wanted."""
    text, kind = request.form.get("q", ""), request.form.get("type", "")
    kept = saved.keep_search(me(), text, kind)
    if request.form.get("news"):
        saved.want_news(kept, wanted=True)
    flash(_("Kept. It stands on the page of search."), "ok")
    return _back(saved.address_of(kept))


@bp.post("/search/saved/<int:search_id>/news")
@requires(READ)
def news(search_id: int) -> Any:
    """Hear of new hits of a search, or not any more."""
    kept = saved.own_search(me(), search_id)
    wanted = bool(request.form.get("wanted"))
    saved.want_news(kept, wanted=wanted)
    said = _("You hear of new hits.") if wanted else _("You hear of new hits no more.")
    flash(said, "ok")
    return _back(url_for("search.index"))


@bp.post("/search/saved/<int:search_id>/forget")
@requires(READ)
def forget(search_id: int) -> Any:
    """Keep a search no longer."""
    saved.forget_search(saved.own_search(me(), search_id))
    flash(_("It is kept no longer."), "ok")
    return _back(url_for("search.index"))
