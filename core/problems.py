"""Show what was refused: a page for people, RFC 9457 problem details for programs."""

import logging
import sqlite3
import uuid
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, jsonify, redirect, request, url_for
from flask import render_template as render
from flask_login import AnonymousUserMixin
from marshmallow import ValidationError
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
)
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException, MethodNotAllowed, SecurityError
from werkzeug.wrappers import Response as AnyResponse

from core import settings
from core.db import db, only_reading
from core.errors import (
    BadRequest,
    Conflict,
    CRMError,
    Invalid,
    NotFound,
    NotSignedIn,
    OnlyLooking,
    PreconditionFailed,
    TooLarge,
    TooMany,
    Unavailable,
)
from core.field_words import in_words
from core.i18n import _, in_language
from core.permissions import onlooker

log = logging.getLogger("rapport")

_LOCATIONS = ("json", "form", "query", "files")
_FOR_PROGRAMS = ("application/json", "application/problem+json", "text/event-stream")
_FRAMEWORK: dict[int, type[CRMError]] = {
    404: NotFound,
    413: TooLarge,
    503: Unavailable,
}


def for_program() -> bool:
    """Say whether the answer goes to a program: the API, or one that asks for JSON."""
    if request.path.startswith("/api/"):
        return True
    best = request.accept_mimetypes.best_match(["text/html", *_FOR_PROGRAMS])
    return best in _FOR_PROGRAMS


def init_problems(app: Flask) -> None:
    """Give `app` its one way of showing errors."""
    app.register_error_handler(CRMError, show)
    app.register_error_handler(ValidationError, _show_validation)
    app.register_error_handler(IntegrityError, _show_integrity)
    app.register_error_handler(StaleDataError, _show_stale)
    app.register_error_handler(HTTPException, _show_http)
    for away in (OperationalError, InterfaceError):
        app.register_error_handler(away, _show_database)
    for impossible in (DataError, OverflowError, RecursionError):
        app.register_error_handler(impossible, _show_impossible)
    app.register_error_handler(Exception, _show_unexpected)


def show(error: CRMError) -> Any:
    """Answer with `error`, in the form its reader understands."""
    looks = onlooker() if isinstance(error, OnlyLooking) else None
    with only_reading():
        if looks is None:
            return _show(error)
        # Whom they look as reads none of this.
        with in_language(looks.language):
            return _show(error)


def _show(error: CRMError) -> Any:
    if for_program():
        return _problem(error)
    view = current_app.view_functions.get(request.endpoint or "")
    draw = getattr(view, "on_refusal", None)
    if draw is not None and isinstance(error, Invalid | Conflict):
        try:
            drawn = draw(error, **(request.view_args or {}))
            # A form that is not there any more says so with a status of its own.
            return drawn if isinstance(drawn, tuple) else (drawn, error.status)
        except CRMError as hidden:
            # The form itself is not for this reader.
            return _page(hidden)
    if isinstance(error, NotSignedIn) and request.method == "GET":
        here = request.full_path.rstrip("?")
        return redirect(url_for("users.sign_in", next=here))
    return _page(error)


def _problem(error: CRMError) -> Response:
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": str(error.title),
        "status": error.status,
        "detail": str(error.message),
        "instance": request.path,
    }
    if error.errors:
        body["errors"] = flatten(error.errors)
    if error.status >= 500:
        body["request_id"] = g.get("request_id")
    answer = jsonify(body)
    answer.status_code = error.status
    answer.content_type = "application/problem+json"
    return _with_headers(answer, error)


def _page(error: CRMError) -> Response:
    for attempt in (_draw, _draw_for_nobody):
        try:
            return _with_headers(Response(attempt(error), status=error.status), error)
        except Exception as failed:
            log.warning("the page of an error cannot be drawn", exc_info=failed)
    # Without its frame: for a host that is not ours no link can be made.
    text = f"{error.title}\n\n{error.message}\n"
    plain = Response(text, status=error.status, mimetype="text/plain")
    return _with_headers(plain, error)


def _draw(error: CRMError) -> str:
    again = request.method == "GET" and isinstance(error, Unavailable)
    return render(
        "core/error.html",
        error=error,
        request_id=g.get("request_id"),
        retry_url=request.full_path.rstrip("?") if again else None,
        back_url=_page_left(error),
    )


def _page_left(error: CRMError) -> str | None:
    """Give the page whose form was refused."""
    came_from = urlsplit(request.referrer or "")
    own = came_from.netloc == request.host
    if request.method == "GET" or not own or isinstance(error, NotSignedIn):
        return None
    return came_from._replace(scheme="", netloc="", fragment="").geturl()


