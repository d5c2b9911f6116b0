"""/sign-in/forgot and /sign-in/reset: a new password by mail."""

from typing import Any

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_login import login_user

from core.errors import CRMError
from core.i18n import _
from core.mail.setup import mail_setup
from core.pages import on_refusal
from core.permissions import public
from core.users import passwords
from core.users.schemas import ForgotForm, NewPasswordForm
from core.users.sessions import open_session

bp = Blueprint("passwords", __name__, url_prefix="/sign-in")

GONE = 410


@bp.after_request
def keep_the_secret(response: Response) -> Response:
    """Let the link's secret reach neither a log through Referer nor a cache.

    The origin alone is sent, which the CSRF check asks for on TLS.
    """
    response.headers["Referrer-Policy"] = "strict-origin"
    response.headers["Cache-Control"] = "no-store"
    return response


def _draw_forgot(error: CRMError | None = None) -> Any:
    return render_template(
        "core/users/forgot.html",
        errors=error.errors if error else {},
        email=request.form.get("email", ""),
        sends=mail_setup().lacks_for_links() is None,
        asked=False,
    )


@bp.get("/forgot")
@public
def forgot() -> Any:
    """Ask whose password was forgotten."""
    return _draw_forgot()


@bp.post("/forgot")
@public
@on_refusal(_draw_forgot)
def ask() -> Any:
    """Answer the same, in the same time, whether there is such an account or not."""
    form = ForgotForm().load(request.form.to_dict())
    passwords.ask_for_link(form["email"], address=request.remote_addr or "")
    return render_template(
        "core/users/forgot.html", email=form["email"], sends=True, asked=True
    )


def _draw_reset(error: CRMError | None = None, *, secret: str) -> Any:
    user = passwords.open_link(secret)
    if user is None:
        return render_template("core/users/link_gone.html"), GONE
    return render_template(
        "core/users/reset.html",
        errors=error.errors if error else {},
        email=user.email,
        secret=secret,
    )


@bp.get("/reset/<secret>")
@public
def reset(secret: str) -> Any:
    """Show the form for a new password, or say that the link is no longer good."""
    return _draw_reset(secret=secret)


@bp.post("/reset/<secret>")
@public
@on_refusal(_draw_reset)
def renew(secret: str) -> Any:
    """Set the new password, sign out everywhere else, and sign in here."""
    form = NewPasswordForm().load(request.form.to_dict())
    user = passwords.use_link(secret, form["password"])
    if user is None:
        return _draw_reset(secret=secret)
    user.session_secret = open_session(
        user,
        days=current_app.config["SESSION_DAYS"],
        address=request.remote_addr,
        browser=request.user_agent.string,
    )
    login_user(user)
    flash(_("Your new password is set. You are signed in."), "ok")
    return redirect(url_for("core.home"), 303)
