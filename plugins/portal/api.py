"""The API of products, orders and purchase orders, under /api/v1."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from flask import url_for

from core.contacts.models import Contact
from core.errors import Forbidden, Invalid, NotFound
from core.i18n import _
from core.permissions import Permission, can, me, requires
from core.schemas import ApiBlueprint, check_version, etag_of, next_link, page_schema
from core.visibility import get_visible
from plugins.portal import permissions, schemas
from plugins.portal.models import PurchaseOrder, PurchaseOrderLine
from plugins.portal.services import (
    catalogue,
    orders,
    prices,
    products,
    purchasing,
    vendor_dates,
)

T = TypeVar("T")

bp = ApiBlueprint(
    "portal_api", __name__, description="Products, orders and purchase orders"
)


def _allow(permission: Permission) -> None:
    if not can(permission):
        raise Forbidden


def _named(field: str, find: Callable[[], T]) -> T:
    """Find what a field of the body names; what is not there is refused by name."""
    try:
        return find()
    except NotFound as error:
        raise Invalid(errors={field: [_("There is no such record here.")]}) from error


def _contact(contact_id: int | None) -> Contact | None:
    return None if contact_id is None else get_visible(me(), Contact, contact_id)


def _described(offer: catalogue.Offer) -> dict[str, Any]:
    """Say of an offer what its reader may know: a customer learns no supplier."""
    product = offer.product
    stock: dict[str, Any] = {}
    shown: dict[str, Any] = {
        "id": product.id,
        "sku": product.sku,
        "name": product.name,
        "category": product.category,
        "unit": product.unit,
        "box_size": product.box_size,
        "price": offer.price.net,
        "discontinued": product.discontinued,
        "version": product.version,
    }
    if offer.shown is not None:
        stock["shown"] = offer.shown.shown
        stock["available_on"] = offer.shown.available_on
    if offer.figures is not None:
        stock["on_hand"] = offer.figures.on_hand
        stock["reserved"] = offer.figures.reserved
        stock["available"] = offer.figures.available
        shown["list_price"] = offer.price.list_price
        shown["lead_time_days"] = product.lead_time_days
        shown["supplier"] = product.supplier_id
    shown["stock"] = stock
    return shown


def _values(sent: dict[str, Any]) -> dict[str, Any]:
    stock = sent.pop("stock", None)
    return sent if stock is None else sent | {"on_hand": stock["on_hand"]}


@bp.route("/products", methods=["GET"])
@requires(permissions.PRODUCTS, portal=True)
@bp.arguments(schemas.ProductArguments, location="query")
@bp.response(200, page_schema(schemas.ProductSchema))
def list_products(arguments: dict[str, Any]) -> Any:
    """List products with the reader's own prices and stock."""
    contact = _contact(arguments.pop("contact"))
    page = catalogue.catalogue(me(), contact=contact, **arguments)
    items = [_described(one) for one in page.items]
    return {"items": items, "next": page.next}, 200, next_link(page)


@bp.route("/products", methods=["POST"])
@requires(permissions.MANAGE_PRODUCTS)
@bp.arguments(schemas.NewProductSchema)
@bp.response(201, schemas.ProductSchema)
def add_product(sent: dict[str, Any]) -> Any:
    """Add a product."""
    product = _named(
        "supplier", lambda: products.create_product(_values(sent), actor=me())
    )
    where = {"Location": url_for("portal_api.read_product", sku=product.sku)}
    offer = catalogue.offer(me(), product.sku)
    return _described(offer), 201, where | etag_of(product)


@bp.route("/products/<path:sku>", methods=["GET"])
@requires(permissions.PRODUCTS, portal=True)
@bp.response(200, schemas.ProductSchema)
def read_product(sku: str) -> Any:
    """Read a product by its SKU; the ETag does not move with the stock."""
    offer = catalogue.offer(me(), sku)
    return _described(offer), 200, etag_of(offer.product)


