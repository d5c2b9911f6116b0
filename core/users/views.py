"""Signing in and out, and one's own settings."""

from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import sqlalchemy as sa
from flask import (
    Blueprint,
    current_app,
    flash,
    g,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_login import current_user, login_user, logout_user

from core.db import db, now
from core.errors import CRMError, Invalid, NotFound
from core.i18n import _
from core.pages import on_refusal
from core.permissions import declared_permissions, me, public, signed_in
from core.users import services
from core.users import sessions as sessions_of
from core.users.models import ApiToken, UserSession
from core.users.schemas import MeForm, PasswordForm, SignInForm, TokenForm

bp = Blueprint("users", __name__)


def safe_next(address: str) -> str:
    """Keep only an address on this server; anything else becomes the first page."""
    parts = urlsplit(address)
    local = address.startswith("/") and not address.startswith(("//", "/\\"))
    if not local or parts.scheme or parts.netloc or "\\" in address:
        return url_for("core.home")
    return address


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
    user.session_secret = sessions_of.open_session(
        user,
        days=current_app.config["SESSION_DAYS"],
        address=request.remote_addr,
        browser=request.user_agent.string,
    )
    login_user(user)
    following = safe_next(form["next"])
    if following == url_for("core.home"):
        # Who asked for no page may be led to one: an empty house to its first hour.
        following = current_app.extensions["rapport_landing"]() or following
    return redirect(following, 303)


@bp.post("/sign-out")
@signed_in
def sign_out() -> Any:
    """Sign out here: the cookie opens nothing any more."""
    secret = me().session_secret
    if secret:
        sessions_of.end_session(secret)
    logout_user()
    return redirect(url_for("users.sign_in"), 303)


def _draw_me(error: CRMError | None = None, *, new_token: str | None = None) -> Any:
    user = me()
    sessions = db.session.scalars(
        sa.select(UserSession)
        .where(UserSession.user_id == user.id, UserSession.expires_at > now())
        .order_by(UserSession.seen_at.desc())
    ).all()
    tokens = db.session.scalars(
        sa.select(ApiToken)
        .where(ApiToken.user_id == user.id, ApiToken.revoked_at.is_(None))
        .order_by(ApiToken.created_at.desc())
    ).all()
    here = sessions_of.hash_secret(user.session_secret or "")
    mine = sorted(user.permissions)
    return render_template(
        "core/users/me.html",
        errors=error.errors if error else {},
        sessions=sessions,
        here=here,
        tokens=tokens,
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
        me().email, form["old_password"], address=request.remote_addr or ""
    )
    services.set_password(user, form["new_password"])
    user.session_secret = sessions_of.open_session(
        user,
        days=current_app.config["SESSION_DAYS"],
        address=request.remote_addr,
        browser=request.user_agent.string,
    )
    login_user(user)
    flash(_("Password changed. You are signed out everywhere else."), "ok")
    return redirect(url_for("users.mine"), 303)


@bp.post("/me/sessions/<int:session_id>/end")
@signed_in
def end_one_session(session_id: int) -> Any:
    """Sign out another browser of one's own."""
    found = db.session.scalar(
        sa.select(UserSession).where(
            UserSession.id == session_id, UserSession.user_id == me().id
        )
    )
    if found is None:
        raise NotFound
    db.session.delete(found)
    flash(_("That browser is signed out."), "ok")
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
    found = db.session.scalar(
        sa.select(ApiToken).where(ApiToken.id == token_id, ApiToken.user_id == me().id)
    )
    if found is None:
        raise NotFound
    found.revoked_at = now()
    flash(_("The token opens nothing any more."), "ok")
    return redirect(url_for("users.mine"), 303)
