"""Who may give what: nobody gives what they lack, and one administrator stays."""

from collections.abc import Iterable

import sqlalchemy as sa

from core.admin.permissions import USERS
from core.db import db
from core.errors import Invalid
from core.i18n import _
from core.permissions import declared_permissions, expand
from core.users.models import Role, User

REACHES = ("own", "team", "all")


def check_gift(
    actor: User, permissions: Iterable[str], reach: str, *, field: str
) -> None:
    """Refuse to hand out what `actor` does not have; raises `Invalid` for `field`."""
    beyond = expand(permissions) - actor.permissions
    if beyond:
        titles = sorted(str(declared_permissions()[one].title) for one in beyond)
        said = _(
            "You can give only what you have yourself. You lack: %(names)s",
            names=", ".join(titles),
        )
        raise Invalid(errors={field: [said]})
    if REACHES.index(reach) > REACHES.index(actor.reach):
        said = _("You can give only what you have yourself: you see fewer contacts.")
        raise Invalid(errors={field: [said]})


def check_roles(actor: User, roles: Iterable[Role]) -> None:
    """Refuse roles that allow more than `actor` may do; raises `Invalid`."""
    for role in roles:
        check_gift(actor, role.permissions, role.reach, field="roles")


def check_over(actor: User, user: User) -> None:
    """Refuse to change the account of somebody who may do more; raises `Invalid`."""
    if user.permissions - actor.permissions:
        said = _(
            "%(name)s may do more than you. Ask an administrator who may do the same.",
            name=user.name,
        )
        raise Invalid(said, errors={"_schema": [said]})


def hold_roles() -> None:
    """Let changes of who administers follow one another, also from two browsers."""
    query = sa.select(Role.id).order_by(Role.id)
    db.session.execute(query.with_for_update()).all()


def check_administrator_left() -> None:
    """Refuse a change after which nobody could sign in to administer accounts.

    Call it after the change, under `hold_roles`; raises `Invalid`.
    """
    db.session.flush()
    able = [
        role.id
        for role in db.session.scalars(sa.select(Role))
        if USERS.name in expand(role.permissions)
    ]
    left = db.session.scalar(
        sa.select(User.id)
        .where(User.active, User.kind == "staff", User.roles.any(Role.id.in_(able)))
        .limit(1)
    )
    if left is None:
        said = _(
            "Nobody would be left who may change users. Make a colleague an "
            "administrator first."
        )
        raise Invalid(said, errors={"_schema": [said]})
