"""/presence: a page says that it is open, and is told who else has it open."""

from typing import Any

from flask import Blueprint, current_app, flash, redirect, request, url_for
from sqlalchemy.orm import lazyload

from core.db import Record, db
from core.errors import Invalid, NotFound
from core.i18n import _
from core.permissions import can, colleagues_only, me
from core.presence import services
from core.records import parse_ref, record_types
from core.visibility import visible_to

bp = Blueprint("presence", __name__)

DOINGS = ("open", "writing", "gone")


def _record(ref: str) -> Record:
    """Load what a page is about; to who may not see it, it is not there."""
    if not ref:
        raise Invalid(errors={"about": [_("Say what is open.")]})
    parsed = parse_ref(ref)
    kind = record_types().get(parsed[0]) if parsed else None
    if parsed is None or kind is None or not can(kind.permission):
        raise NotFound
    # What hangs on the record is not asked for: this comes often.
    query = visible_to(me(), kind.model).options(lazyload("*"))
    found = db.session.scalar(query.where(kind.model.id == parsed[1]))
    if found is None:
        raise NotFound
    return found


def _draw(others: services.Others) -> Any:
    # Without what every page is given: this comes often, and needs none of it.
    template = current_app.jinja_env.get_template("core/presence/here.html")
    return template.render(others=others)


@bp.get("/presence")
@colleagues_only
def show() -> Any:
    """Say who else has a record open."""
    return _draw(services.others_at(_record(request.args.get("about", "")), me()))


@bp.post("/presence")
@colleagues_only
def note() -> Any:
    """Note that one has a record open, writes on it, or has gone."""
    doing = request.form.get("doing", "open")
    if doing not in DOINGS:
        raise Invalid(errors={"doing": [_("Choose one of these.")]})
    record = _record(request.form.get("about", ""))
    if doing == "gone":
        services.leave(record, me())
        return "", 204
    return _draw(services.arrive(record, me(), writing=doing == "writing"))


@bp.post("/me/presence")
@colleagues_only
def choose() -> Any:
    """Choose whether colleagues see what one has open."""
    services.hide(me(), hidden=request.form.get("shown") != "1")
    flash(_("Saved."), "ok")
    return redirect(url_for("users.mine"), 303)
