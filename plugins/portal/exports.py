"""Products and orders going out, as the rows that an import of them takes."""

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from core.contacts.models import Contact
from core.db import db
from core.users.models import User
from core.visibility import visible_to
from plugins.portal.models import Order, OrderLine, Product

PRODUCT_TABLE = (
    "sku", "name", "category", "unit", "box_size", "price", "on_hand", "discontinued",
    "lead_time_days", "supplier",
)  # fmt: skip
ORDER_TABLE = (
    "number", "contact", "placed_at", "required_on", "shipped_at", "state", "reference",
    "freight", "currency", "sku", "quantity", "unit_price", "discount",
)  # fmt: skip
_ORDER = (
    "number", "placed_at", "required_on", "shipped_at", "state", "reference", "freight",
    "currency", "ship_to",
)  # fmt: skip
_LINE = ("sku", "quantity", "unit_price", "discount")


def _names(ids: set[int | None], user: User) -> dict[int | None, str]:
    seen = visible_to(user, Contact).where(Contact.id.in_(ids - {None}))
    return {one.id: one.name for one in db.session.scalars(seen)}


def rows_of_products(
    products: Sequence[Product], user: User
) -> Iterator[dict[str, Any]]:
    """Give the rows of a page of products; supplier and stock are for colleagues."""
    inside = user.kind == "staff"
    names = _names({one.supplier_id for one in products} if inside else set(), user)
    for one in products:
        row = {name: getattr(one, name) for name in PRODUCT_TABLE[:6]}
        row |= {"discontinued": one.discontinued, "lead_time_days": one.lead_time_days}
        if inside:
            row |= {
                "on_hand": one.stock.on_hand,
                "supplier": names.get(one.supplier_id),
            }
        yield row


def rows_of_orders(orders: Sequence[Order], user: User) -> Iterator[dict[str, Any]]:
    """Give a row for each line of a page of orders; one without lines has one row."""
    names = _names({one.contact_id for one in orders}, user)
    query = sa.select(OrderLine).where(OrderLine.order_id.in_([o.id for o in orders]))
    lines: dict[int, list[OrderLine]] = {}
    for line in db.session.scalars(query.order_by(OrderLine.id)):
        lines.setdefault(line.order_id, []).append(line)
    for one in orders:
        row = {name: getattr(one, name) for name in _ORDER}
        row["contact"] = names.get(one.contact_id)
        for line in lines.get(one.id, []):
            yield row | {name: getattr(line, name) for name in _LINE}
        if one.id not in lines:
            yield row
