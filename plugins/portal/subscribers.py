"""Telling people of orders: ours of new ones, customers and vendors of theirs."""

import sqlalchemy as sa

from core.db import db
from core.events import Event, Subscriber
from core.i18n import lazy_gettext as _l
from core.notifications.services import notify
from core.pages import NotificationKind
from core.records import load_ref
from core.users.models import User
from plugins.portal.events import (
    DATE_PROPOSED,
    ORDER_ADVANCED,
    ORDER_PLACED,
    PROMISE_MOVED,
    PURCHASE_SENT,
)
from plugins.portal.models import Order, PurchaseOrder
from plugins.portal.words import ORDER_STATES

PLACED = NotificationKind(
    "portal.order_placed", _l("A customer of yours ordered"), "cart"
)
MOVED_ON = NotificationKind(
    "portal.order_moved", _l("An order of yours moved on"), "cart-check", ("customer",)
)
PURCHASE = NotificationKind(
    "portal.purchase_order", _l("A purchase order for you"), "truck", ("vendor",)
)
DATE = NotificationKind("portal.date_moved", _l("A vendor moved a date"), "calendar")
KINDS = [PLACED, MOVED_ON, PURCHASE, DATE]


def tell_of_order(event: Event) -> None:
    """Tell the owner of a customer that they ordered."""
    order = load_ref(event.subject)
    if not isinstance(order, Order) or order.contact is None:
        return
    owner = order.contact.owner
    if owner is None:
        return
    text = _l(
        "%(name)s ordered %(number)s.", name=order.contact.name, number=order.number
    )
    _tell([owner], PLACED, order, text, event)


def tell_customer(event: Event) -> None:
    """Tell whoever placed an order how far it is, or that its day moved."""
    order = load_ref(event.subject)
    if not isinstance(order, Order) or order.placed_by is None:
        return
    if order.placed_by.kind == "staff":
        return
    if event.type == PROMISE_MOVED.name:
        text = _l("%(number)s arrives on another day.", number=order.number)
    else:
        state = event.data["state"]
        text = _l(
            "Your order %(number)s: %(state)s.",
            number=order.number,
            state=ORDER_STATES.get(state, state),
        )
    _tell([order.placed_by], MOVED_ON, order, text, event)


def tell_vendor(event: Event) -> None:
    """Tell the people of a vendor that we ordered from them."""
    order = load_ref(event.subject)
    if not isinstance(order, PurchaseOrder) or order.contact_id is None:
        return
    people = sa.select(User).where(
        User.contact_id == order.contact_id, User.kind == "vendor", User.active
    )
    readers = list(db.session.scalars(people).unique())
    text = _l("We ordered from you: %(number)s.", number=order.number)
    _tell(readers, PURCHASE, order, text, event)


def tell_buyer(event: Event) -> None:
    """Tell our buyer that a vendor wants to deliver on another day."""
    order = load_ref(event.subject)
    if not isinstance(order, PurchaseOrder) or order.buyer_id is None:
        return
    buyer = db.session.get(User, order.buyer_id)
    if buyer is None or order.vendor is None:
        return
    text = _l(
        "%(name)s moved a date of %(number)s.",
        name=order.vendor.name,
        number=order.number,
    )
    _tell([buyer], DATE, order, text, event)


def _tell(
    readers: list[User],
    kind: NotificationKind,
    order: Order | PurchaseOrder,
    text: object,
    event: Event,
) -> None:
    # The event is the key: delivered twice, it is told once.
    notify(
        readers,
        kind=kind.name,
        record=order,
        text=text,
        key=f"{kind.name}:{event.id}",
        by=event.actor_id,
        deputies=True,
    )


ALL = [
    Subscriber("portal.placed", (ORDER_PLACED.name,), tell_of_order),
    Subscriber(
        "portal.moved", (ORDER_ADVANCED.name, PROMISE_MOVED.name), tell_customer
    ),
    Subscriber("portal.sent", (PURCHASE_SENT.name,), tell_vendor),
    Subscriber("portal.proposed", (DATE_PROPOSED.name,), tell_buyer),
]
