"""/admin/kinds: the kinds of entries, their few fields and what they begin with."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from core.admin.permissions import SETTINGS
from core.admin.services import kinds
from core.admin.views.blueprint import bp
from core.errors import CRMError, NotFound
from core.i18n import _
from core.kinds import FIELD_TYPES, ICONS, MOST_FIELDS, interaction_kinds
from core.pages import flash_undo, on_refusal
from core.permissions import requires
from core.problems import flatten


@bp.get("/kinds")
@requires(SETTINGS)
def list_kinds() -> Any:
    """All kinds that people may choose, and those of the house that are gone."""
    own = {one["name"]: one for one in kinds.own_kinds()}
    shown = [one for one in interaction_kinds().values() if one.chosen]
    gone = [one for one in own.values() if one.get("gone")]
    return render_template("core/admin/kinds.html", kinds=shown, own=own, gone=gone)


def _draw(error: CRMError | None = None, *, name: str = "", **_more: object) -> Any:
    kind = interaction_kinds().get(name)
    own = next((one for one in kinds.own_kinds() if one["name"] == name), None)
    if name and kind is None:
        raise NotFound
    values = _typed() if error else (own or {})
    rows = values.get("fields", [])
    empty = {"name": "", "title": "", "type": "text", "choices": []}
    return render_template(
        "core/admin/kind.html",
        kind=kind,
        own=own is not None or not name,
        values=values,
        beginning=request.form.get("template", kind.template if kind else ""),
        # Room for two more; who needs others saves these first.
        rows=[*rows, *([empty] * (max(4, len(rows) + 2) - len(rows)))][:MOST_FIELDS],
        types=list(FIELD_TYPES.items()),
        icons=ICONS,
        errors=flatten(error.errors) if error and error.errors else {},
    )


def _typed() -> dict[str, Any]:
    """Read the rows of fields; one without a title is none."""
    form = request.form
    rows = []
    for at in range(MOST_FIELDS):
        title = form.get(f"fields.{at}.title", "").strip()
        if not title:
            continue
        choices = form.get(f"fields.{at}.choices", "").replace("，", ",").split(",")
        row = {
            "title": title,
            "type": form.get(f"fields.{at}.type", "text"),
            "choices": [one.strip() for one in choices if one.strip()],
        }
        # The name a field got when it was made: what was written is kept under it.
        name = form.get(f"fields.{at}.name", "")
        rows.append({"name": name, **row} if name else row)
    return {
        "title": form.get("title", "").strip(),
        "icon": form.get("icon", ""),
        "fields": rows,
    }


@bp.get("/kinds/new")
@requires(SETTINGS)
def new_kind() -> Any:
    """A form for a new kind."""
    return _draw()


@bp.post("/kinds")
@requires(SETTINGS)
@on_refusal(_draw)
def add_kind() -> Any:
    """Make a kind."""
    kinds.save_kind(None, **_typed())
    flash(_("The kind is there; the next entry may be one."), "ok")
    return redirect(url_for("admin.list_kinds"), 303)


@bp.get("/kinds/<name>")
@requires(SETTINGS)
def show_kind(name: str) -> Any:
    """One kind: its fields, and what its entries begin with."""
    return _draw(name=name)


@bp.post("/kinds/<name>")
@requires(SETTINGS)
@on_refusal(_draw)
def change_kind(name: str) -> Any:
    """Change a kind of the house."""
    kinds.save_kind(name, **_typed())
    flash(_("Saved."), "ok")
    return redirect(url_for("admin.list_kinds"), 303)


@bp.post("/kinds/<name>/beginning")
@requires(SETTINGS)
@on_refusal(_draw)
def change_beginning(name: str) -> Any:
    """Say what entries of a kind begin with."""
    kinds.save_beginning(name, request.form.get("template", ""))
    flash(_("Saved."), "ok")
    return redirect(url_for("admin.list_kinds"), 303)


@bp.post("/kinds/<name>/remove")
@requires(SETTINGS)
def remove_kind(name: str) -> Any:
    """Choose a kind no more; its entries stay readable."""
    kinds.remove_kind(name)
    flash_undo(
        _("Nobody can choose it any more. Its entries stay."),
        url_for("admin.restore_kind", name=name),
    )
    return redirect(url_for("admin.list_kinds"), 303)


@bp.post("/kinds/<name>/restore")
@requires(SETTINGS)
def restore_kind(name: str) -> Any:
    """Let a kind be chosen again."""
    kinds.remove_kind(name, gone=False)
    flash(_("Put back."), "ok")
    return redirect(url_for("admin.list_kinds"), 303)
