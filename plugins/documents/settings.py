"""What an administrator may set about documents."""

from marshmallow import fields, validate

from core.i18n import lazy_gettext as _l
from core.schemas import Schema


class DocumentSettings(Schema):
    """The settings of documents."""

    max_upload = fields.Integer(
        strict=True,
        load_default=50_000_000,
        validate=validate.Range(min=1_000, max=2_000_000_000),
        metadata={
            "title": _l("Largest file"),
            "description": _l("In bytes; 50000000 is 50 MB."),
        },
    )
    portal_room = fields.Integer(
        strict=True,
        load_default=1_000_000_000,
        validate=validate.Range(min=0, max=2**53),
        metadata={
            "title": _l("Files from one organisation outside"),
            "description": _l(
                "In bytes, all together; 1000000000 is 1 GB, 0 is without limit."
            ),
        },
    )
