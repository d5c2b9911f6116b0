"""The replies to an entry, drawn under it in a list, or on a page of their own."""

from typing import Any

from flask import render_template, request, url_for

from core.errors import CRMError
from core.interactions import timeline
from core.interactions.entries import show_entries
from core.interactions.files import most_bytes, with_lost_files
from core.interactions.models import Interaction
from core.interactions.permissions import WRITE
from core.permissions import can, me
from core.problems import flatten
from core.readers import readers_of
from plugins.interactions.readers import put_into_words


def draw_thread(
    entry: Interaction, error: CRMError | None = None, *, focus: bool = False
) -> Any:
    """Draw the replies to an entry: a part of a list, or a page without scripts."""
    cursor = request.args.get("cursor") or None
    page = timeline.replies_to(me(), entry, cursor=cursor)
    context: dict[str, Any] = {
        "record": entry,
        "replies": show_entries(page.items, me(), on=entry.contact),
        "live_url": _address(entry),
        "more_url": url_for(
            "interactions.replies", interaction_id=entry.id, cursor=page.next
        )
        if page.next
        else "",
        "typed": request.form.get("body", "") if error else "",
        "errors": with_lost_files(flatten(error.errors)) if error else {},
        "files_most": most_bytes(me()),
        "focus": focus or error is not None,
    }
    target = request.headers.get("HX-Target")
    if target == f"entry-{entry.id}-more-replies":
        return render_template("interactions/replies_more.html", **context)
    [context["entry"]] = show_entries([entry], me())
    if can(WRITE) and entry.trashed_at is None:
        context["who"] = put_into_words(readers_of(entry.audience.spec))
    template = "interactions/replies.html"
    if target == f"entry-{entry.id}-replies-box":
        template = "interactions/thread.html"
    elif not request.headers.get("HX-Request"):
        template = "interactions/replies_page.html"
    return render_template(template, **context)


def _address(entry: Interaction, **more: Any) -> str:
    return url_for("interactions.replies", interaction_id=entry.id, **more)
