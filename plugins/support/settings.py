"""What an administrator may set about tickets."""

from marshmallow import fields, validate

from core.i18n import lazy_gettext as _l
from core.schemas import Schema


class SupportSettings(Schema):
    """From when on somebody counts as unhappy with us."""

    answer_hours = fields.Integer(
        strict=True,
        load_default=24,
        validate=validate.Range(min=1, max=2_000),
        metadata={
            "title": _l("Hours until an answer is late"),
            "description": _l("A customer who waits longer is named as unhappy."),
        },
    )
    unsolved_days = fields.Integer(
        strict=True,
        load_default=14,
        validate=validate.Range(min=1, max=1_000),
        metadata={
            "title": _l("Days until a ticket is too old"),
            "description": _l("One that is open for longer is named as unhappy."),
        },
    )
