"""/admin/users/<id>/leave: what hangs on a colleague who leaves, and who takes it."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from core.admin.permissions import USERS
from core.columns import id_in
from core.db import db
from core.errors import CRMError, Invalid
from core.i18n import _
from core.pages import on_refusal
from core.permissions import me, requires
from core.users.deputy_views import colleagues_of
from core.users.leaving import belongings_of, leave, marks
from core.users.models import User
from core.visibility import get_visible

bp = Blueprint("leaving", __name__, url_prefix="/admin/users")


def _draw(error: CRMError | None = None, *, user_id: int) -> Any:
    user = get_visible(me(), User, user_id)
    return render_template(
        "core/admin/leave.html",
        user=user,
        belongings=belongings_of(user),
        colleagues=colleagues_of(user),
        form=request.form,
        errors=error.errors if error else {},
    )


@bp.get("/<int:user_id>/leave")
@requires(USERS)
def ask(user_id: int) -> Any:
    """Show what hangs on a colleague, and ask who takes it over."""
    return _draw(user_id=user_id)


@bp.post("/<int:user_id>/leave")
@requires(USERS)
@on_refusal(_draw)
def let_go(user_id: int) -> Any:
    """Close the account and hand over what hung on it."""
    user = get_visible(me(), User, user_id)
    if user.id == me().id:
        raise Invalid(errors={"to": [_("You cannot close your own account.")]})
    receivers = {
        mark.key: _colleague(mark.key)
        for mark in marks("owner")
        if request.form.get(mark.key)
    }
    leave(user, to=_colleague("to"), receivers=receivers)
    flash(_("%(name)s has left; their work has changed hands.", name=user.name), "ok")
    return redirect(url_for("leaving.ask", user_id=user.id), 303)


def _colleague(field: str) -> User:
    chosen = id_in(request.form.get(field, ""))
    found = None if chosen is None else db.session.get(User, chosen)
    if found is None:
        raise Invalid(errors={field: [_("Choose a colleague.")]})
    return found
