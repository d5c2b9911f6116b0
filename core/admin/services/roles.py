"""Roles: what each allows, and how far it sees."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from core.admin.services.accounts import check_version
from core.admin.services.powers import (
    check_administrator_left,
    check_gift,
    hold_roles,
)
from core.db import db
from core.errors import Conflict, Invalid
from core.i18n import _
from core.i18n import lazy_gettext as _l
from core.permissions import Permission, declared_permissions
from core.users.models import Role, User, UserRole

REACH_TITLES = {
    "all": _l("All contacts"),
    "team": _l("Their own contacts and those of their teams"),
    "own": _l("Only contacts they own"),
}
GROUP_TITLES = {
    "contacts": _l("Contacts"),
    "interactions": _l("Interactions"),
    "admin": _l("Administration"),
}


@dataclass(frozen=True)
class Group:
    """The permissions of one plugin, or of a part of core."""

    name: str
    title: str
    permissions: Sequence[Permission]


def permission_groups() -> list[Group]:
    """Give all permissions by who declares them: core's first, then the plugins'."""
    owners: dict[str, list[Permission]] = {}
    for one in declared_permissions().values():
        owners.setdefault(one.owner, []).append(one)
    order = list(GROUP_TITLES)
    names = sorted(owners, key=lambda n: (order.index(n) if n in order else 99, n))
    return [
        Group(name, str(GROUP_TITLES.get(name, name.capitalize())), owners[name])
        for name in names
    ]


def list_roles() -> list[tuple[Role, int]]:
    """Give all roles by name, with how many accounts have each."""
    holders = (
        sa.select(sa.func.count())
        .select_from(UserRole)
        .where(UserRole.role_id == Role.id)
        .scalar_subquery()
    )
    query = sa.select(Role, holders).order_by(Role.name)
    return [(role, count) for role, count in db.session.execute(query)]


def holders_of(role: Role, *, most: int = 20) -> tuple[list[User], int]:
    """Give some of the accounts that have a role, and how many there are."""
    query = sa.select(User).where(User.roles.any(Role.id == role.id))
    total = db.session.scalar(query.with_only_columns(sa.func.count(User.id)))
    found = db.session.scalars(query.order_by(User.name).limit(most)).all()
    return list(found), total or 0


def unknown_permissions(role: Role) -> list[str]:
    """Name what a role allows in plugins that are not here now; it is kept."""
    return sorted(set(role.permissions) - set(declared_permissions()) - {"*"})


def save_role(
    actor: User,
    role: Role | None,
    *,
    name: str,
    permissions: list[str],
    reach: str,
    version: int | None = None,
) -> Role:
    """Make or change a role.

    Raises `Invalid` for a taken name, for giving what `actor` lacks, and for taking
    the last administrator's powers; `Conflict` when somebody saved first.
    """
    hold_roles()
    kept: list[str] = []
    before: set[str] = set()
    if role is not None:
        check_version(role, version)
        kept, before = unknown_permissions(role), set(role.permissions)
    _check_name(role, name)
    wanted = set(permissions) & (set(declared_permissions()) | {"*"})
    old_reach = role.reach if role is not None else "own"
    added_reach = reach if reach != old_reach else "own"
    check_gift(actor, wanted - before, added_reach, field="permissions")
    stored = sorted({"*"} if "*" in wanted else wanted | set(kept))
    if role is None:
        role = Role(name=name, permissions=stored, reach=reach)
        db.session.add(role)
    elif (role.name, role.permissions, role.reach) != (name, stored, reach):
        role.name, role.permissions, role.reach = name, stored, reach
    check_administrator_left()
    return role


def _check_name(role: Role | None, name: str) -> None:
    taken = sa.select(Role.id).where(sa.func.lower(Role.name) == name.lower())
    if role is not None:
        taken = taken.where(Role.id != role.id)
    if db.session.scalar(taken):
        said = _("There is a role of this name already.")
        raise Invalid(errors={"name": [said]})


def delete_role(role: Role) -> None:
    """Delete a role that nobody has; raises `Conflict` that says who has it."""
    hold_roles()
    found, total = holders_of(role, most=5)
    if total:
        names = ", ".join(one.name for one in found)
        said = _(
            "%(role)s stays, because %(count)d accounts have it: %(names)s",
            role=role.name,
            count=total,
            names=names if total <= len(found) else f"{names} …",
        )
        raise Conflict(said, errors={"_schema": [said]})
    db.session.delete(role)
    check_administrator_left()
