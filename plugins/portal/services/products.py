"""Products: adding and changing what we sell."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from core.contacts.finding import fold
from core.contacts.models import Contact
from core.db import db
from core.errors import Invalid
from core.i18n import _
from core.users.models import User
from core.visibility import get_visible
from plugins.portal.models import NAME_LENGTH, Product, Stock
from plugins.portal.services.prices import checked_price
from plugins.portal.services.stock import count_stock

_FIELDS = ("name", "category", "unit", "box_size", "discontinued", "lead_time_days")


def create_product(values: Mapping[str, Any], *, actor: User | None) -> Product:
    """Add a product; `values` as the API names them, `sku` and `name` at least.

    `on_hand` is what lies on the shelf, `supplier` the id of a contact. Raises
    `Invalid` for a SKU that another product has, or a wrong value.
    """
    sku = str(values["sku"]).strip()
    if not sku or len(sku.split()) > 1:
        raise Invalid(errors={"sku": [_("A SKU is one word, such as KV-100.")]})
    # It stands in addresses, where browsers resolve these parts and never send them.
    if {"", ".", ".."} & set(sku.split("/")):
        said = _("A SKU has words between its slashes, such as KV/100.")
        raise Invalid(errors={"sku": [said]})
    if db.session.scalar(
        # SQLite makes small letters of ASCII alone.
        sa.select(Product.id).where(
            sa.or_(Product.sku == sku, sa.func.lower(Product.sku) == sku.lower())
        )
    ):
        said = _("There is a product %(sku)s already.", sku=sku)
        raise Invalid(errors={"sku": [said]})
    product = Product(sku=sku, stock=Stock())
    # Columns that are read before the first flush fills in their defaults.
    product.name = product.category = product.unit = ""
    db.session.add(product)
    change_product(product, values, actor=actor)
    return product


def change_product(
    product: Product, values: Mapping[str, Any], *, actor: User | None
) -> Product:
    """Change what `values` name; the SKU stays for ever.

    `on_hand` is set without touching the product's version. Raises `Invalid` for a
    wrong value, `NotFound` for a supplier `actor` cannot see.
    """
    for name in _FIELDS:
        if name in values:
            setattr(product, name, values[name])
    if not product.name:
        raise Invalid(errors={"name": [_("Write a name.")]})
    product.sort_name = fold(product.name)[:NAME_LENGTH]
    if "price" in values:
        product.price = checked_price(values["price"])
    if "supplier" in values:
        product.supplier_id = _supplier(values["supplier"], actor)
    db.session.flush()
    if "on_hand" in values:
        count_stock(product, on_hand=values["on_hand"])
    return product


def _supplier(contact_id: int | None, actor: User | None) -> int | None:
    if contact_id is None:
        return None
    if actor is not None:
        return get_visible(actor, Contact, contact_id).id
    return db.session.get_one(Contact, contact_id).id
