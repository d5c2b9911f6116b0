"""Signing in and out, and one's own settings."""

from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from flask import (
    Blueprint,
    current_app,
    flash,
    g,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_login import current_user, login_user, logout_user

from core.db import db
from core.errors import CRMError, Invalid
from core.i18n import _
from core.pages import on_refusal
from core.permissions import declared_permissions, me, public, signed_in
from core.users import passwords, services
from core.users import sessions as sessions_of
from core.users.guessing import remember_browser, this_browser
from core.users.models import User
from core.users.schemas import MeForm, PasswordForm, SignInForm, TokenForm

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
    return remember_browser(user, redirect(safe_next(form["next"]), 303))


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
    session.clear()


@bp.post("/sign-out")
@signed_in
def sign_out() -> Any:
    """Sign out here: the cookie opens nothing any more."""
    forget_who_was_here()
    return redirect(url_for("users.sign_in"), 303)


def _draw_me(error: CRMError | None = None, *, new_token: str | None = None) -> Any:
    user = me()
    here = sessions_of.hash_secret(user.session_secret or "")
    mine = sorted(user.permissions)
    return render_template(
        "core/users/me.html",
        errors=error.errors if error else {},
        sessions=sessions_of.open_sessions(user),
        here=here,
        tokens=sessions_of.tokens_of(user),
        scopes=[declared_permissions()[name] for name in mine],
        zones=[(zone, zone) for zone in sorted(available_timezones())],
        new_token=new_token,
    )


@bp.get("/me")
@signed_in
def mine() -> Any:
    """One's own settings, sessions and tokens."""
    return _draw_me()


@bp.post("/me")
@signed_in
@on_refusal(_draw_me)
def change_mine() -> Any:
    """Change language, zone and look."""
    form = MeForm().load(request.form.to_dict())
    user = me()
    user.language = form["language"]
    user.timezone = form["timezone"]
    user.theme = form["theme"]
    g.pop("_flask_babel", None)
    flash(_("Saved."), "ok")
    return redirect(url_for("users.mine"), 303)


@bp.post("/me/password")
@signed_in
@on_refusal(_draw_me)
def change_password() -> Any:
    """Change the password, which signs out everywhere else."""
    form = PasswordForm().load(request.form.to_dict())
    user = services.check_sign_in(
        me().email,
        form["old_password"],
        address=request.remote_addr or "",
        browser=this_browser(sessions_of.hash_secret(me().session_secret or "")),
    )
    passwords.change_password(user, form["new_password"])
    let_in(user)
    flash(_("Password changed. You are signed out everywhere else."), "ok")
    return redirect(url_for("users.mine"), 303)


@bp.post("/me/sessions/<int:session_id>/end")
@signed_in
def end_one_session(session_id: int) -> Any:
    """Sign out another browser of one's own."""
    sessions_of.end_one_session(me(), session_id)
    flash(_("That browser is signed out."), "ok")
    return redirect(url_for("users.mine"), 303)


@bp.post("/me/sessions/end-others")
@signed_in
def end_other_sessions() -> Any:
    """Sign out every browser of one's own but this."""
    sessions_of.end_sessions(me(), but=me().session_secret)
    flash(_("You are signed out everywhere else."), "ok")
    return redirect(url_for("users.mine"), 303)


@bp.post("/me/tokens")
@signed_in
@on_refusal(_draw_me)
def add_token() -> Any:
    """Make an API token and show its secret, this once."""
    form = TokenForm().load(
        {
            "name": request.form.get("name", ""),
            "scopes": request.form.getlist("scopes"),
            "days": request.form.get("days") or None,
        }
    )
    beyond = [one for one in form["scopes"] if one not in me().permissions]
    if beyond:
        raise Invalid(errors={"scopes": [_("Choose from your own permissions.")]})
    _row, secret = sessions_of.create_token(
        me(), scopes=form["scopes"], name=form["name"], days=form["days"]
    )
    db.session.flush()
    return _draw_me(new_token=secret)


@bp.post("/me/tokens/<int:token_id>/revoke")
@signed_in
def revoke_token(token_id: int) -> Any:
    """Make a token of one's own useless."""
    sessions_of.revoke_token(me(), token_id)
    flash(_("The token opens nothing any more."), "ok")
    return redirect(url_for("users.mine"), 303)