@bp.route("/products/<path:sku>", methods=["PATCH"])
@requires(permissions.MANAGE_PRODUCTS)
@bp.arguments(schemas.ProductChangeSchema)
@bp.response(200, schemas.ProductSchema)
def change_product(sent: dict[str, Any], sku: str) -> Any:
    """Change a product, or count its stock."""
    product = catalogue.get_product(me(), sku)
    check_version(product)
    _named(
        "supplier",
        lambda: products.change_product(product, _values(sent), actor=me()),
    )
    return _described(catalogue.offer(me(), sku)), 200, etag_of(product)


@bp.route("/orders", methods=["GET"])
@requires(permissions.ORDERS, portal=True)
@bp.arguments(schemas.OrderArguments, location="query")
@bp.response(200, page_schema(schemas.OrderSchema))
def list_orders(arguments: dict[str, Any]) -> Any:
    """List the orders the reader may see, newest first."""
    contact = _contact(arguments.pop("contact"))
    page = orders.orders_of(me(), contact=contact, **arguments)
    return page, 200, next_link(page)


@bp.route("/orders", methods=["POST"])
@requires(permissions.ORDERS, portal=True)
@bp.arguments(schemas.NewOrderSchema)
@bp.response(201, schemas.OrderSchema)
def place_order(sent: dict[str, Any]) -> Any:
    """Place an order: customers for their organisation, colleagues for a contact."""
    staff = me().kind == "staff"
    _allow(permissions.MANAGE_ORDERS if staff else permissions.PLACE_ORDERS)
    contact = _named("contact", lambda: _contact(sent.pop("contact")))
    order = orders.place_order(me(), contact=contact, **sent)
    where = {"Location": f"/api/v1/orders/{order.id}"}
    return order, 201, where | etag_of(order)


@bp.route("/orders/<key>", methods=["GET"])
@requires(permissions.ORDERS, portal=True)
@bp.response(200, schemas.OrderSchema)
def read_order(key: str) -> Any:
    """Read an order by its id or number."""
    order = orders.get_order(me(), key)
    return order, 200, etag_of(order)


@bp.route("/orders/<key>", methods=["PATCH"])
@requires(permissions.MANAGE_ORDERS)
@bp.arguments(schemas.OrderChangeSchema)
@bp.response(200, schemas.OrderSchema)
def change_order(sent: dict[str, Any], key: str) -> Any:
    """Move an order on, or cancel it."""
    order = orders.get_order(me(), key)
    check_version(order)
    orders.advance_order(order, sent["state"])
    return order, 200, etag_of(order)


@bp.route("/purchase-orders", methods=["GET"])
@requires(permissions.PURCHASE_ORDERS, portal=True)
@bp.arguments(schemas.PurchaseOrderArguments, location="query")
@bp.response(200, page_schema(schemas.PurchaseOrderSchema))
def list_purchase_orders(arguments: dict[str, Any]) -> Any:
    """List purchase orders: vendors their own, once they are sent."""
    vendor = _contact(arguments.pop("vendor"))
    page = purchasing.purchase_orders_of(me(), vendor=vendor, **arguments)
    return page, 200, next_link(page)


@bp.route("/purchase-orders", methods=["POST"])
@requires(permissions.MANAGE_PURCHASE_ORDERS)
@bp.arguments(schemas.NewPurchaseOrderSchema)
@bp.response(201, schemas.PurchaseOrderSchema)
def add_purchase_order(sent: dict[str, Any]) -> Any:
    """Write a purchase order, and send it if asked to."""
    send = sent.pop("send")
    vendor = _named("vendor", lambda: get_visible(me(), Contact, sent.pop("vendor")))
    order = purchasing.create_purchase_order(me(), vendor=vendor, **sent)
    if send:
        purchasing.send_purchase_order(order)
    where = {"Location": f"/api/v1/purchase-orders/{order.id}"}
    return order, 201, where | etag_of(order)


