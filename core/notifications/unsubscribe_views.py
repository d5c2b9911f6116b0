"""/unsubscribe: the link in a mail that stops such mails, without signing in.

A mail program may press the button by itself: RFC 8058, section 3. So the address
holds all there is to know, signed, and reading the page changes nothing.
"""

from typing import Any

from flask import Blueprint, Response, render_template

from core.notifications import choosing
from core.pages import notification_kinds
from core.permissions import public, sent_from_anywhere

bp = Blueprint("unsubscribe", __name__, url_prefix="/unsubscribe")

GONE = 410


@bp.after_request
def keep_the_secret(response: Response) -> Response:
    """Let the link reach neither a log through Referer nor a cache."""
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response


def _draw(token: str, *, done: bool) -> Any:
    found = choosing.read_token(token)
    if found is None:
        return render_template("core/notifications/unsubscribe.html", gone=True), GONE
    user, kinds = found
    if done:
        choosing.unsubscribe(user, kinds)
    known = notification_kinds()
    return render_template(
        "core/notifications/unsubscribe.html",
        token=token,
        done=done,
        titles=[known[one].title for one in kinds if one in known],
    )


@bp.get("/<token>")
@public
def show(token: str) -> Any:
    """Ask whether these mails should stop."""
    return _draw(token, done=False)


@bp.post("/<token>")
@public
@sent_from_anywhere
def stop(token: str) -> Any:
    """Stop them; pressing twice is harmless."""
    return _draw(token, done=True)
