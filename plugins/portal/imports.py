"""Bringing in products, orders that are over, their lines, and purchase orders."""

from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from marshmallow import fields, validate

from core.contacts.finding import fold
from core.contacts.models import Contact
from core.db import db
from core.errors import Invalid
from core.i18n import _
from core.i18n import lazy_gettext as _l
from core.imports import Export, ImportContext, ImportKind, Row
from core.schemas import Moment, Schema, Text
from core.users.models import User
from core.visibility import visible_to
from plugins.portal import exports, permissions
from plugins.portal.models import (
    NAME_LENGTH,
    SKU_LENGTH,
    Order,
    OrderLine,
    Product,
    PurchaseOrder,
)
from plugins.portal.services.catalogue import find_products
from plugins.portal.services.history import keep_line, keep_order
from plugins.portal.services.products import change_product, create_product
from plugins.portal.services.purchasing import (
    create_purchase_order,
    send_purchase_order,
)
from plugins.portal.services.stock import count_stock

CONTACTS, STAFF = "contacts", "staff"
PRODUCTS, STOCK = "products", "stock"
ORDERS, ORDER_LINES = "orders", "order-lines"
PURCHASE_ORDERS = "purchase-orders"

_WHOLE = validate.Range(min=0, max=1_000_000_000)


class ProductRow(Schema):
    """A product. `on_hand` counts only when it is new: `stock` files change stock.

    `supplier` is the name of a vendor, `supplier_key` what the source calls it.
    """

    sku = Text(most=SKU_LENGTH, least=1, required=True)
    name = Text(most=NAME_LENGTH, least=1)
    category = Text(most=100)
    unit = Text(most=100)
    box_size = fields.Integer(validate=validate.Range(min=1))
    price = fields.Decimal()
    on_hand = fields.Integer(validate=_WHOLE)
    discontinued = fields.Boolean()
    lead_time_days = fields.Integer(validate=_WHOLE)
    supplier = Text()
    supplier_key = Text()


class StockRow(Schema):
    """How many of a product lie on the shelf."""

    sku = Text(most=SKU_LENGTH)
    product_key = Text()
    on_hand = fields.Integer(validate=_WHOLE, required=True)


class LineRow(Schema):
    """A line of an order; `discount` is a fraction, `unit_price` the price of one."""

    sku = Text(most=SKU_LENGTH)
    product_key = Text()
    quantity = fields.Integer(validate=validate.Range(min=1, max=1_000_000_000))
    unit_price = fields.Decimal()
    discount = fields.Decimal()


class OrderRow(LineRow):
    """An order as another system kept it; it takes nothing from the stock.

    `number` is the one it had there. A row may carry a line: rows with one number, or
    one key, are one order.
    """

    number = Text(most=60)
    contact = Text()
    contact_key = Text()
    placed_by_key = Text()
    placed_at = Moment()
    required_on = fields.Date()
    shipped_at = Moment()
    state = Text(most=10)
    reference = Text(most=100)
    freight = fields.Decimal()
    currency = Text(most=3, least=3)
    ship_to = fields.Dict(keys=Text(), values=Text())


class OrderLineRow(LineRow):
    """A line of an order that was brought in before."""

    order_key = Text(required=True)


class PurchaseOrderRow(Schema):
    """An order of one product to a vendor; it is sent, unless `state` is draft."""

    vendor = Text()
    vendor_key = Text()
    sku = Text(most=SKU_LENGTH)
    product_key = Text()
    quantity = fields.Integer(validate=validate.Range(min=1), required=True)
    price = fields.Decimal()
    wanted_on = fields.Date()
    reference = Text(most=100)
    state = fields.String(validate=validate.OneOf(["draft", "sent"]))


def bring_product(row: Row, context: ImportContext) -> Product:
    """Add or change the product of a row."""
    values = dict(row)
    supplier = _contact(values, context, "supplier")
    if supplier is not None:
        values["supplier"] = supplier.id
    known = context.existing(Product) or _by_sku(row["sku"], context)
    if known is None:
        return create_product(values, actor=context.actor)
    values.pop("on_hand", None)
    return change_product(known, values, actor=context.actor)


def bring_stock(row: Row, context: ImportContext) -> Product:
    """Count the stock of a product."""
    product = _product(row, context)
    count_stock(product, on_hand=row["on_hand"])
    return product


