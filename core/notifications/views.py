"""The notifications page, the bell's number, and opening a line."""

from itertools import groupby
from typing import Any

import flask_babel
from flask import Blueprint, flash, redirect, render_template, request, url_for

from core.db import db, writes
from core.i18n import ngettext
from core.notifications import services
from core.notifications.models import Notification
from core.permissions import me, signed_in
from core.schemas import keyset_page

bp = Blueprint("notifications", __name__)

SHOWN = 50


@bp.get("/notifications")
@signed_in
def index() -> Any:
    """What is new, then what was read, by day."""
    unread = Notification.read_at.is_(None)
    order = [Notification.created_at, Notification.id]
    cursor = request.args.get("cursor")
    seen = services.seen_by(me())
    new: list[services.Line] = []
    if not cursor:
        newest = [one.desc() for one in order]
        found = seen.where(unread).order_by(*newest).limit(services.MOST_COUNTED)
        new = services.lines(db.session.scalars(found).all(), me())
    page = keyset_page(
        seen.where(~unread), order, cursor=cursor, limit=SHOWN, descending=True
    )
    read = services.lines(page.items, me())
    return render_template(
        "core/notifications/index.html",
        new=_by_day(new),
        read=_by_day(read),
        older_url=url_for("notifications.index", cursor=page.next) if page.next else "",
    )


def _by_day(lines: list[services.Line]) -> list[tuple[Any, list[services.Line]]]:
    """Group lines by the reader's own days."""
    grouped = groupby(
        lines, lambda one: flask_babel.to_user_timezone(one.row.created_at).date()
    )
    return [(day, list(some)) for day, some in grouped]


@bp.get("/notifications/bell")
@signed_in
def bell() -> Any:
    """Draw the bell's number again."""
    return render_template("core/notifications/number.html")


@bp.get("/notifications/<int:notification_id>")
@signed_in
@writes
def open_one(notification_id: int) -> Any:
    """Mark a line read and go to what it is about."""
    row = services.load_notification(me(), notification_id)
    services.mark_read(me(), row)
    line = services.lines([row], me())[0]
    return redirect(line.url or url_for("notifications.index"), 303)


@bp.post("/notifications/read")
@signed_in
def read_all() -> Any:
    """Mark all read."""
    count = services.mark_all_read(me())
    said = ngettext(
        "%(num)d notification marked as read.",
        "%(num)d notifications marked as read.",
        count,
    )
    flash(said, "ok")
    return redirect(url_for("notifications.index"), 303)
