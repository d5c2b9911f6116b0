"""/admin/plugins: which plugins are here, how they are; off and on, out and back."""

from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for

from core.admin.permissions import SYSTEM
from core.admin.services import plugin_switching as switching
from core.admin.services.plugins import PluginState, plugin_states
from core.admin.views.blueprint import bp
from core.db import db
from core.errors import CRMError, NotFound
from core.i18n import _, ngettext
from core.pages import on_refusal
from core.permissions import requires


def _app() -> Any:
    return current_app._get_current_object()  # type: ignore[attr-defined]


def _draw(error: CRMError | None = None, **_more: object) -> Any:
    return render_template(
        "core/admin/plugins.html",
        plugins=plugin_states(_app()),
        said=error.message if error else "",
    )


def _known(name: str) -> PluginState:
    found = [one for one in plugin_states(_app()) if one.name == name]
    if not found:
        raise NotFound
    return found[0]


def _back(said: str) -> Any:
    flash(said, "ok")
    return redirect(url_for("admin.plugins"), 303)


@bp.get("/plugins")
@requires(SYSTEM)
def plugins() -> Any:
    """Every installed plugin: on or off, healthy or not, what it keeps."""
    return _draw()


@bp.post("/plugins/<name>/off")
@requires(SYSTEM)
@on_refusal(_draw)
def turn_plugin_off(name: str) -> Any:
    """Keep a plugin off from the next start on; its data stay."""
    _known(name)
    switching.switch(_app(), name, on=False)
    return _back(_("%(name)s is off from the next start on; its data stay.", name=name))


@bp.post("/plugins/<name>/on")
@requires(SYSTEM)
@on_refusal(_draw)
def turn_plugin_on(name: str) -> Any:
    """Let a plugin run again from the next start on."""
    _known(name)
    switching.switch(_app(), name, on=True)
    return _back(_("%(name)s runs from the next start on.", name=name))


def _draw_removal(error: CRMError | None = None, *, name: str) -> Any:
    state = _known(name)
    plan = switching.plan_of(_app(), name)
    return render_template(
        "core/admin/plugin_remove.html",
        plugin=state,
        plan=plan,
        lines=switching.plan_lines(plan),
        errors=error.errors if error else {},
    )


@bp.get("/plugins/<name>/remove")
@requires(SYSTEM)
def ask_removal(name: str) -> Any:
    """What removing a plugin would take away: all of it, before anything is done."""
    return _draw_removal(name=name)


@bp.post("/plugins/<name>/remove")
@requires(SYSTEM)
@on_refusal(_draw_removal)
def remove_plugin(name: str) -> Any:
    """Archive a plugin's data and take it away, when its name is typed."""
    _known(name)
    # The tables change in a transaction of their own: ours must not stand in its way.
    db.session.rollback()
    gone = switching.take_out(_app(), name, typed=request.form.get("name", ""))
    rows = sum(gone.tables.values())
    said = ngettext(
        "%(name)s is removed: %(num)d row is kept in %(file)s.",
        "%(name)s is removed: %(num)d rows are kept in %(file)s.",
        rows,
        name=name,
        file=gone.archive.name,
    )
    return _back(said)


@bp.post("/plugins/<name>/put-back")
@requires(SYSTEM)
@on_refusal(_draw)
def put_plugin_back(name: str) -> Any:
    """Put a removed plugin back with its data."""
    _known(name)
    db.session.rollback()
    back = switching.bring_back(_app(), name)
    rows = sum(back.tables.values())
    said = ngettext(
        "%(name)s is back, with %(num)d row.",
        "%(name)s is back, with %(num)d rows.",
        rows,
        name=name,
    )
    return _back(said)
