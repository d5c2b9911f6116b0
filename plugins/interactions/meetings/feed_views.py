"""The calendar somebody subscribes to, and the page on which they get its address."""

import hashlib
from typing import Any

from flask import (
    Response,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)

from core.db import db, now
from core.errors import NotFound
from core.i18n import _
from core.interactions.permissions import READ
from core.permissions import can, me, public, requires
from plugins.interactions.meetings import feed
from plugins.interactions.views import bp as bp


@bp.app_context_processor
def _beside_ones_own_pages() -> dict[str, Any]:
    """Give one's own pages the way to the calendar."""
    if not can(READ) or me().kind != "staff":
        return {}
    return {"own_places": [(_("Calendar"), "interactions.calendar_address")]}


def _base() -> str:
    """Give the address of this server: PUBLIC_URL, or as the browser names it."""
    return str(current_app.config["PUBLIC_URL"] or request.host_url).rstrip("/")


@bp.get("/calendar/<file>")
@public
def calendar(file: str) -> Any:
    """Give the meetings of whose address this is; a stranger learns nothing.

    Answers 304 to `If-None-Match` and `If-Modified-Since` (RFC 9110, section 13).
    """
    secret, dot, ending = file.rpartition(".")
    found = feed.open_feed(secret) if dot and ending == "ics" else None
    if found is None:
        raise NotFound
    row, user = found
    content = feed.write_feed(user, _base())
    digest = hashlib.sha256(content).hexdigest()
    changed = row.changed_at
    if digest != row.content_hash:
        # What is gone leaves no newer date behind, so the content itself is asked.
        user_id, changed = user.id, now()
        db.aside(lambda: feed.note_content(user_id, digest))
    answer = Response(content, mimetype="text/calendar")
    answer.set_etag(digest)
    answer.last_modified = changed
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.headers["Content-Disposition"] = 'inline; filename="meetings.ics"'
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer.make_conditional(request)


@bp.get("/interactions/calendar")
@requires(READ)
def calendar_address() -> Any:
    """One's own calendar address: that there is one, and how it ends."""
    return _draw()


def _draw(address: str = "") -> Any:
    return render_template(
        "interactions/calendar.html", feed=feed.feed_of(me()), address=address
    )


@bp.post("/interactions/calendar")
@requires(READ)
def renew_calendar() -> Any:
    """Make a new address, and show it this once; the old one opens nothing more."""
    secret = feed.renew_feed(me())
    here = url_for("interactions.calendar", file=f"{secret}.ics")
    return _draw(f"{_base()}{here}")


@bp.post("/interactions/calendar/end")
@requires(READ)
def end_calendar() -> Any:
    """Take one's calendar address away."""
    feed.end_feed(me())
    flash(_("The address opens nothing any more."), "ok")
    return redirect(url_for("interactions.calendar_address"), 303)