@bp.route("/purchase-orders/<key>", methods=["GET"])
@requires(permissions.PURCHASE_ORDERS, portal=True)
@bp.response(200, schemas.PurchaseOrderSchema)
def read_purchase_order(key: str) -> Any:
    """Read a purchase order by its id or number."""
    order = purchasing.get_purchase_order(me(), key)
    return order, 200, etag_of(order)


@bp.route("/purchase-orders/<key>", methods=["PATCH"])
@requires(permissions.PURCHASE_ORDERS, portal=True)
@bp.arguments(schemas.PurchaseOrderChangeSchema)
@bp.response(200, schemas.PurchaseOrderSchema)
def change_purchase_order(sent: dict[str, Any], key: str) -> Any:
    """Confirm and give dates, as the vendor; send, receive, accept dates, as we."""
    order = purchasing.get_purchase_order(me(), key)
    check_version(order)
    if me().kind == "staff":
        _allow(permissions.MANAGE_PURCHASE_ORDERS)
        _change_as_buyer(order, sent)
    else:
        _allow(permissions.CONFIRM_PURCHASE_ORDERS)
        _change_as_vendor(order, sent)
    return order, 200, etag_of(order)


def _line(order: PurchaseOrder, line_id: int) -> PurchaseOrderLine:
    return _named("lines.id", lambda: vendor_dates.line_of(order, line_id))


def _change_as_vendor(order: PurchaseOrder, sent: dict[str, Any]) -> None:
    if any("accept" in one for one in sent.get("lines", ())):
        raise Forbidden
    if sent.get("state", "confirmed") != "confirmed":
        raise Forbidden
    for one in sent.get("lines", ()):
        if "promised_on" in one:
            line = _line(order, one["id"])
            vendor_dates.propose_date(
                order, line, one["promised_on"], reason=one["reason"]
            )
    if "state" in sent:
        vendor_dates.confirm_lines(order)


def _change_as_buyer(order: PurchaseOrder, sent: dict[str, Any]) -> None:
    for one in sent.get("lines", ()):
        line = _line(order, one["id"])
        if "promised_on" in one:
            # A date the vendor gave by telephone is the vendor's date all the same.
            vendor_dates.propose_date(
                order, line, one["promised_on"], reason=one["reason"]
            )
        if "accept" in one:
            settle = (
                vendor_dates.accept_proposal
                if one["accept"]
                else vendor_dates.decline_proposal
            )
            settle(order, line)
    if "state" in sent:
        purchasing.advance_purchase_order(order, sent["state"])


@bp.route("/agreements/<int:contact_id>", methods=["GET"])
@requires(permissions.MANAGE_ORDERS)
@bp.response(200, schemas.AgreementSchema)
def read_agreement(contact_id: int) -> Any:
    """Read what was agreed with a customer or vendor; version 0 is nothing yet."""
    contact = get_visible(me(), Contact, contact_id)
    agreement = prices.agreement_with(contact)
    return prices.terms_of(contact), 200, etag_of(agreement)


@bp.route("/agreements/<int:contact_id>", methods=["PATCH"])
@requires(permissions.MANAGE_ORDERS)
@bp.arguments(schemas.AgreementChangeSchema)
@bp.response(200, schemas.AgreementSchema)
def change_agreement(sent: dict[str, Any], contact_id: int) -> Any:
    """Agree on a discount, prices, exact stock figures, or trust a vendor's dates."""
    if "trusted" in sent:
        _allow(permissions.MANAGE_PURCHASE_ORDERS)
    contact = get_visible(me(), Contact, contact_id)
    check_version(prices.agreement_with(contact))
    agreed = [
        (_named(f"prices.{at}.sku", partial(catalogue.get_product, me(), sku)), one)
        for at, one in enumerate(sent.pop("prices", []))
        if (sku := one.pop("sku"))
    ]
    agreement = prices.save_agreement(contact, **sent)
    for at, (product, terms) in enumerate(agreed):
        prices.agree_price(contact, product, **terms, line=f"prices.{at}.")
    return prices.terms_of(contact), 200, etag_of(agreement)
