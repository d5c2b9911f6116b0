"""What an administrator may set about contacts."""

import marshmallow as ma
from marshmallow import fields, validate

from core.i18n import lazy_gettext as _l


class ContactSettings(ma.Schema):
    """How contacts are read and kept."""

    # Where a phone number without a country code is dialled from (ISO 3166).
    region = fields.String(load_default="FI", validate=validate.Regexp(r"[A-Z]{2}\Z"))
    # Days without contact after which a customer counts as quiet.
    quiet_days = fields.Integer(
        load_default=60,
        validate=validate.Range(1, 3650),
        metadata={
            "title": _l("Days until somebody is quiet"),
            "description": _l("Without contact for longer, a customer is listed."),
        },
    )
    # The same for those with a tag or a role; of several the fewest days count.
    quiet_days_of = fields.List(
        fields.String(validate=validate.Regexp(r"[^:\x00]{1,80}: *[1-9]\d{0,3}\Z")),
        load_default=list,
        validate=validate.Length(max=50),
        metadata={
            "title": _l("Other days for a tag or role"),
            "description": _l("Such as “retail: 30” or “vendor: 180”."),
        },
    )
