"""The door of the web: sign-in by cookie or token, CSRF, limits, security headers."""

import re
import uuid
from time import time
from typing import Any

from flask import Flask, Request, Response, current_app, g, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_compress import Compress
from flask_limiter import Limiter
from flask_login import LoginManager, current_user
from flask_wtf.csrf import CSRFError, CSRFProtect
from itsdangerous import BadSignature
from limits import RateLimitItemPerMinute

import core.counts  # noqa: F401 - registers process://
from core.errors import BadRequest, NotSignedIn, TooMany
from core.events import set_actor
from core.i18n import _
from core.permissions import check_door, onlooker
from core.problems import show
from core.users import sessions, viewing
from core.users.guessing import network_of
from core.users.models import User

POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
# Where a program's token opens: the API, and the numbers for Prometheus.
_FOR_TOKENS = ("/api/", "/metrics")
# From one network, with tokens that open nothing.
WRONG_TOKENS = RateLimitItemPerMinute(60)
_REQUEST_ID = re.compile(r"[\w-]{8,64}")


class SessionCookies(SecureCookieSessionInterface):
    """Flask's signed cookie, whose age is not asked: that of the sign-in counts.

    By age a cookie that was signed before the clock was set back is one of the
    future, and everybody would be signed out until the clock gets there again.
    """

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Read the cookie; one that we did not sign is an empty one."""
        signer = self.get_signing_serializer(app)
        if signer is None:
            return None
        sent = request.cookies.get(self.get_cookie_name(app))
        try:
            return self.session_class(signer.loads(sent) if sent else None)
        except BadSignature:
            return self.session_class()


def init_security(app: Flask) -> None:
    """Put the door, the limits and the headers in front of every route of `app`."""
    app.session_interface = SessionCookies()
    app.config.update(WTF_CSRF_CHECK_DEFAULT=False, WTF_CSRF_TIME_LIMIT=None)
    csrf = CSRFProtect(app)
    _init_login(app)
    app.before_request(_number_the_request)
    app.before_request(_read_what_is_sent)
    _init_limits(app)

    @app.before_request
    def enter() -> None:
        """Check who comes and what for, before any view runs."""
        set_actor(_who_acts())
        if request.routing_exception is not None:
            # No view will run; what the address lacks is said instead.
            return
        try:
            check_door()
        except NotSignedIn:
            _refuse_guessed_tokens()
            raise
        if request.method not in {"GET", "HEAD", "OPTIONS"} and _needs_form_token(app):
            csrf.protect()

    app.register_error_handler(CSRFError, _show_csrf)
    app.after_request(_add_headers)
    _init_compression(app)


def _needs_form_token(app: Flask) -> bool:
    """Say whether a form must come from a page of ours, as all but a few must."""
    view = app.view_functions.get(request.endpoint or "")
    return not (g.get("by_token") or getattr(view, "sent_from_anywhere", False))


def _init_limits(app: Flask) -> None:
    limiter = Limiter(
        key_func=_who,
        application_limits=[app.config["RATE_LIMIT"]],
        storage_uri=app.config["RATE_LIMIT_STORAGE"],
    )
    limiter.init_app(app)
    limiter.request_filter(_is_not_limited)
    app.extensions["rapport_limiter"] = limiter


def _init_compression(app: Flask) -> None:
    app.config.update(
        COMPRESS_ALGORITHM=["br", "gzip"],
        COMPRESS_BR_LEVEL=4,
        COMPRESS_LEVEL=4,
        COMPRESS_MIMETYPES=[
            "text/html",
            "text/css",
            "text/javascript",
            "application/json",
            "application/problem+json",
            "image/svg+xml",
        ],
    )
    Compress(app)


def _init_login(app: Flask) -> None:
    login = LoginManager()
    login.session_protection = None
    login.user_loader(viewing.reader_of)
    login.request_loader(_user_of_token)
    login.init_app(app)


def _user_of_token(_request: Any) -> User | None:
    """Let a program in by its bearer token; tokens open the API and nothing else."""
    scheme, _space, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not request.path.startswith(_FOR_TOKENS):
        return None
    found = sessions.user_of_token(secret.strip())
    if found is None:
        g.wrong_token = True
        return None
    user, scopes = found
    g.token_scopes = scopes
    g.by_token = True
    return user


def _refuse_guessed_tokens() -> None:
    """Slow down who guesses tokens; those that are right always pass."""
    if not g.get("wrong_token"):
        return
    limiter = current_app.extensions["rapport_limiter"].limiter
    if not limiter.hit(WRONG_TOKENS, "wrong-token", network_of(request.remote_addr)):
        raise TooMany(retry_after=WRONG_TOKENS.get_expiry())


def _number_the_request() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def _read_what_is_sent() -> None:
    """Read the body before the first look at the database.

    A slow upload would else hold SQLite's only write lock while it trickles in.
    """
    if request.method not in {"GET", "HEAD", "OPTIONS"}:
        request.get_data(parse_form_data=request.mimetype == "multipart/form-data")


def _who() -> str:
    """Count limits by account, and by address for guests."""
    actor = _who_acts()
    if actor is not None:
        return f"user:{actor}"
    return f"address:{network_of(request.remote_addr)}"


def _who_acts() -> int | None:
    """Give the account that sends this, whoever's pages it may be looking at."""
    if not current_user.is_authenticated:
        return None
    found: int = (onlooker() or current_user).id
    return found


def _is_not_limited() -> bool:
    return request.endpoint in {"assets", "core.healthz", "core.readyz", "live.stream"}


def _show_csrf(_error: CSRFError) -> Any:
    said = _("This form was open too long. Go back, reload the page and send it again.")
    return show(BadRequest(said))


def _tell_limit(response: Response) -> None:
    """Say how many requests are left; Flask-Limiter would ask everybody to wait."""
    limit = current_app.extensions["rapport_limiter"].current_limit
    if limit is None:
        return
    response.headers["X-RateLimit-Limit"] = str(limit.limit.amount)
    response.headers["X-RateLimit-Remaining"] = str(limit.remaining)
    response.headers["X-RateLimit-Reset"] = str(limit.reset_at)
    if limit.breached:
        wait = max(limit.reset_at - int(time()), 1)
        response.headers["Retry-After"] = str(wait)


def _add_headers(response: Response) -> Response:
    _tell_limit(response)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["X-Request-Id"] = g.get("request_id", "")
    if current_app.config["SESSION_COOKIE_SECURE"]:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    # What has an ETag may be kept by its reader, and is asked for again.
    keep = "no-cache" if "ETag" in response.headers else "no-store"
    response.headers.setdefault("Cache-Control", f"private, {keep}")
    return response
