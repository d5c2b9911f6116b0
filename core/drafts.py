"""Drafts lie in the browser; only the server knows that their words have arrived."""

import re
from typing import Final

from flask import Response, current_app, request

COOKIE: Final = "rapport-arrived"
_ID: Final = re.compile(r"[a-z0-9]{8,40}")
_SECONDS: Final = 600


def tell_it_arrived(response: Response) -> None:
    """Name in a cookie the draft that a form sent, once its words are committed.

    A page that is shown next proves nothing: the connection may have failed, or the
    session have ended, and the draft is all that is left.
    """
    if request.method != "POST" or response.status_code not in {302, 303}:
        return
    sent = request.form.get("draft", "")
    if _ID.fullmatch(sent):
        response.set_cookie(
            COOKIE,
            sent,
            max_age=_SECONDS,
            path=request.script_root or "/",
            secure=bool(current_app.config["SESSION_COOKIE_SECURE"]),
            samesite="Lax",
        )
