"""/admin/private: opening a private entry once, with a reason."""

from typing import Any

from flask import Blueprint, make_response, render_template, request

from core.admin.permissions import USERS
from core.admin.services import private
from core.errors import CRMError, NotFound
from core.interactions.entries import show_entries
from core.pages import on_refusal
from core.permissions import me, requires
from core.users.models import User
from core.visibility import get_visible

bp = Blueprint("private", __name__, url_prefix="/admin")


def _draw(user: User, error: CRMError | None = None) -> Any:
    return render_template(
        "core/admin/private.html",
        user=user,
        entries=private.private_entries_of(user),
        reason=request.form.get("reason", ""),
        errors=error.errors if error else {},
    )


def _draw_refused(error: CRMError, *, interaction_id: int) -> Any:
    author = private.closed_entry(interaction_id).author
    if author is None:
        raise NotFound
    return _draw(author, error)


@bp.get("/users/<int:user_id>/private")
@requires(USERS)
def of_user(user_id: int) -> Any:
    """How many private entries somebody has and from when; not what they say."""
    return _draw(get_visible(me(), User, user_id))


@bp.post("/private/<int:interaction_id>/open")
@requires(USERS)
@on_refusal(_draw_refused)
def open_entry(interaction_id: int) -> Any:
    """Show one private entry, this once: it stands in no address and no cache."""
    entry = private.closed_entry(interaction_id)
    reason = request.form.get("reason", "")
    private.open_private(entry, reason=reason, by=me())
    [shown] = show_entries([entry], me())
    page = render_template("core/admin/private_entry.html", entry=shown)
    response = make_response(page)
    response.headers["Cache-Control"] = "no-store"
    return response
