"""Orders that other systems kept: brought in whole, without touching the stock."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from core.contacts.models import Contact
from core.db import db
from core.errors import Invalid
from core.i18n import _
from core.users.models import User
from plugins.portal.models import NOTHING, Order, OrderLine, Product
from plugins.portal.services.numbers import house_currency, next_number
from plugins.portal.services.orders import STATES
from plugins.portal.services.prices import (
    checked_discount,
    checked_price,
    checked_total,
    total_of,
)

# What another system says of an order, as it stands.
_FIELDS = ("placed_at", "required_on", "shipped_at", "reference", "currency", "ship_to")
# Orders whose goods have left.
_GONE = ("shipped", "delivered")


def keep_order(
    order: Order | None,
    *,
    customer: Contact | None,
    placed_by: User | None,
    number: str | None,
    values: Mapping[str, Any],
) -> Order:
    """Keep an order of another system as it was, or change the one kept before.

    Without a `state` it is shipped if it says when, else placed. It gets a number of
    ours beside its own. Raises `Invalid` for an unknown state.
    """
    state = _state(values)
    if order is None:
        order = Order(currency=house_currency(), number="", total=NOTHING)
    elif state not in (None, order.state) and any(one.reserved for one in order.lines):
        said = _("This order is being picked here. Move it on by hand.")
        raise Invalid(errors={"state": [said]})
    if customer is not None:
        order.contact_id = customer.id
    if placed_by is not None:
        order.placed_by_id = placed_by.id
    if number is not None:
        order.external_number = number
    if state is not None:
        order.state = state
    for name in _FIELDS:
        if name in values:
            setattr(order, name, values[name])
    if "freight" in values:
        order.freight = checked_price(values["freight"], "freight")
    if not order.number:
        order.number = next_number("SO")
        db.session.add(order)
    db.session.flush()
    return order


def _state(values: Mapping[str, Any]) -> str | None:
    state = values.get("state") or ("shipped" if "shipped_at" in values else None)
    if state is not None and state not in (*STATES, "cancelled"):
        names = ", ".join((*STATES, "cancelled"))
        said = _("There is no state “%(state)s”, only: %(names)s.")
        raise Invalid(errors={"state": [said % {"state": state, "names": names}]})
    return state


def keep_line(
    order: Order,
    product: Product,
    *,
    quantity: int,
    unit_price: Decimal,
    discount: Decimal = NOTHING,
    key: str | None = None,
) -> OrderLine:
    """Keep a line of an order of another system, or change the one kept before.

    The line is known by `key`, what that system calls it, else by its product. The
    order's total moves with it. Raises `Invalid` for a line whose goods are reserved
    here, or a wrong price.
    """
    checked_price(unit_price, "unit_price")
    checked_discount(discount)
    line = _known(order, product, key)
    if line is None:
        line = OrderLine(order_id=order.id, external_key=key, total=NOTHING)
        line.reserved = line.shipped = 0
        db.session.add(line)
    if line.reserved:
        said = _("This line is being picked here. Change it by hand.")
        raise Invalid(errors={"quantity": [said]})
    total = total_of(quantity, unit_price, discount)
    if total != line.total:
        order.total = checked_total(order.total + total - line.total, "quantity")
    line.product_id, line.sku, line.name = product.id, product.sku, product.name
    line.quantity, line.unit_price, line.discount = quantity, unit_price, discount
    line.total = total
    line.shipped = quantity if order.state in _GONE else 0
    db.session.flush()
    return line


def _known(order: Order, product: Product, key: str | None) -> OrderLine | None:
    query = sa.select(OrderLine).where(OrderLine.order_id == order.id)
    if key is not None:
        query = query.where(OrderLine.external_key == key)
    else:
        query = query.where(OrderLine.product_id == product.id)
    return db.session.scalar(query.limit(1))
