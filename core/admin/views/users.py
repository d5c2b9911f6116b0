"""/admin/users: accounts of colleagues and of people outside."""

from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for

from core.admin.forms import AccountForm, NewAccountForm
from core.admin.permissions import USERS
from core.admin.services import accounts
from core.admin.views.blueprint import bp
from core.db import db
from core.errors import CRMError
from core.house import zones
from core.i18n import LANGUAGES, _
from core.pages import on_refusal
from core.permissions import me, requires
from core.settings import get as settings_of
from core.users.browsers import browser_words
from core.users.models import Role, Team, User


def _choices() -> dict[str, Any]:
    return {
        "roles": db.session.scalars(sa.select(Role.name).order_by(Role.name)).all(),
        "teams": db.session.scalars(sa.select(Team.name).order_by(Team.name)).all(),
        "zones": [(one, one) for one in zones()],
        "languages_offered": list(LANGUAGES.items()),
    }


@bp.get("/users")
@requires(USERS)
def list_users() -> Any:
    """All accounts, found by name, address, state or role."""
    page = max(request.args.get("page", 1, type=int), 1)
    q = request.args.get("q", "").strip()[:100]
    state = request.args.get("state", "")
    role = request.args.get("role", "")
    page = min(page, 100_000)
    found, total = accounts.find_accounts(me(), q=q, state=state, role=role, page=page)
    first = (page - 1) * accounts.PAGE
    return render_template(
        "core/admin/users.html",
        accounts=found,
        total=total,
        q=q,
        state=state,
        role=role,
        page=page,
        first=first + 1,
        last=first + len(found),
        roles=db.session.scalars(sa.select(Role.name).order_by(Role.name)).all(),
    )


def _draw_new(error: CRMError | None = None) -> Any:
    house = settings_of("house")
    form = request.form if request.method == "POST" else None
    return render_template(
        "core/admin/user_new.html",
        errors=error.errors if error else {},
        kind=request.values.get("kind", "staff"),
        typed={
            "name": form.get("name", "") if form else "",
            "email": form.get("email", "") if form else "",
            "organisation": request.values.get("organisation", ""),
            "person": request.values.get("person", ""),
            "language": form.get("language") if form else house["language"],
            "timezone": form.get("timezone") if form else house["timezone"],
            "roles": form.getlist("roles") if form else [],
            "teams": form.getlist("teams") if form else [],
        },
        **_choices(),
    )


@bp.get("/users/new")
@requires(USERS)
def new_user() -> Any:
    """A form for a new account; `?kind=customer` for one outside."""
    return _draw_new()


@bp.post("/users")
@requires(USERS)
@on_refusal(_draw_new)
def add_user() -> Any:
    """Make an account."""
    form = NewAccountForm().load(_posted())
    user = accounts.add_account(me(), form)
    if form["password"]:
        flash(_("%(name)s may sign in now.", name=user.name), "ok")
    else:
        flash(_("An invitation is on its way to %(email)s.", email=user.email), "ok")
    return redirect(url_for("admin.show_user", user_id=user.id), 303)


def _posted() -> dict[str, Any]:
    lists = {name: request.form.getlist(name) for name in ("roles", "teams")}
    found = request.form.to_dict() | lists
    house = settings_of("house")
    found.setdefault("language", house["language"])
    found.setdefault("timezone", house["timezone"])
    if not found.get("version"):
        found.pop("version", None)
    return found


def _draw(error: CRMError | None = None, *, user_id: int, **_more: object) -> Any:
    user = accounts.account(me(), user_id)
    sessions, tokens = accounts.sessions_and_tokens(user)
    organisation, person = accounts.names_of(user)
    # Only the form of this page carries a name; buttons beside it type nothing.
    form = request.form if "name" in request.form else None
    typed = {
        "name": user.name,
        "email": user.email,
        "language": user.language,
        "timezone": user.timezone,
        "organisation": organisation,
        "person": person,
        "version": user.version,
    }
    if form:
        typed |= {key: form.get(key, "") for key in typed}
    return render_template(
        "core/admin/user.html",
        user=user,
        errors=error.errors if error else {},
        stale=error is not None and error.status == 409,
        typed=typed
        | {
            "roles": form.getlist("roles") if form else [r.name for r in user.roles],
            "teams": form.getlist("teams") if form else [t.name for t in user.teams],
        },
        sessions=sessions,
        browser_words=browser_words,
        tokens=tokens,
        **_choices(),
    )


@bp.get("/users/<int:user_id>")
@requires(USERS)
def show_user(user_id: int) -> Any:
    """One account: who, what it may do, where it is signed in."""
    return _draw(user_id=user_id)


@bp.post("/users/<int:user_id>")
@requires(USERS)
@on_refusal(_draw)
def change_user(user_id: int) -> Any:
    """Change an account."""
    user = accounts.account(me(), user_id)
    accounts.change_account(me(), user, AccountForm().load(_posted()))
    flash(_("Saved."), "ok")
    return _back(user)


def _back(user: User) -> Any:
    return redirect(url_for("admin.show_user", user_id=user.id), 303)


@bp.post("/users/<int:user_id>/close")
@requires(USERS)
@on_refusal(_draw)
def close_user(user_id: int) -> Any:
    """Close an account: signed out everywhere, tokens dead."""
    user = accounts.account(me(), user_id)
    accounts.close_account(me(), user)
    flash(_("The account of %(name)s is closed.", name=user.name), "ok")
    return _back(user)


@bp.post("/users/<int:user_id>/open")
@requires(USERS)
@on_refusal(_draw)
def open_user(user_id: int) -> Any:
    """Open a closed account again."""
    user = accounts.account(me(), user_id)
    accounts.open_account(me(), user)
    flash(_("%(name)s may sign in again.", name=user.name), "ok")
    return _back(user)


@bp.post("/users/<int:user_id>/sign-out")
@requires(USERS)
@on_refusal(_draw)
def sign_out_user(user_id: int) -> Any:
    """Sign somebody out of every browser."""
    user = accounts.account(me(), user_id)
    accounts.sign_out_everywhere(me(), user)
    flash(_("%(name)s is signed out everywhere.", name=user.name), "ok")
    return _back(user)


@bp.post("/users/<int:user_id>/tokens/<int:token_id>/revoke")
@requires(USERS)
@on_refusal(_draw)
def revoke_user_token(user_id: int, token_id: int) -> Any:
    """Make a token of somebody's useless."""
    user = accounts.account(me(), user_id)
    accounts.revoke_token(me(), user, token_id)
    flash(_("The token opens nothing any more."), "ok")
    return _back(user)
