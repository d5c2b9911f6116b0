"""/admin/roles: what each role allows, as a matrix and one by one."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from core.admin.forms import RoleForm
from core.admin.permissions import USERS
from core.admin.services import roles
from core.admin.views.blueprint import bp
from core.errors import CRMError
from core.i18n import _
from core.pages import on_refusal
from core.permissions import me, requires
from core.users.models import Role
from core.visibility import get_visible


@bp.get("/roles")
@requires(USERS)
def list_roles() -> Any:
    """What each role may do: a matrix, and a card for each role on a phone."""
    return render_template(
        "core/admin/roles.html",
        roles=roles.list_roles(),
        groups=roles.permission_groups(),
        reaches=roles.REACH_TITLES,
    )


def _draw(
    error: CRMError | None = None, *, role_id: int | None = None, **_more: object
) -> Any:
    role = get_visible(me(), Role, role_id) if role_id else None
    model = role
    copied = request.args.get("copy", type=int)
    if role is None and copied:
        model = get_visible(me(), Role, copied)
    form = request.form if "name" in request.form else None
    holders, total = roles.holders_of(role) if role else ([], 0)
    name = _("%(name)s, copied", name=model.name) if model and not role else ""
    typed = {
        "name": role.name if role else name,
        "permissions": model.permissions if model else [],
        "reach": model.reach if model else "all",
        "version": role.version if role else "",
    }
    if form:
        typed |= {key: form.get(key, "") for key in ("name", "reach", "version")}
        typed["permissions"] = form.getlist("permissions")
    return render_template(
        "core/admin/role.html",
        role=role,
        typed=typed,
        groups=roles.permission_groups(),
        reaches=roles.REACH_TITLES,
        holders=holders,
        total=total,
        unknown=roles.unknown_permissions(role) if role else [],
        errors=error.errors if error else {},
        stale=error is not None and error.status == 409 and form is not None,
    )


@bp.get("/roles/new")
@requires(USERS)
def new_role() -> Any:
    """A form for a new role; `?copy=` begins with what another allows."""
    return _draw()


@bp.get("/roles/<int:role_id>")
@requires(USERS)
def show_role(role_id: int) -> Any:
    """One role: what it allows, how far it sees, who has it."""
    return _draw(role_id=role_id)


def _posted() -> dict[str, Any]:
    found: dict[str, Any] = request.form.to_dict()
    found["permissions"] = request.form.getlist("permissions")
    if not found.get("version"):
        found.pop("version", None)
    return RoleForm().load(found)  # type: ignore[no-any-return]


@bp.post("/roles")
@requires(USERS)
@on_refusal(_draw)
def add_role() -> Any:
    """Make a role."""
    role = roles.save_role(me(), None, **_posted())
    flash(_("The role %(name)s is there.", name=role.name), "ok")
    return redirect(url_for("admin.list_roles"), 303)


@bp.post("/roles/<int:role_id>")
@requires(USERS)
@on_refusal(_draw)
def change_role(role_id: int) -> Any:
    """Change what a role allows; it holds from the next page on."""
    role = get_visible(me(), Role, role_id)
    roles.save_role(me(), role, **_posted())
    flash(_("Saved. It holds from the next page they open."), "ok")
    return redirect(url_for("admin.list_roles"), 303)


@bp.post("/roles/<int:role_id>/delete")
@requires(USERS)
@on_refusal(_draw)
def delete_role(role_id: int) -> Any:
    """Delete a role that nobody has."""
    role = get_visible(me(), Role, role_id)
    name = role.name
    roles.delete_role(role)
    flash(_("The role %(name)s is gone.", name=name), "ok")
    return redirect(url_for("admin.list_roles"), 303)
