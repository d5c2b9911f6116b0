"""The pages of products, orders and purchase orders: the house's and the portal's."""

from plugins.portal.views import (
    agreements,
    basket,
    customer,
    house,
    products,
    purchases,
    vendor,
)
from plugins.portal.views.blueprint import bp

__all__ = [
    "agreements",
    "basket",
    "bp",
    "customer",
    "house",
    "products",
    "purchases",
    "vendor",
]
