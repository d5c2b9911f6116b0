"""/admin/teams: who works together."""

from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for

from core.admin.forms import TeamForm
from core.admin.permissions import USERS
from core.admin.services import teams
from core.admin.views.blueprint import bp
from core.db import db
from core.errors import CRMError
from core.i18n import _
from core.pages import on_refusal
from core.permissions import me, requires
from core.users.models import Team, User
from core.visibility import get_visible


@bp.get("/teams")
@requires(USERS)
def list_teams() -> Any:
    """All teams."""
    return render_template("core/admin/teams.html", teams=teams.list_teams())


def _draw(
    error: CRMError | None = None, *, team_id: int | None = None, **_more: object
) -> Any:
    team = get_visible(me(), Team, team_id) if team_id else None
    form = request.form if "name" in request.form else None
    members = [one.id for one in team.members] if team else []
    colleagues = db.session.scalars(
        sa.select(User)
        .where(User.kind == "staff", sa.or_(User.active, User.id.in_(members)))
        .order_by(User.name)
    ).all()
    if form:
        members = form.getlist("members", type=int)
    return render_template(
        "core/admin/team.html",
        team=team,
        name=form.get("name", "") if form else (team.name if team else ""),
        version=form.get("version") if form else (team.version if team else ""),
        members=members,
        colleagues=colleagues,
        references=teams.references_to(team) if team else [],
        errors=error.errors if error else {},
        stale=error is not None and error.status == 409 and form is not None,
    )


@bp.get("/teams/new")
@requires(USERS)
def new_team() -> Any:
    """A form for a new team."""
    return _draw()


@bp.get("/teams/<int:team_id>")
@requires(USERS)
def show_team(team_id: int) -> Any:
    """One team: its name, its members, what refers to it."""
    return _draw(team_id=team_id)


def _posted() -> dict[str, Any]:
    found: dict[str, Any] = request.form.to_dict()
    found["members"] = request.form.getlist("members")
    if not found.get("version"):
        found.pop("version", None)
    return TeamForm().load(found)  # type: ignore[no-any-return]


@bp.post("/teams")
@requires(USERS)
@on_refusal(_draw)
def add_team() -> Any:
    """Make a team."""
    form = _posted()
    team = teams.save_team(None, name=form["name"], members=form["members"])
    flash(_("The team %(name)s is there.", name=team.name), "ok")
    return redirect(url_for("admin.list_teams"), 303)


@bp.post("/teams/<int:team_id>")
@requires(USERS)
@on_refusal(_draw)
def change_team(team_id: int) -> Any:
    """Rename a team, or change who is in it."""
    team = get_visible(me(), Team, team_id)
    teams.save_team(team, **_posted())
    flash(_("Saved."), "ok")
    return redirect(url_for("admin.list_teams"), 303)


@bp.post("/teams/<int:team_id>/delete")
@requires(USERS)
@on_refusal(_draw)
def delete_team(team_id: int) -> Any:
    """Delete a team that nothing refers to."""
    team = get_visible(me(), Team, team_id)
    name = team.name
    teams.delete_team(team)
    flash(_("The team %(name)s is gone.", name=name), "ok")
    return redirect(url_for("admin.list_teams"), 303)
