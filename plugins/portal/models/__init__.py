"""The portal's tables: what customers order, and what we order from vendors."""

from plugins.portal.models.baskets import BasketLine, Placement
from plugins.portal.models.catalogue import (
    NAME_LENGTH,
    NOTHING,
    SKU_LENGTH,
    AgreedPrice,
    Agreement,
    Product,
    Stock,
)
from plugins.portal.models.orders import (
    Order,
    OrderLine,
    PurchaseOrder,
    PurchaseOrderLine,
    Sequence,
)

__all__ = [
    "NAME_LENGTH",
    "NOTHING",
    "SKU_LENGTH",
    "AgreedPrice",
    "Agreement",
    "BasketLine",
    "Order",
    "OrderLine",
    "Placement",
    "Product",
    "PurchaseOrder",
    "PurchaseOrderLine",
    "Sequence",
    "Stock",
]
