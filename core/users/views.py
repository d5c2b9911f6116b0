"""Signing in and out."""

from typing import Any
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    current_app,
    g,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_login import current_user, login_user, logout_user

from core.errors import CRMError
from core.pages import on_refusal
from core.permissions import open_to_onlookers, public, signed_in
from core.users import services
from core.users import sessions as sessions_of
from core.users.guessing import remember_browser
from core.users.models import User
from core.users.schemas import SignInForm

bp = Blueprint("users", __name__)


def safe_next(address: str) -> str:
    r"""Keep only an address on this server; anything else becomes the first page.

    Browsers drop tabs and line ends from an address, and take `\` for `/`.
    """
    plain = address.isprintable() and "\\" not in address
    if not plain or not address.startswith("/") or address.startswith("//"):
        return url_for("core.home")
    try:
        parts = urlsplit(address)
    except ValueError:
        return url_for("core.home")
    return url_for("core.home") if parts.scheme or parts.netloc else address


def _draw_sign_in(error: CRMError | None = None) -> Any:
    return render_template(
        "core/users/sign_in.html",
        errors=error.errors if error else {},
        email=request.form.get("email", ""),
        next=request.values.get("next", ""),
    )


@bp.get("/sign-in")
@public
def sign_in() -> Any:
    """Show the sign-in form."""
    if current_user.is_authenticated:
        return redirect(safe_next(request.args.get("next", "/")))
    return _draw_sign_in()


@bp.post("/sign-in")
@public
@on_refusal(_draw_sign_in)
def enter() -> Any:
    """Sign in with e-mail and password."""
    form = SignInForm().load(request.form.to_dict())
    user = services.check_sign_in(
        form["email"], form["password"], address=request.remote_addr or ""
    )
    forget_who_was_here()
    let_in(user)
    following = safe_next(form["next"])
    if following == url_for("core.home"):
        # Who asked for no page may be led to one: an empty house to its first hour.
        following = current_app.extensions["rapport_landing"]() or following
    return remember_browser(user, redirect(following, 303))


def let_in(user: User) -> None:
    """Sign `user` in with this browser, by a secret that it never had before."""
    user.session_secret = sessions_of.open_session(
        user,
        days=current_app.config["SESSION_DAYS"],
        address=request.remote_addr,
        browser=request.user_agent.string,
    )
    login_user(user)


def forget_who_was_here() -> None:
    """End the sign-in of this browser, and empty the cookie it may have been given."""
    if current_user.is_authenticated and current_user.session_secret:
        sessions_of.end_session(current_user.session_secret)
    logout_user()
    g.pop("onlooker", None)
    session.clear()


@bp.post("/sign-out")
@signed_in
@open_to_onlookers
def sign_out() -> Any:
    """Sign out here: the cookie opens nothing any more."""
    forget_who_was_here()
    return redirect(url_for("users.sign_in"), 303)
