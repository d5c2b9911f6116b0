"""What the portal announces beyond created, updated and deleted.

Order facts may be read by the customer and purchase order facts by the vendor, so
neither names the other side.
"""

from marshmallow import fields

from core.events import EventType
from core.i18n import lazy_gettext as _l
from core.schemas import Schema


class OrderPlaced(Schema):
    """Which order was placed; `total` is a decimal string in the order's currency."""

    number = fields.String(required=True)
    total = fields.String(required=True)


class StateReached(Schema):
    """Which state an order reached."""

    number = fields.String(required=True)
    state = fields.String(required=True)


class PromiseMoved(Schema):
    """To which day the promise of an order moved, as YYYY-MM-DD."""

    number = fields.String(required=True)
    promised_on = fields.Date(required=True, allow_none=True)


class DateMoved(Schema):
    """Which line of a purchase order has another day now, as YYYY-MM-DD."""

    number = fields.String(required=True)
    line = fields.Integer(required=True)
    date = fields.Date(required=True)


ORDER_PLACED = EventType("portal.order.placed", _l("Order placed"), OrderPlaced)
ORDER_ADVANCED = EventType("portal.order.advanced", _l("Order moved on"), StateReached)
PROMISE_MOVED = EventType(
    "portal.order.promise_moved", _l("Delivery date changed"), PromiseMoved
)
PURCHASE_SENT = EventType(
    "portal.purchase_order.sent", _l("Purchase order sent"), StateReached
)
PURCHASE_CONFIRMED = EventType(
    "portal.purchase_order.confirmed", _l("Purchase order confirmed"), StateReached
)
PURCHASE_RECEIVED = EventType(
    "portal.purchase_order.received", _l("Goods received"), StateReached
)
DATE_PROPOSED = EventType(
    "portal.purchase_order.date_proposed", _l("Vendor moved a date"), DateMoved
)
DATE_ACCEPTED = EventType(
    "portal.purchase_order.date_accepted", _l("New date accepted"), DateMoved
)
DATE_DECLINED = EventType(
    "portal.purchase_order.date_declined", _l("New date declined"), DateMoved
)

ALL = [
    ORDER_PLACED,
    ORDER_ADVANCED,
    PROMISE_MOVED,
    PURCHASE_SENT,
    PURCHASE_CONFIRMED,
    PURCHASE_RECEIVED,
    DATE_PROPOSED,
    DATE_ACCEPTED,
    DATE_DECLINED,
]
