"""What belongs to one entry, shown in place: its replies, its past, its reactions."""

from typing import Any

from flask import render_template, request, url_for

from core.interactions.history import edits_of
from core.interactions.models import Interaction
from core.interactions.permissions import READ, WRITE
from core.permissions import me, requires
from core.visibility import get_visible
from plugins.interactions import answers
from plugins.interactions.reactions import has_reacted, react, reactions_on
from plugins.interactions.schemas import HistoryForm, ReactionForm, sent
from plugins.interactions.threads import draw_thread
from plugins.interactions.trashed import entry_or_trashed
from plugins.interactions.views import bp as bp


@bp.get("/interactions/<int:interaction_id>/replies")
@requires(READ)
def replies(interaction_id: int) -> Any:
    """Show the replies to an entry under it, and the place to reply."""
    entry = entry_or_trashed(me(), interaction_id)
    return draw_thread(entry, focus="reply" in request.args)


@bp.get("/interactions/<int:interaction_id>/history")
@requires(READ)
def history(interaction_id: int) -> Any:
    """Show what an entry said before, and who changed it."""
    entry = entry_or_trashed(me(), interaction_id)
    before = HistoryForm().load(sent(request.args))["before"]
    edits, older = edits_of(entry, me(), before=before)
    whole = not request.headers.get("HX-Request")
    return render_template(
        "interactions/history_page.html" if whole else "interactions/history.html",
        record=entry,
        edits=edits,
        older_url=url_for(".history", interaction_id=entry.id, before=older)
        if older
        else "",
    )


@bp.post("/interactions/<int:interaction_id>/react")
@requires(WRITE, portal=True)
def react_to(interaction_id: int) -> Any:
    """Leave a sign on an entry, or take one's own away again."""
    entry = get_visible(me(), Interaction, interaction_id)
    name = ReactionForm().load(sent(request.form))["reaction"]
    react(entry, me(), name, on=not has_reacted(entry, me(), name))
    if not request.headers.get("HX-Request"):
        return answers.back(entry)
    shown = {"id": entry.id, "parts": {"reactions": reactions_on(entry, me())}}
    return render_template("interactions/reactions.html", entry=shown)