def bring_order(row: Row, context: ImportContext) -> Order:
    """Keep an order of another system, with its line if the row has one."""
    values = {k: v for k, v in row.items() if k not in LineRow().fields}
    customer = _contact(values, context, "contact")
    placed_by = _colleague(values.pop("placed_by_key", None), context)
    number = values.pop("number", context.key)
    known = context.existing(Order)
    if known is None and context.key is None and number is not None:
        known = db.session.scalar(
            sa.select(Order).where(Order.external_number == number).limit(1)
        )
    if known is None and customer is None:
        raise Invalid(errors={"contact": [_("Say which customer this is for.")]})
    order = keep_order(
        known, customer=customer, placed_by=placed_by, number=number, values=values
    )
    if {"sku", "product_key"} & row.keys():
        _keep_line(order, row, context, None)
    return order


def bring_line(row: Row, context: ImportContext) -> OrderLine:
    """Keep a line of an order that was brought in before."""
    order = context.need(Order, ORDERS, row["order_key"], field="order_key")
    return _keep_line(order, row, context, context.key)


def bring_purchase_order(row: Row, context: ImportContext) -> PurchaseOrder:
    """Order from a vendor; a row that was brought in before stays as it is."""
    known = context.existing(PurchaseOrder)
    if known is not None:
        return known
    values = dict(row)
    vendor = _contact(values, context, "vendor")
    if vendor is None:
        raise Invalid(errors={"vendor": [_("Say which vendor this is for.")]})
    product = _product(row, context)
    line: Row = {k: row[k] for k in ("quantity", "price", "wanted_on") if k in row}
    order = create_purchase_order(
        context.actor,
        vendor=vendor,
        lines=[{"sku": product.sku, **line}],
        reference=row.get("reference", ""),
    )
    if row.get("state") != "draft":
        send_purchase_order(order)
    return order


def _keep_line(
    order: Order, row: Row, context: ImportContext, key: str | None
) -> OrderLine:
    missing = {"quantity", "unit_price"} - row.keys()
    if missing:
        raise Invalid(errors={sorted(missing)[0]: [_("This is missing.")]})
    return keep_line(
        order,
        _product(row, context),
        quantity=row["quantity"],
        unit_price=row["unit_price"],
        discount=row.get("discount", Decimal(0)),
        key=key,
    )


def _by_sku(sku: str, context: ImportContext) -> Product | None:
    return find_products(context.actor, [sku]).get(sku.lower())


def _product(row: Row, context: ImportContext) -> Product:
    if "product_key" in row:
        return context.need(Product, PRODUCTS, row["product_key"], field="product_key")
    sku = row.get("sku", "")
    found = _by_sku(sku, context) if sku else None
    if found is None:
        said = _("%(sku)s is not in the catalogue.", sku=sku)
        raise Invalid(errors={"sku": [said]})
    return found


def _contact(
    values: dict[str, Any], context: ImportContext, field: str
) -> Contact | None:
    """Take a contact out of `values` that a row names by key or by name."""
    key, name = values.pop(f"{field}_key", None), values.pop(field, None)
    if key is not None:
        return context.need(Contact, CONTACTS, key, field=f"{field}_key")
    if not name:
        return None
    query = visible_to(context.actor, Contact).where(
        Contact.sort_name == fold(name)[:200]
    )
    found = db.session.scalars(query.limit(2)).all()
    if len(found) == 1:
        return found[0]
    said = (
        _("More than one contact is called “%(name)s”.", name=name)
        if found
        else _("There is no contact “%(name)s”.", name=name)
    )
    raise Invalid(errors={field: [said]})


def _colleague(key: str | None, context: ImportContext) -> User | None:
    if key is None:
        return None
    return context.need(User, STAFF, key, field="placed_by_key")


KINDS = [
    ImportKind(
        name=PRODUCTS,
        title=_l("Products"),
        schema=ProductRow,
        bring=bring_product,
        permission=permissions.MANAGE_PRODUCTS,
        export=Export(Product, exports.rows_of_products, exports.PRODUCT_TABLE),
    ),
    ImportKind(
        name=STOCK,
        title=_l("Stock"),
        schema=StockRow,
        bring=bring_stock,
        permission=permissions.MANAGE_PRODUCTS,
    ),
    ImportKind(
        name=ORDERS,
        title=_l("Orders"),
        schema=OrderRow,
        bring=bring_order,
        permission=permissions.MANAGE_ORDERS,
        export=Export(Order, exports.rows_of_orders, exports.ORDER_TABLE),
    ),
    ImportKind(
        name=ORDER_LINES,
        title=_l("Lines of orders"),
        schema=OrderLineRow,
        bring=bring_line,
        permission=permissions.MANAGE_ORDERS,
    ),
    ImportKind(
        name=PURCHASE_ORDERS,
        title=_l("Purchase orders"),
        schema=PurchaseOrderRow,
        bring=bring_purchase_order,
        permission=permissions.MANAGE_PURCHASE_ORDERS,
    ),
]
