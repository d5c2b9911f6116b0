"""What happens to tickets beyond a changed row."""

from marshmallow import Schema, fields

from core.events import EventType
from core.i18n import lazy_gettext as _l


class Opened(Schema):
    """The number of the ticket that was opened."""

    number = fields.Integer(required=True)


class Answered(Schema):
    """Who answered: staff, customer or vendor; and the entry it stands in."""

    by = fields.String(required=True)
    entry = fields.Integer()


TYPES = [
    EventType("support.ticket.opened", _l("Ticket opened"), Opened),
    EventType("support.ticket.answered", _l("Ticket answered"), Answered),
    EventType("support.ticket.shared", _l("Ticket shown to the customer")),
]
