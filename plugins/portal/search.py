"""How products and orders are titled, linked and found."""

from flask import url_for

from core.i18n import lazy_gettext as _l
from core.records import RecordType, SearchDocument
from core.users.models import User
from plugins.portal import permissions
from plugins.portal.models import Order, Product, PurchaseOrder


def label_of_product(product: Product) -> str:
    """Title a product: "KV-100 Elbow 22 mm"."""
    return f"{product.sku} {product.name}"


def address_of_product(product: Product, user: User) -> str:
    """Give the address of a product's page; customers find it in the catalogue."""
    if user.kind != "staff":
        return url_for("portal.catalogue_page", q=product.sku)
    return url_for("portal.product", sku=product.sku)


def document_of_product(product: Product) -> SearchDocument:
    """Give the words of a product; its supplier is not for customers."""
    return SearchDocument(
        title=label_of_product(product),
        body="\n".join(one for one in (product.category, product.unit) if one),
        identifiers=(product.sku,),
        date=product.updated_at,
    )


def label_of_order(order: Order | PurchaseOrder) -> str:
    """Title an order by its number."""
    return order.number


def address_of_order(order: Order, user: User) -> str:
    """Give the address of an order's page, the house's or the portal's."""
    page = "portal.order" if user.kind == "staff" else "portal.my_order"
    return url_for(page, number=order.number)


def document_of_order(order: Order) -> SearchDocument:
    """Give the words of an order: its numbers, and what was ordered."""
    return SearchDocument(
        title=order.number,
        body="\n".join(f"{one.sku} {one.name}" for one in order.lines),
        identifiers=_known(order.number, order.external_number, order.reference),
        contact_id=order.contact_id,
        date=order.placed_at,
    )


def address_of_purchase_order(order: PurchaseOrder, user: User) -> str:
    """Give the address of a purchase order's page, the house's or the vendor's."""
    own = user.kind != "staff"
    page = "portal.my_purchase_order" if own else "portal.purchase_order"
    return url_for(page, number=order.number)


def document_of_purchase_order(order: PurchaseOrder) -> SearchDocument:
    """Give the words of a purchase order: its numbers, and what was ordered."""
    return SearchDocument(
        title=order.number,
        body="\n".join(f"{one.sku} {one.name}" for one in order.lines),
        identifiers=_known(order.number, order.reference),
        contact_id=order.contact_id,
        date=order.sent_at or order.created_at,
    )


def _known(*names: str | None) -> tuple[str, ...]:
    return tuple(one for one in names if one)


RECORDS = [
    RecordType(
        Product,
        _l("Product"),
        "box-seam",
        permissions.PRODUCTS,
        label=label_of_product,
        url=address_of_product,
        document=document_of_product,
    ),
    RecordType(
        Order,
        _l("Order"),
        "cart",
        permissions.ORDERS,
        label=label_of_order,
        url=address_of_order,
        document=document_of_order,
    ),
    RecordType(
        PurchaseOrder,
        _l("Purchase order"),
        "truck",
        permissions.PURCHASE_ORDERS,
        label=label_of_order,
        url=address_of_purchase_order,
        document=document_of_purchase_order,
    ),
]