def _draw_for_nobody(error: CRMError) -> str:
    _forget_reader()
    return _draw(error)


def _forget_reader() -> None:
    """Go on without asking the database who reads: it may be away."""
    g._login_user = AnonymousUserMixin()  # Where flask-login keeps whom it found.
    g.pop("onlooker", None)
    settings.do_without_stored()


def _with_headers(answer: Response, error: CRMError) -> Response:
    if isinstance(error, TooMany):
        answer.headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, Unavailable):
        answer.headers["Retry-After"] = "5"
    if isinstance(error, NotSignedIn):
        answer.headers["WWW-Authenticate"] = 'Bearer realm="rapport"'
    return answer


def flatten(errors: Any, path: str = "") -> dict[str, list[str]]:
    """Name each field once: `{"emails.0.address": ["…"]}`."""
    found: dict[str, list[str]] = {}
    if not isinstance(errors, dict):
        messages = errors if isinstance(errors, list | tuple) else [errors]
        return {path or "_schema": [in_words(one) for one in messages]}
    for key, value in errors.items():
        if not path and key in _LOCATIONS and isinstance(value, dict):
            # Where webargs found it is no part of its name.
            for name, messages in value.items():
                found.update(flatten(messages, str(name)))
        else:
            found.update(flatten(value, f"{path}.{key}" if path else str(key)))
    return found


def _show_validation(error: ValidationError) -> Any:
    return show(Invalid(errors=flatten(error.messages)))


def _show_integrity(error: IntegrityError) -> Any:
    log.info("refused by the database: %s", type(error.orig).__name__)
    return show(Conflict())


def _show_stale(_error: StaleDataError) -> Any:
    return show(PreconditionFailed() if for_program() else Conflict())


def _show_http(error: HTTPException) -> Any:
    messages = getattr(error, "data", {}).get("messages")
    if error.code == 422 and messages:
        return show(Invalid(errors=flatten(messages)))
    if error.code is not None and error.code < 400:
        return error
    if error.code == 429:
        return show(TooMany(retry_after=_seconds(error.get_response())))
    if isinstance(error, SecurityError):
        # Its page could link to whatever host was named.
        return show(BadRequest(_("This server does not answer to this name.")))
    known = _FRAMEWORK.get(error.code or 500)
    if known is not None:
        return show(known())
    if isinstance(error, MethodNotAllowed):
        answer = show(_as_it_came(error))
        answer.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
        return answer
    return show(_as_it_came(error))


def _as_it_came(error: HTTPException) -> CRMError:
    """Keep the status of a framework error that has no sentence of ours.

    What the framework says of it is English, and about a request: for programs.
    """
    said = BadRequest(error.description if for_program() else None)
    said.status = error.code or 400
    if for_program():
        said.title = error.name
    return said


def _seconds(answer: AnyResponse) -> int:
    text = answer.headers.get("Retry-After", "60")
    return int(text) if text.isdigit() else 60


def _show_database(error: DBAPIError) -> Any:
    full = _is_full(error)
    said = "has no room left on its disk" if full else "does not answer"
    log.error("the database %s: %s", said, type(error.orig).__name__)
    db.session.rollback()
    _forget_reader()
    if full:
        return show(
            Unavailable(
                _("There is no room left on the disk. Tell your administrator.")
            )
        )
    return show(Unavailable())


def _is_full(error: DBAPIError) -> bool:
    """Tell a full disk from a database that is away: SQLite's code, PostgreSQL's."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    # A write-ahead log that may not grow is told as an input/output error.
    written = code is not None and code == sqlite3.SQLITE_IOERR_WRITE
    full = code is not None and code & 0xFF == sqlite3.SQLITE_FULL
    return written or full or getattr(error.orig, "sqlstate", None) == "53100"


def _show_impossible(error: Exception) -> Any:
    """Answer for a number too large, lists too deep, that no schema has stopped."""
    log.warning("a value that cannot be", exc_info=error)
    db.session.rollback()
    return show(BadRequest())


def _show_unexpected(error: Exception) -> Any:
    if current_app.testing or current_app.debug:
        raise error
    g.request_id = g.get("request_id") or uuid.uuid4().hex
    log.error("request %s failed", g.request_id, exc_info=error)
    db.session.rollback()
    said = CRMError(
        _("This did not work. Nothing was changed. Tell us the id if it happens again.")
    )
    return show(said)
