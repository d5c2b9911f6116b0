"""The administration's forms."""

import marshmallow as ma
from marshmallow import fields, validate

from core.schemas import Text


class NewUserForm(ma.Schema):
    """A new colleague."""

    email = Text(most=254, least=3, required=True)
    name = Text(most=200, least=1, required=True)
    # Left empty, an invitation is mailed and the colleague chooses one.
    password = fields.String(load_default="", validate=validate.Length(max=1024))
    roles = fields.List(fields.String(), required=True, validate=validate.Length(min=1))
    teams = fields.List(fields.String(), load_default=list)
