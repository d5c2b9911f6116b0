"""The administration's forms."""

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from core.house import zones
from core.i18n import LANGUAGES, _
from core.schemas import Text


class Form(ma.Schema):
    """A page's form: fields nobody asked for, such as the CSRF token, are left out."""

    class Meta:
        """Leave out what is not declared."""

        unknown = ma.EXCLUDE


class AccountForm(Form):
    """An account that is changed; an empty password stays as it is."""

    email = Text(most=254, least=3, required=True)
    name = Text(most=200, least=1, required=True)
    password = fields.String(load_default="", validate=validate.Length(max=1024))
    roles = fields.List(fields.String(), load_default=list)
    teams = fields.List(fields.String(), load_default=list)
    language = fields.String(required=True, validate=validate.OneOf(LANGUAGES))
    timezone = fields.String(required=True)
    organisation = Text(most=300, load_default="")
    person = Text(most=300, load_default="")
    version = fields.Integer(load_default=None)

    @ma.validates("timezone")
    def check_zone(self, value: str, **_kwargs: Any) -> None:
        """Take only zones of the tz database."""
        if value not in zones():
            raise ma.ValidationError(_("This time zone is not known."))


class NewAccountForm(AccountForm):
    """A new account; without a password its owner is invited by mail to choose one."""

    kind = fields.String(
        load_default="staff", validate=validate.OneOf(["staff", "customer", "vendor"])
    )

    @ma.validates("roles")
    def check_roles(self, value: list[str], **_kwargs: Any) -> None:
        """Ask for a role: without one an account can do nothing."""
        if not value:
            raise ma.ValidationError(_("Choose at least one role."))


class TeamForm(Form):
    """A team: its name and who is in it."""

    name = Text(most=80, least=1, required=True)
    members = fields.List(fields.Integer(), load_default=list)
    version = fields.Integer(load_default=None)


class RoleForm(Form):
    """A role: its name, what it allows, how far it sees."""

    name = Text(most=80, least=1, required=True)
    permissions = fields.List(fields.String(), load_default=list)
    reach = fields.String(
        load_default="all", validate=validate.OneOf(["all", "team", "own"])
    )
    version = fields.Integer(load_default=None)


class ReasonForm(Form):
    """Why deliveries are given up."""

    reason = Text(most=300, load_default="")


class WhyForm(Form):
    """Whom one asks about, and what."""

    user = fields.Integer(required=True)
    record = Text(most=300, least=1, required=True)


class ColleaguesForm(Form):
    """Several colleagues at once: one a line, and the role of all.

    Without a password of all, each is invited by mail to choose their own.
    """

    people = Text(most=20_000, least=1, required=True)
    role = fields.String(required=True)
    password = fields.String(load_default="", validate=validate.Length(max=1024))
