"""/admin/settings: the house, and one form for each plugin's settings."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from core import settings as store
from core.admin.permissions import SETTINGS
from core.admin.services import kinds
from core.admin.services.roles import GROUP_TITLES
from core.admin.services.setting_forms import base_of, read_form, shown_settings
from core.admin.views.blueprint import bp
from core.errors import CRMError, NotFound
from core.i18n import _
from core.pages import on_refusal
from core.permissions import requires
from core.problems import flatten


def _title(owner: str) -> str:
    if owner == "house":
        return _("The house")
    return str(GROUP_TITLES.get(owner, owner.replace("_", " ").capitalize()))


@bp.get("/settings")
@requires(SETTINGS)
def settings() -> Any:
    """Whose settings there are, and what of them is not the default."""
    owners = [
        (owner, _title(owner), shown_settings(owner)) for owner in store.schemas()
    ]
    own_kinds = [one["title"] for one in kinds.own_kinds()]
    return render_template(
        "core/admin/settings.html", owners=owners, own_kinds=own_kinds
    )


def draw(error: CRMError | None = None, *, owner: str, **_more: object) -> Any:
    """Draw the form of an owner's settings, with what was refused in it."""
    if owner not in store.schemas():
        raise NotFound
    shown = shown_settings(owner)
    typed = request.form if error else None
    return render_template(
        "core/admin/setting.html",
        owner=owner,
        title=_title(owner),
        shown=shown,
        base=base_of(shown),
        typed=typed,
        logo=store.get("house")["logo"] if owner == "house" else None,
        errors=flatten(error.errors) if error and error.errors else {},
    )


@bp.get("/settings/<owner>")
@requires(SETTINGS)
def show_settings(owner: str) -> Any:
    """The form of one plugin's settings."""
    return draw(owner=owner)


@bp.post("/settings/<owner>")
@requires(SETTINGS)
@on_refusal(draw)
def change_settings(owner: str) -> Any:
    """Save what was changed in the form."""
    if owner not in store.schemas():
        raise NotFound
    changed = read_form(owner, shown_settings(owner), request.form)
    if changed:
        store.save(owner, changed)
    flash(_("Saved."), "ok")
    return redirect(url_for("admin.show_settings", owner=owner), 303)


@bp.post("/settings/<owner>/reset/<name>")
@requires(SETTINGS)
@on_refusal(draw)
def reset_setting(owner: str, name: str) -> Any:
    """Go back to the default."""
    if owner not in store.schemas():
        raise NotFound
    store.reset(owner, [name])
    flash(_("The default holds again."), "ok")
    return redirect(url_for("admin.show_settings", owner=owner), 303)
