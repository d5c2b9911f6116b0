"""/admin: accounts, roles, plugins, deliveries."""

from typing import Any

import sqlalchemy as sa
from flask import (
    Blueprint,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)

from core.admin.permissions import SYSTEM, USERS
from core.admin.schemas import NewUserForm
from core.admin.services import failing_deliveries, plugin_states
from core.db import db
from core.errors import CRMError, Invalid
from core.i18n import _, ngettext
from core.pages import on_refusal
from core.permissions import declared_permissions, me, requires
from core.users import passwords
from core.users import services as users
from core.users.models import Role, Team, User
from core.visibility import get_visible
from core.worker import try_again

bp = Blueprint("admin", __name__, url_prefix="/admin")


@bp.get("")
@requires(SYSTEM)
def index() -> Any:
    """The administration's first page is its plugins."""
    return redirect(url_for("admin.plugins"))


@bp.get("/plugins")
@requires(SYSTEM)
def plugins() -> Any:
    """Which plugins are here, and how they are."""
    app: Any = current_app
    return render_template("core/admin/plugins.html", plugins=plugin_states(app))


@bp.get("/deliveries")
@requires(SYSTEM)
def deliveries() -> Any:
    """Deliveries that failed, with what was said, and "try again"."""
    return render_template(
        "core/admin/deliveries.html", deliveries=failing_deliveries()
    )


@bp.post("/deliveries/try-again")
@requires(SYSTEM)
def retry() -> Any:
    """Put parked deliveries back into the queue."""
    count = try_again(request.form.getlist("delivery", type=int))
    said = ngettext(
        "%(num)d delivery is tried again.", "%(num)d deliveries are tried again.", count
    )
    flash(said, "ok")
    return redirect(url_for("admin.deliveries"), 303)


def _draw_users(error: CRMError | None = None, **_arguments: object) -> Any:
    found = db.session.scalars(
        sa.select(User).order_by(User.kind, User.name).limit(500)
    )
    return render_template(
        "core/admin/users.html",
        users=found.all(),
        roles=db.session.scalars(sa.select(Role).order_by(Role.name)).all(),
        teams=db.session.scalars(sa.select(Team).order_by(Team.name)).all(),
        errors=error.errors if error else {},
        form=request.form,
    )


@bp.get("/users")
@requires(USERS)
def list_users() -> Any:
    """All accounts, and a form for a new colleague."""
    return _draw_users()


@bp.post("/users")
@requires(USERS)
@on_refusal(_draw_users)
def add_user() -> Any:
    """Add a colleague."""
    form = NewUserForm().load(
        {
            "email": request.form.get("email", ""),
            "name": request.form.get("name", ""),
            "password": request.form.get("password", ""),
            "roles": request.form.getlist("roles"),
            "teams": request.form.getlist("teams"),
        }
    )
    user = users.create_user(
        form["email"],
        name=form["name"],
        password=form["password"] or None,
        roles=form["roles"],
        teams=form["teams"],
    )
    if form["password"]:
        flash(_("%(name)s may sign in now.", name=user.name), "ok")
    else:
        passwords.invite(user, by=me())
        flash(_("An invitation is on its way to %(email)s.", email=user.email), "ok")
    return redirect(url_for("admin.list_users"), 303)


@bp.post("/users/<int:user_id>/close")
@requires(USERS)
@on_refusal(_draw_users)
def close_user(user_id: int) -> Any:
    """Close an account: signed out everywhere, tokens dead."""
    user = get_visible(me(), User, user_id)
    if user.id == me().id:
        raise Invalid(errors={"_schema": [_("You cannot close your own account.")]})
    users.disable_user(user)
    flash(_("The account of %(name)s is closed.", name=user.name), "ok")
    return redirect(url_for("admin.list_users"), 303)


@bp.get("/roles")
@requires(USERS)
def roles() -> Any:
    """What each role may do, as a matrix."""
    found = db.session.scalars(sa.select(Role).order_by(Role.name)).all()
    permissions = sorted(declared_permissions().values(), key=lambda one: one.name)
    return render_template(
        "core/admin/roles.html", roles=found, permissions=permissions
    )
