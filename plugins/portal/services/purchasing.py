"""Purchase orders: what we order from vendors, and the dates they give us."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from core import settings
from core.contacts.models import Contact
from core.db import db, now
from core.errors import Invalid, NotFound
from core.events import announce
from core.i18n import _
from core.schemas import LIMIT, Page, keyset_page
from core.users.models import User
from core.visibility import get_visible, visible_to
from plugins.portal.events import PURCHASE_RECEIVED, PURCHASE_SENT
from plugins.portal.models import (
    NOTHING,
    Product,
    PurchaseOrder,
    PurchaseOrderLine,
)
from plugins.portal.services.arrivals import attach_waiting, hand_out, let_go
from plugins.portal.services.catalogue import find_products
from plugins.portal.services.numbers import house_currency, is_number, next_number
from plugins.portal.services.prices import checked_price, checked_total
from plugins.portal.services.quick_order import read_quantity
from plugins.portal.services.stock import ON_THE_WAY, take_in, today
from plugins.portal.services.vendor_dates import confirm_lines


def purchase_orders_of(
    user: User,
    *,
    state: str = "",
    vendor: Contact | None = None,
    proposed: bool = False,
    cursor: str | None = None,
    limit: int = LIMIT,
) -> Page[PurchaseOrder]:
    """Read a page of the purchase orders `user` sees, newest first, with their lines.

    `proposed` keeps those with a moved date that waits for our buyer.
    """
    query = visible_to(user, PurchaseOrder).options(
        selectinload(PurchaseOrder.lines), joinedload(PurchaseOrder.vendor)
    )
    if state:
        query = query.where(PurchaseOrder.state == state)
    if vendor is not None:
        query = query.where(PurchaseOrder.vendor_id == vendor.id)
    if proposed:
        waiting = sa.select(PurchaseOrderLine.order_id).where(
            PurchaseOrderLine.proposed_on.is_not(None)
        )
        query = query.where(
            PurchaseOrder.id.in_(waiting), PurchaseOrder.state.in_(ON_THE_WAY)
        )
    return keyset_page(
        query, [PurchaseOrder.id], cursor=cursor, limit=limit, descending=True
    )


def get_purchase_order(user: User, key: str) -> PurchaseOrder:
    """Give the purchase order with this number (PO-1001) or id; raises `NotFound`."""
    if key.isdecimal():
        return get_visible(user, PurchaseOrder, int(key[:12]))
    query = visible_to(user, PurchaseOrder).where(PurchaseOrder.number == key)
    found = db.session.scalar(query) if is_number(key) else None
    if found is None:
        raise NotFound
    return found


def create_purchase_order(
    buyer: User,
    *,
    vendor: Contact,
    lines: Sequence[Mapping[str, Any]],
    reference: str = "",
) -> PurchaseOrder:
    """Draft an order to `vendor`, who does not see it until it is sent.

    A line has `sku` and `quantity`, and may have `wanted_on` (else the product's lead
    time or the house's usual days count) and `price` (of one).
    Raises `Invalid` naming the lines that are wrong (`lines.0.sku`).
    """
    if "vendor" not in vendor.roles:
        said = _("%(name)s is not a vendor.", name=vendor.name)
        raise Invalid(errors={"vendor": [said]})
    if not lines:
        raise Invalid(errors={"lines": [_("Add a product first.")]})
    products = find_products(buyer, (str(one["sku"]) for one in lines))
    errors = _wrong_lines(lines, products)
    if errors:
        raise Invalid(errors=errors)
    order = PurchaseOrder(
        vendor_id=vendor.id,
        buyer_id=buyer.id,
        reference=reference,
        currency=house_currency(),
        lines=[_line(one, products[str(one["sku"]).lower()]) for one in lines],
    )
    order.total = checked_total(sum((one.total for one in order.lines), NOTHING))
    order.number = next_number("PO")
    db.session.add(order)
    db.session.flush()
    return order


def _wrong_lines(
    lines: Sequence[Mapping[str, Any]], products: Mapping[str, Product]
) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    for position, line in enumerate(lines):
        sku = str(line["sku"])
        if sku.lower() not in products:
            said = _("%(sku)s is not in the catalogue.", sku=sku)
            errors[f"lines.{position}.sku"] = [said]
        if read_quantity(line.get("quantity", "")) is None:
            said = _("Write a whole number above zero.")
            errors[f"lines.{position}.quantity"] = [said]
    return errors


def _line(sent: Mapping[str, Any], product: Product) -> PurchaseOrderLine:
    return PurchaseOrderLine(
        product_id=product.id,
        sku=product.sku,
        name=product.name,
        quantity=read_quantity(sent["quantity"]),
        unit_price=checked_price(sent.get("price") or NOTHING),
        wanted_on=sent.get("wanted_on") or _usual_day(product),
    )


def _usual_day(product: Product) -> date:
    """Say when goods are wanted of which nobody says it."""
    usual: int = settings.get("portal")["wanted_days"]
    days = usual if product.lead_time_days is None else product.lead_time_days
    return today() + timedelta(days=days)


def _refuse_unless(order: PurchaseOrder, *states: str) -> None:
    if order.state not in states:
        said = _("A purchase order that is %(state)s cannot do this.")
        raise Invalid(errors={"state": [said % {"state": order.state}]})


def send_purchase_order(order: PurchaseOrder) -> PurchaseOrder:
    """Send a draft: the vendor sees it, and customers' orders wait for its goods.

    Raises `Invalid` when it was sent before.
    """
    _refuse_unless(order, "draft")
    order.state = "sent"
    order.contact_id = order.vendor_id
    order.sent_at = now()
    db.session.flush()
    for line in order.lines:
        attach_waiting(line)
    said = {"number": order.number, "state": order.state}
    announce(PURCHASE_SENT.name, order, said)
    return order


def receive_goods(order: PurchaseOrder) -> PurchaseOrder:
    """Take all goods of a purchase order into stock, for those first who waited.

    Raises `Invalid` unless it was sent.
    """
    _refuse_unless(order, "sent", "confirmed")
    order.state = "received"
    order.received_at = now()
    for line in sorted(order.lines, key=lambda one: (one.product_id or 0, one.id)):
        if line.product_id is not None:
            take_in(line.product_id, line.quantity)
            hand_out(line)
    db.session.flush()
    said = {"number": order.number, "state": order.state}
    announce(PURCHASE_RECEIVED.name, order, said)
    return order


def cancel_purchase_order(order: PurchaseOrder) -> PurchaseOrder:
    """Cancel what has not arrived; what waited for it looks for another delivery."""
    _refuse_unless(order, "draft", "sent", "confirmed")
    order.state = "cancelled"
    db.session.flush()
    for line in order.lines:
        let_go(line)
    return order


def advance_purchase_order(order: PurchaseOrder, state: str) -> PurchaseOrder:
    """Move a purchase order on, as our buyer; raises `Invalid` for a way back."""
    if state == "sent":
        return send_purchase_order(order)
    if state == "received":
        return receive_goods(order)
    if state == "cancelled":
        return cancel_purchase_order(order)
    return confirm_lines(order)


def expected_lines(
    products: Sequence[Product],
) -> dict[int, list[tuple[PurchaseOrder, PurchaseOrderLine]]]:
    """List by product id what is on its way, the first first, for colleagues' pages."""
    rows = db.session.execute(
        sa.select(PurchaseOrder, PurchaseOrderLine)
        .join(PurchaseOrderLine, PurchaseOrderLine.order_id == PurchaseOrder.id)
        .where(
            PurchaseOrder.state.in_(ON_THE_WAY),
            PurchaseOrderLine.product_id.in_([one.id for one in products]),
        )
    ).all()
    found: dict[int, list[tuple[PurchaseOrder, PurchaseOrderLine]]] = {}
    for order, line in sorted(
        rows, key=lambda row: (row[1].expected_on or date.max, row[1].id)
    ):
        found.setdefault(line.product_id or 0, []).append((order, line))
    return found
