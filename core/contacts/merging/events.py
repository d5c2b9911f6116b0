"""What is told of a merge and of its end."""

from marshmallow import Schema, fields

from core.events import EventType
from core.i18n import lazy_gettext as _l


class Merged(Schema):
    """Which two contacts, by their ids, and under which number it is kept."""

    merge = fields.Integer(required=True)
    kept = fields.Integer(required=True)
    gone = fields.Integer(required=True)


MERGED = EventType("contact.merged", _l("Merged with another contact"), Merged)
PARTED = EventType("contact.parted", _l("Parted again"), Merged)
TYPES = [MERGED, PARTED]
