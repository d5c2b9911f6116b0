"""Recent changes, and taking them back."""

from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, flash, redirect, render_template, request, url_for

from core.db import Record
from core.errors import CRMError
from core.i18n import _
from core.pages import on_refusal
from core.permissions import me, signed_in
from core.records import record_types
from core.undo import services

bp = Blueprint("undo", __name__)


def _draw(error: CRMError | None = None, *, change_id: int | None = None) -> Any:
    del change_id
    before = request.args.get("before", type=int)
    changes, older = services.recent_changes(me(), before=before)
    said = ""
    if error is not None:
        said = error.message or " ".join(
            str(one) for messages in error.errors.values() for one in messages
        )
    return render_template(
        "core/users/changes.html",
        changes=changes,
        said=said,
        older_url=url_for("undo.index", before=older) if older else "",
    )


@bp.get("/me/changes")
@signed_in
def index() -> Any:
    """What one did in the last 30 days, each with its way back."""
    return _draw()


@bp.post("/me/undo/<int:change_id>")
@signed_in
@on_refusal(_draw)
def take_back(change_id: int) -> Any:
    """Take back something one did."""
    record = services.take_back(me(), change_id)
    kind = record_types()[record.record_name()]
    label = kind.label(record)
    flash(_("Taken back: %(what)s", what=label) if label else _("Taken back."), "ok")
    return redirect(_where_to(record), 303)


def _where_to(record: Record) -> str:
    """Stay on a list that one acted from; otherwise look at the record."""
    came_from = urlsplit(request.referrer or "")
    own = came_from.netloc == request.host
    stays = (url_for("undo.index"), url_for("core.home"))
    if own and came_from.path in stays:
        return came_from.path
    kind = record_types()[record.record_name()]
    address = None if getattr(record, "trashed_at", None) else kind.url(record, me())
    return address or url_for("undo.index")
