"""One's own pages: settings, sign-ins, tokens, which news one wants."""

from typing import Any
from zoneinfo import available_timezones

from flask import flash, g, redirect, render_template, request, url_for

from core.db import db, now
from core.errors import CRMError, Invalid
from core.i18n import _
from core.mail.setup import mail_setup
from core.notifications import choosing
from core.notifications.services import choose_kinds, kinds_for, muted_kinds
from core.pages import on_refusal
from core.permissions import declared_permissions, me, signed_in
from core.users import passwords, services
from core.users import sessions as sessions_of
from core.users.browsers import browser_words
from core.users.guessing import this_browser
from core.users.schemas import MeForm, PasswordForm, TokenForm
from core.users.views import bp as bp
from core.users.views import let_in


def _errors(error: CRMError | None) -> dict[str, Any]:
    return error.errors if error else {}


# -- Language and look -------------------------------------------------------------


def _draw_me(error: CRMError | None = None) -> Any:
    return render_template(
        "core/users/me.html",
        errors=_errors(error),
        zones=[(zone, zone) for zone in sorted(available_timezones())],
    )


@bp.get("/me")
@signed_in
def mine() -> Any:
    """One's own language, zone and look."""
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


# -- Password and sessions ---------------------------------------------------------


def _draw_access(error: CRMError | None = None) -> Any:
    rows = sessions_of.open_sessions(me())
    here = sessions_of.hash_secret(me().session_secret or "")
    sessions = [
        (one, browser_words(one.browser), one.secret_hash == here) for one in rows
    ]
    return render_template(
        "core/users/access.html", errors=_errors(error), sessions=sessions
    )


@bp.get("/me/access")
@signed_in
def access() -> Any:
    """One's own password, and where one is signed in."""
    return _draw_access()


@bp.post("/me/password")
@signed_in
@on_refusal(_draw_access)
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
    return redirect(url_for("users.access"), 303)


@bp.post("/me/sessions/<int:session_id>/end")
@signed_in
def end_one_session(session_id: int) -> Any:
    """Sign out another browser of one's own."""
    sessions_of.end_one_session(me(), session_id)
    flash(_("That browser is signed out."), "ok")
    return redirect(url_for("users.access"), 303)


@bp.post("/me/sessions/end-others")
@signed_in
def end_other_sessions() -> Any:
    """Sign out everywhere but here."""
    sessions_of.end_sessions(me(), but=me().session_secret)
    flash(_("You are signed out everywhere else."), "ok")
    return redirect(url_for("users.access"), 303)


# -- Tokens ------------------------------------------------------------------------


def _draw_tokens(error: CRMError | None = None, *, new_token: str | None = None) -> Any:
    known = declared_permissions()
    return render_template(
        "core/users/tokens.html",
        errors=_errors(error),
        tokens=sessions_of.tokens_of(me()),
        known=known,
        scopes=[known[name] for name in sorted(me().permissions)],
        chosen=request.form.getlist("scopes"),
        new_token=new_token,
        now=now(),
    )


@bp.get("/me/tokens")
@signed_in
def tokens() -> Any:
    """One's own API tokens."""
    return _draw_tokens()


@bp.post("/me/tokens")
@signed_in
@on_refusal(_draw_tokens)
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
    return _draw_tokens(new_token=secret)


@bp.post("/me/tokens/<int:token_id>/revoke")
@signed_in
def revoke_token(token_id: int) -> Any:
    """Make a token of one's own useless."""
    sessions_of.revoke_token(me(), token_id)
    flash(_("The token opens nothing any more."), "ok")
    return redirect(url_for("users.tokens"), 303)


# -- News --------------------------------------------------------------------------


def _draw_kinds(error: CRMError | None = None) -> Any:
    return render_template(
        "core/users/kinds.html",
        kinds=kinds_for(me()),
        muted=muted_kinds(me()),
        ways=choosing.ways_of(me()),
        hour=choosing.hour_of(me()),
        mails=mail_setup().lacks_for_links() is None,
        hours=[(one, f"{one}:00") for one in range(24)],
        errors=_errors(error),
    )


@bp.get("/me/notifications")
@signed_in
def notification_kinds() -> Any:
    """Which kinds of news one is told of, and how."""
    return _draw_kinds()


@bp.post("/me/notifications")
@signed_in
@on_refusal(_draw_kinds)
def choose_notification_kinds() -> Any:
    """Choose which kinds of news one is told of, and how."""
    choose_kinds(me(), request.form.getlist("kinds"))
    ways = {
        name.removeprefix("mail."): way
        for name, way in request.form.items()
        if name.startswith("mail.")
    }
    choosing.choose_ways(me(), ways, hour=request.form.get("hour", type=int))
    flash(_("Saved."), "ok")
    return redirect(url_for("users.notification_kinds"), 303)
