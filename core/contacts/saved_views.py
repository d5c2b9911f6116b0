"""The form of a view: a filter of the contact list, kept under a name."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug import Response

from core.contacts import lists, permissions, saved
from core.contacts.models import SavedView
from core.contacts.selected_views import bp
from core.contacts.views import ROLE_TITLES, VIEWS
from core.db import db
from core.errors import CRMError
from core.i18n import _
from core.pages import flash_undo, on_refusal
from core.permissions import me, requires

__all__ = ["bp"]


def _draw(error: CRMError | None = None, view_id: int | None = None) -> Any:
    view = saved.own_view(me(), view_id) if view_id is not None else None
    values: dict[str, Any] = dict(view.asked) if view else saved.asked_in(request.args)
    values["name"] = view.name if view else request.args.get("name", "")
    if error is not None:
        values = {name: request.form.get(name, "") for name in ("name", *saved.FIELDS)}
    errors = error.errors if error else {}
    return render_template(
        "core/contacts/view_form.html",
        view=view,
        values=values,
        errors=errors,
        message=str(error.message) if error and not errors else "",
        beginnings=[(one, VIEWS[one]) for one in ("", *saved.BEGINNINGS)],
        roles=list(ROLE_TITLES.items()),
        owners=lists.colleagues(),
    )


def _to(view: SavedView) -> Response:
    return redirect(url_for("contacts.index", saved=view.id, **view.asked), 303)


@bp.get("/contacts/views/new")
@requires(permissions.READ)
def new_view() -> Any:
    """Ask under which name the present filter is kept."""
    return _draw()


@bp.post("/contacts/views")
@requires(permissions.READ)
@on_refusal(_draw)
def add_view() -> Response:
    """Keep a filter; the Undo of a removed one comes here too, with its address."""
    return _to(saved.keep_view(me(), *saved.read_form(request.values)))


@bp.get("/contacts/views/<int:view_id>")
@requires(permissions.READ)
def edit_view(view_id: int) -> Any:
    """Show a view of one's own, to be changed or removed."""
    return _draw(view_id=view_id)


@bp.post("/contacts/views/<int:view_id>")
@requires(permissions.READ)
@on_refusal(_draw)
def save_view(view_id: int) -> Response:
    """Change the name or the filter of a view."""
    view = saved.own_view(me(), view_id)
    return _to(saved.keep_view(me(), *saved.read_form(request.form), view))


@bp.post("/contacts/views/<int:view_id>/remove")
@requires(permissions.READ)
def remove_view(view_id: int) -> Response:
    """Forget a view; its Undo keeps the same filter again."""
    view = saved.own_view(me(), view_id)
    back = url_for("contacts.add_view", name=view.name, **view.asked)
    db.session.delete(view)
    if view.name and view.asked:
        flash_undo(_("Removed the view %(name)s.", name=view.name), back)
    else:
        flash(_("Removed the view."), "ok")
    return redirect(url_for("contacts.index"), 303)
