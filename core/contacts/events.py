"""What happens to contacts beyond a changed row."""

from marshmallow import Schema, fields

from core.events import EventType
from core.i18n import lazy_gettext as _l


class Left(Schema):
    """Which affiliation ended."""

    affiliation = fields.Integer(required=True)


class Erased(Schema):
    """Whether entries that concerned others too lost their words; nothing personal."""

    with_others = fields.Boolean(required=True)


TYPES = [
    EventType("contact.left", _l("Left the organisation"), Left),
    EventType("contact.erased", _l("Erased for good"), Erased),
]
