"""What waits for a delivery: order lines, and the purchase order lines that fill them.

The customer's order shows the day alone: never the vendor, nor why it moved.
"""

from collections.abc import Iterable
from datetime import date

import sqlalchemy as sa

from core.db import db, now
from core.events import acting, announce
from plugins.portal.events import PROMISE_MOVED
from plugins.portal.models import (
    Order,
    OrderLine,
    Product,
    PurchaseOrder,
    PurchaseOrderLine,
)
from plugins.portal.services.prices import recount
from plugins.portal.services.stock import (
    ON_THE_WAY,
    lead_time_ends,
    reserve_up_to,
    today,
)

_OPEN = ("placed", "confirmed", "picked")


def attach_to_arrival(line: OrderLine, claimed: dict[int, int] | None = None) -> bool:
    """Have the rest of `line` wait for the first delivery that has enough left.

    Without one it is promised by the product's lead time, and waits for the next
    purchase order. Gives False when no day is known. `claimed` counts what other
    lines of an order that is still being made have taken, by delivery.
    """
    if line.product is None:
        return False
    claimed = {} if claimed is None else claimed
    for arriving, free in _arriving(line.product):
        free -= claimed.get(arriving.id, 0)
        if free >= line.to_come and arriving.expected_on is not None:
            claimed[arriving.id] = claimed.get(arriving.id, 0) + line.to_come
            line.waiting_for_id = arriving.id
            line.promised_on = max(arriving.expected_on, today())
            return True
    line.promised_on = lead_time_ends(line.product)
    return line.promised_on is not None


def _arriving(product: Product) -> list[tuple[PurchaseOrderLine, int]]:
    """List what is on its way of `product`, first first, with what is free of it."""
    lines = list(
        db.session.scalars(
            sa.select(PurchaseOrderLine)
            .join(PurchaseOrder)
            .where(
                PurchaseOrder.state.in_(ON_THE_WAY),
                PurchaseOrderLine.product_id == product.id,
            )
            .order_by(PurchaseOrderLine.id)
            # Two orders must not both count on the last of a delivery.
            .with_for_update(of=PurchaseOrderLine)
        )
    )
    taken = _waiting_for(one.id for one in lines)
    lines.sort(key=lambda one: (one.expected_on or date.max, one.id))
    return [(one, one.quantity - taken.get(one.id, 0)) for one in lines]


def _waiting_for(line_ids: Iterable[int]) -> dict[int, int]:
    """Say how many units wait for each purchase order line."""
    to_come = OrderLine.quantity - OrderLine.reserved - OrderLine.shipped
    rows = db.session.execute(
        sa.select(OrderLine.waiting_for_id, sa.func.sum(to_come))
        .where(OrderLine.waiting_for_id.in_(list(line_ids)))
        .group_by(OrderLine.waiting_for_id)
    )
    return {line_id: int(units) for line_id, units in rows if line_id is not None}


def attach_waiting(arriving: PurchaseOrderLine) -> None:
    """Have orders that wait for nothing yet wait for this delivery, oldest first."""
    if arriving.expected_on is None:
        # Nobody waits for a day that is not known.
        return
    free = arriving.quantity - _waiting_for([arriving.id]).get(arriving.id, 0)
    rows = db.session.scalars(
        sa.select(OrderLine)
        .join(Order)
        .where(
            OrderLine.product_id == arriving.product_id,
            OrderLine.waiting_for_id.is_(None),
            OrderLine.quantity > OrderLine.reserved + OrderLine.shipped,
            Order.state.in_(_OPEN),
        )
        .order_by(Order.placed_at, OrderLine.id)
    )
    moved = []
    for line in rows:
        if line.to_come <= free:
            free -= line.to_come
            line.waiting_for_id = arriving.id
            moved.append(line)
    _promise(moved, arriving.expected_on)


def move_promises(arriving: PurchaseOrderLine) -> None:
    """Tell every order that waits for this delivery its new day."""
    rows = db.session.scalars(
        sa.select(OrderLine)
        .where(OrderLine.waiting_for_id == arriving.id)
        .order_by(OrderLine.id)
    )
    _promise(list(rows), arriving.expected_on)


def let_go(arriving: PurchaseOrderLine) -> None:
    """Have what waited for a delivery that will not come look for another."""
    rows = list(
        db.session.scalars(
            sa.select(OrderLine)
            .where(OrderLine.waiting_for_id == arriving.id)
            .order_by(OrderLine.id)
        )
    )
    for line in rows:
        line.waiting_for_id = None
        line.promised_on = None
        if line.product is not None:
            attach_to_arrival(line)
        db.session.flush()
    _note_promises({line.order_id for line in rows})


def hand_out(arriving: PurchaseOrderLine) -> None:
    """Reserve what has just arrived for the orders that waited for it, in turn."""
    rows = db.session.scalars(
        sa.select(OrderLine)
        .join(Order)
        .where(OrderLine.waiting_for_id == arriving.id, Order.state.in_(_OPEN))
        .order_by(Order.placed_at, OrderLine.id)
    )
    for line in rows:
        if arriving.product_id is not None:
            line.reserved += reserve_up_to(arriving.product_id, line.to_come)
        if line.to_come == 0:
            line.waiting_for_id = None
            line.order.updated_at = now()


def _promise(lines: Iterable[OrderLine], on: date | None) -> None:
    moved = [line for line in lines if line.promised_on != on]
    for line in moved:
        line.promised_on = on
    db.session.flush()
    _note_promises({line.order_id for line in moved})


def _note_promises(order_ids: Iterable[int]) -> None:
    """Sum up the promises of orders anew, and announce what moved.

    Nobody is named as having done it: that may have been the vendor.
    """
    for order_id in sorted(order_ids):
        order = db.session.get_one(Order, order_id)
        with acting(None):
            recount(order)
            # The lines are part of the order: a changed line is a changed order.
            order.updated_at = now()
            db.session.flush()
            said = {
                "number": order.number,
                "promised_on": order.promised_on and order.promised_on.isoformat(),
            }
            announce(PROMISE_MOVED.name, order, said)
