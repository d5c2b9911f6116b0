"""What comes in and goes out about accounts."""

from typing import Any
from zoneinfo import available_timezones

import marshmallow as ma
from marshmallow import fields, validate

from core.i18n import LANGUAGES, _
from core.schemas import Schema, Text


class Form(ma.Schema):
    """A page's form: fields nobody asked for, such as the CSRF token, are left out."""

    class Meta:
        """Leave out what is not declared."""

        unknown = ma.EXCLUDE


class SignInForm(Form):
    """E-mail and password; where to go afterwards."""

    email = Text(most=254, required=True)
    password = fields.String(required=True, validate=validate.Length(max=1024))
    next = fields.String(load_default="/")


class MeForm(Form):
    """How one likes it: language, zone, look."""

    language = fields.String(required=True, validate=validate.OneOf(LANGUAGES))
    timezone = fields.String(required=True)
    theme = fields.String(
        required=True, validate=validate.OneOf(["auto", "light", "dark"])
    )

    @ma.validates("timezone")
    def check_zone(self, value: str, **_kwargs: Any) -> None:
        """Take only zones of the tz database."""
        if value not in available_timezones():
            raise ma.ValidationError(_("This time zone is not known."))


class PasswordForm(Form):
    """The old password and the new one."""

    old_password = fields.String(required=True)
    new_password = fields.String(required=True, validate=validate.Length(max=1024))


class ForgotForm(Form):
    """Whose password was forgotten."""

    email = Text(most=254, least=3, required=True)


class NewPasswordForm(Form):
    """The password that a link sets."""

    password = fields.String(required=True, validate=validate.Length(max=1024))


class TokenForm(Form):
    """A new token: what for, what it may do, for how long."""

    name = Text(most=100, load_default="")
    scopes = fields.List(fields.String(), required=True)
    days = fields.Integer(
        allow_none=True, load_default=None, validate=validate.Range(1, 3650)
    )


class NamedSchema(Schema):
    """A record by id and name."""

    id = fields.Integer()
    name = fields.String()


class MeSchema(Schema):
    """Who is signed in, and what they may do."""

    id = fields.Integer()
    email = fields.String()
    name = fields.String()
    kind = fields.String()
    roles = fields.List(fields.String())
    teams = fields.List(fields.String())
    permissions = fields.List(fields.String())
    language = fields.String()
    timezone = fields.String()
    organisation = fields.Nested(NamedSchema, allow_none=True)
