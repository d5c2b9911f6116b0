"""What an administrator may set about contacts."""

import marshmallow as ma
from marshmallow import fields, validate


class ContactSettings(ma.Schema):
    """How contacts are read and kept."""

    # Where a phone number without a country code is dialled from (ISO 3166).
    region = fields.String(load_default="FI", validate=validate.Regexp(r"[A-Z]{2}\Z"))
    # Days without contact after which a customer counts as quiet.
    quiet_days = fields.Integer(load_default=60, validate=validate.Range(1, 3650))
