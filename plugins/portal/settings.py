"""What an administrator may set about stock and promises."""

from marshmallow import fields, validate

from core.i18n import lazy_gettext as _l
from core.schemas import Schema


class PortalSettings(Schema):
    """The portal's settings."""

    few_left = fields.Integer(
        load_default=10,
        validate=validate.Range(min=1, max=100_000),
        metadata={
            "title": _l("Few left"),
            "description": _l(
                "Up to this many, customers without exact figures read “few left”."
            ),
        },
    )
    wanted_days = fields.Integer(
        load_default=14,
        validate=validate.Range(min=0, max=3650),
        metadata={
            "title": _l("Days to restock"),
            "description": _l(
                "Purchase orders that name no day, for products without a lead time, "
                "want the goods in so many days."
            ),
        },
    )
    delivery_days = fields.Integer(
        load_default=2,
        validate=validate.Range(min=0, max=365),
        metadata={
            "title": _l("Days to deliver"),
            "description": _l("Working days from the order to what is in stock."),
        },
    )
