"""What the portal's users and our colleagues may do with orders and products."""

from core.i18n import lazy_gettext as _l
from core.permissions import Permission

PRODUCTS = Permission("portal:products", _l("See products, prices and stock"))
ORDERS = Permission("portal:orders", _l("See orders"))
PURCHASE_ORDERS = Permission("portal:purchase_orders", _l("See purchase orders"))

PLACE_ORDERS = Permission("portal:place_orders", _l("Order for one's organisation"))
CONFIRM_PURCHASE_ORDERS = Permission(
    "portal:confirm_purchase_orders", _l("Confirm purchase orders and move dates")
)

MANAGE_PRODUCTS = Permission("portal:manage_products", _l("Change products and stock"))
MANAGE_ORDERS = Permission("portal:manage_orders", _l("Place and change orders"))
MANAGE_PURCHASE_ORDERS = Permission(
    "portal:manage_purchase_orders", _l("Order from vendors and accept their dates")
)

ALL = [
    PRODUCTS,
    ORDERS,
    PURCHASE_ORDERS,
    PLACE_ORDERS,
    CONFIRM_PURCHASE_ORDERS,
    MANAGE_PRODUCTS,
    MANAGE_ORDERS,
    MANAGE_PURCHASE_ORDERS,
]
