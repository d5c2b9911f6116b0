"""A small wholesaler for the portal's tests: two customers, two vendors, products."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from core.app import CRM
from core.contacts.models import Contact
from core.db import db
from core.testing.factories import make_contact, make_user
from core.users.models import User
from plugins.portal.models import Product
from plugins.portal.services.products import create_product


@dataclass
class Shop:
    """Who buys and sells here, and what."""

    kallio: Contact
    tapio: Contact
    putki: Contact
    hana: Contact
    outi: User
    timo: User
    pena: User
    hanna: User
    rep: User
    boss: User

    def product(self, sku: str, **values: Any) -> Product:
        """Add a product; `price` may be text."""
        values.setdefault("name", f"Part {sku}")
        values["price"] = Decimal(values.get("price", "4.20"))
        with db.transaction():
            product_id = create_product({"sku": sku, **values}, actor=None).id
        with db.read_only() as session:
            found = session.get_one(Product, product_id)
            session.expunge_all()
        return found


@pytest.fixture
def shop(app: CRM) -> Shop:
    """Make the wholesaler: customers Kallio and Tapio, vendors Putki and Hana."""
    kallio = make_contact("Kallion Vesijohto Oy", roles=["customer"])
    tapio = make_contact("Tapio Rakennus Oy", roles=["customer"])
    putki = make_contact("Putkitukku Oy", roles=["vendor"])
    hana = make_contact("Hanatehdas Oy", roles=["vendor"])
    return Shop(
        kallio=kallio,
        tapio=tapio,
        putki=putki,
        hana=hana,
        outi=make_user("Outi Kallio", kind="customer", contact=kallio),
        timo=make_user("Timo Tapio", kind="customer", contact=tapio),
        pena=make_user("Pena Putki", kind="vendor", contact=putki),
        hanna=make_user("Hanna Hana", kind="vendor", contact=hana),
        rep=make_user("Anna Laine", roles=("sales",)),
        boss=make_user("Bea Buyer", roles=("admin",)),
    )
