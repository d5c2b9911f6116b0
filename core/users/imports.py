"""Bringing in accounts: colleagues, and people of customers and vendors."""

from typing import Any

import sqlalchemy as sa
from marshmallow import fields, validate

from core.admin.permissions import USERS
from core.contacts.models import Contact
from core.db import db
from core.errors import Invalid
from core.i18n import _
from core.i18n import lazy_gettext as _l
from core.imports import ImportContext, ImportKind, Row
from core.schemas import Schema, Text
from core.users.models import User
from core.users.services import create_user, normal_email

CONTACTS = "contacts"
# Passwords are hashed once for the many rows that may share a first one.
_HASHES = "users.hashes"


class AccountRow(Schema):
    """What every account has. Without a password it cannot sign in yet."""

    email = Text(most=254, least=3, required=True)
    name = Text(least=1, required=True)
    password = fields.String(load_only=True)
    language = Text(most=5)
    timezone = Text(most=50)


class StaffRow(AccountRow):
    """A colleague; `roles` and `teams` are names."""

    roles = fields.List(Text(), load_default=lambda: ["staff"])
    teams = fields.List(Text(), load_default=list)


class PortalRow(AccountRow):
    """Somebody of a customer or vendor, for the portal.

    `organisation_key` is what the source calls the contact whose records they see,
    `person_key` the contact they are.
    """

    kind = fields.String(required=True, validate=validate.OneOf(["customer", "vendor"]))
    organisation_key = Text(required=True)
    person_key = Text()


def bring_colleague(row: Row, context: ImportContext) -> User:
    """Make a colleague's account; of one that exists only name and language change.

    Roles, teams and password of an existing account are its administrator's.
    """
    found = _known(row, context, {"staff"})
    if found is not None:
        return _change(found, row)
    values = {k: row[k] for k in ("roles", "teams")}
    return _create(row, context, kind="staff", **values)


def bring_portal_account(row: Row, context: ImportContext) -> User:
    """Make the portal account of a person of a customer or vendor."""
    organisation = context.need(
        Contact, CONTACTS, row["organisation_key"], field="organisation_key"
    )
    person = None
    if "person_key" in row:
        person = context.need(Contact, CONTACTS, row["person_key"], field="person_key")
    found = _known(row, context, {"customer", "vendor"})
    if found is not None:
        return _change(found, row)
    return _create(
        row,
        context,
        kind=row["kind"],
        roles=[row["kind"]],
        contact_id=organisation.id,
        person_id=person.id if person else None,
    )


def _known(row: Row, context: ImportContext, kinds: set[str]) -> User | None:
    address = normal_email(row["email"])
    found = context.existing(User) or db.session.scalar(
        sa.select(User).where(User.email == address)
    )
    if found is not None and found.kind not in kinds:
        said = _("%(email)s has an account of another kind.", email=found.email)
        raise Invalid(errors={"email": [said]})
    return found


def _change(user: User, row: Row) -> User:
    for name in ("name", "language", "timezone"):
        if name in row and getattr(user, name) != row[name]:
            setattr(user, name, row[name])
    db.session.flush()
    return user


def _create(row: Row, context: ImportContext, **values: Any) -> User:
    given = {k: row[k] for k in ("language", "timezone") if k in row}
    hashes: dict[str, str] = context.shared.setdefault(_HASHES, {})
    password = row.get("password")
    known = hashes.get(password) if password else None
    user = create_user(
        row["email"],
        name=row["name"],
        password=None if known else password,
        **given,
        **values,
    )
    if known:
        user.password_hash = known
        db.session.flush()
    elif password and user.password_hash:
        hashes[password] = user.password_hash
    return user


KINDS = [
    ImportKind(
        name="staff",
        title=_l("Colleagues"),
        schema=StaffRow,
        bring=bring_colleague,
        permission=USERS,
        columns={
            "roles": {"from": "role", "split": ","},
            "teams": {"from": "team", "split": ","},
        },
    ),
    ImportKind(
        name="accounts",
        title=_l("Portal accounts"),
        schema=PortalRow,
        bring=bring_portal_account,
        permission=USERS,
    ),
]
