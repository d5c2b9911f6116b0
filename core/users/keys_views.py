"""The keys of somebody's own: switched off, or others than the usual ones."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from core.errors import CRMError
from core.i18n import _
from core.pages import on_refusal
from core.permissions import me, signed_in
from core.users.desk import KEYS, change_keys, desk_of

bp = Blueprint("keys", __name__)


@bp.app_template_global()
def key_lines() -> list[tuple[str, Any, str]]:
    """Give a form its lines: the usual key, what it does, the key it has now."""
    typed, changed = request.form, desk_of(me()).changed_keys
    return [
        (usual, title, typed.get(f"key.{usual}", changed.get(usual, usual)))
        for usual, title in KEYS.items()
    ]


@bp.app_template_global()
def single_keys_wanted() -> bool:
    """Say whether single keys do anything for the reader."""
    return desk_of(me()).single_keys


def _draw(error: CRMError | None = None) -> Any:
    return render_template(
        "core/users/keys_page.html", key_errors=error.errors if error else {}
    )


@bp.get("/me/keys")
@signed_in
def show() -> Any:
    """Show one's keys."""
    return _draw()


@bp.post("/me/keys")
@signed_in
@on_refusal(_draw)
def save() -> Any:
    """Keep one's keys."""
    form = request.form
    usual = "usual" in form
    chosen = {one: one if usual else form.get(f"key.{one}", "").strip() for one in KEYS}
    change_keys(me(), single_keys=usual or form.get("single") == "1", chosen=chosen)
    flash(_("Saved."), "ok")
    return redirect(url_for("users.mine", _anchor="keys-of-mine"), 303)
