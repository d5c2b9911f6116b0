"""Teams: their names and members, and what stands in the way of deleting one."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from core.admin.services.accounts import check_version
from core.audiences import AudienceLabel
from core.db import db
from core.ddl import tables_in
from core.errors import Conflict, Invalid
from core.i18n import _
from core.records import record_types
from core.users.models import Team, TeamMember, User

# What belongs to the team itself, and what only tells of the past.
_OWN = {"team_member"}
_PAST = {"event", "audience_label"}


@dataclass(frozen=True)
class Reference:
    """What refers to a team: how many rows of what."""

    title: str
    count: int


def list_teams() -> list[tuple[Team, int]]:
    """Give all teams by name, with how many members each has."""
    members = (
        sa.select(sa.func.count())
        .select_from(TeamMember)
        .where(TeamMember.team_id == Team.id)
        .scalar_subquery()
    )
    query = sa.select(Team, members).order_by(Team.name)
    return [(team, count) for team, count in db.session.execute(query)]


def save_team(
    team: Team | None, *, name: str, members: list[int], version: int | None = None
) -> Team:
    """Make or change a team; raises `Invalid` for a name that is taken, `Conflict`."""
    taken = sa.select(Team.id).where(sa.func.lower(Team.name) == name.lower())
    if team is not None:
        check_version(team, version)
        taken = taken.where(Team.id != team.id)
    if db.session.scalar(taken):
        said = _("There is a team of this name already.")
        raise Invalid(errors={"name": [said]})
    wanted = db.session.scalars(
        sa.select(User).where(User.id.in_(members), User.kind == "staff")
    ).all()
    if team is None:
        team = Team(name=name)
        db.session.add(team)
    team.name = name
    if set(team.members) != set(wanted):
        team.members = list(wanted)
    db.session.flush()
    return team


def references_to(team: Team) -> list[Reference]:
    """Count what refers to a team, by any table's foreign key or any audience."""
    found = []
    for table in tables_in(db.session.connection()):
        if table.name in _OWN | _PAST:
            continue
        conditions = [
            column == team.id
            for column in table.columns
            if any(key.target_fullname == "team.id" for key in column.foreign_keys)
        ]
        for column in table.columns:
            if any(key.target_fullname == "audience.id" for key in column.foreign_keys):
                opened = sa.select(AudienceLabel.audience_id).where(
                    AudienceLabel.label == f"team:{team.id}"
                )
                conditions.append(column.in_(opened))
        if not conditions:
            continue
        count = db.session.scalar(
            sa.select(sa.func.count()).select_from(table).where(sa.or_(*conditions))
        )
        if count:
            found.append(Reference(_title_of(table), count))
    return found


def _title_of(table: sa.Table) -> str:
    for kind in record_types().values():
        model: Any = kind.model
        if model.__tablename__ == table.name:
            return str(kind.title)
    return table.name.replace("_", " ")


def delete_team(team: Team) -> None:
    """Delete a team that nothing refers to; raises `Conflict` that says what does."""
    found = references_to(team)
    if team.members:
        found.append(Reference(_("Colleagues"), len(team.members)))
    if found:
        said = _(
            "%(name)s stays, because these refer to it: %(what)s",
            name=team.name,
            what=", ".join(f"{one.title} ({one.count})" for one in found),
        )
        raise Conflict(said, errors={"_schema": [said]})
    db.session.delete(team)
    db.session.flush()
