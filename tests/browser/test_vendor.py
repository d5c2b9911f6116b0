"""Journey 5: a vendor confirms and moves a date; the waiting customer sees the day."""

from datetime import timedelta
from decimal import Decimal

import pytest

from core.contacts.models import Contact
from core.db import db
from core.events import acting
from core.testing.factories import PASSWORD, make_contact, make_user
from core.users.models import User
from plugins.portal.services.orders import place_order
from plugins.portal.services.prices import save_agreement
from plugins.portal.services.products import create_product
from plugins.portal.services.purchasing import (
    create_purchase_order,
    send_purchase_order,
)
from plugins.portal.services.stock import today
from plugins.portal.words import day
from tests.browser.person import Person

pytestmark = [pytest.mark.browser, pytest.mark.soak_on_postgresql]

WITHIN = 4_000
REASON = "The foundry burnt"


class Trade:
    """A vendor who brings what a customer waits for, and our buyer between them."""

    def __init__(self):
        self.putki = make_contact("Putkitukku Oy", roles=["vendor"])
        self.kallio = make_contact("Kallion Vesijohto Oy", roles=["customer"])
        self.pena = make_user(
            "Pena Putki", kind="vendor", contact=self.putki, password=PASSWORD
        )
        self.outi = make_user(
            "Outi Kallio", kind="customer", contact=self.kallio, password=PASSWORD
        )
        self.bea = make_user("Bea Buyer", roles=("admin",), password=PASSWORD)
        self.wanted = today() + timedelta(days=10)
        self.later = today() + timedelta(days=24)
        with db.transaction():
            create_product(
                {"sku": "KV-100", "name": "Elbow 22 mm", "price": Decimal("4.20")},
                actor=None,
            )
        self.bought = self._buy()
        self.sold = self._sell()

    def _buy(self):
        with db.transaction() as session, acting(self.bea.id):
            line = {"sku": "KV-100", "quantity": 50, "wanted_on": self.wanted}
            order = create_purchase_order(
                session.get_one(User, self.bea.id),
                vendor=session.get_one(Contact, self.putki.id),
                lines=[line | {"price": Decimal("2.10")}],
            )
            send_purchase_order(order)
            return order.number

    def _sell(self):
        with db.transaction() as session, acting(self.outi.id):
            lines = [{"sku": "KV-100", "quantity": 5}]
            buyer = session.get_one(User, self.outi.id)
            return place_order(buyer, lines=lines, back_orders=True).number


@pytest.fixture
def trade(server):
    return Trade()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_vendor_confirms_and_moves_a_date_which_the_customer_sees_once_accepted(
    browser, server, trade, scripts
):
    vendor = Person(browser, server, trade.pena, scripts=scripts)
    customer = Person(browser, server, trade.outi)
    buyer = Person(browser, server, trade.bea)
    customer.opens(f"/portal/orders/{trade.sold}")
    assert day(trade.wanted) in customer.reads()

    vendor.opens("/")
    assert trade.bought in vendor.reads()
    vendor.page.get_by_role("link", name=trade.bought).click()
    vendor.page.get_by_role("button", name="Confirm all").click()
    assert "Agreed" in vendor.reads()

    vendor.page.get_by_label("Your date").fill(trade.later.isoformat())
    vendor.page.get_by_role("button", name="Send the changed dates").click()
    assert "Say why the date moves." in vendor.reads()
    assert (
        vendor.page.get_by_label("Your date").input_value() == trade.later.isoformat()
    )
    vendor.page.get_by_label("Reason for a change").fill(REASON)
    vendor.page.get_by_role("button", name="Send the changed dates").click()
    assert f"{day(trade.later)}: waiting for our buyer" in vendor.reads()
    assert day(trade.later) not in customer.reads()

    buyer.opens("/purchase-orders?state=proposed")
    buyer.page.get_by_role("link", name=trade.bought).click()
    assert REASON in buyer.reads()
    buyer.page.get_by_role("button", name="Accept").click()
    buyer.page.get_by_text("counts now").wait_for()

    # The customer's page is open all the while and shows the day by itself.
    customer.page.locator("#order-part", has_text=day(trade.later)).wait_for(
        timeout=WITHIN
    )
    whole = customer.page.content()
    for secret in (trade.bought, "Putki", "Pena", REASON):
        assert secret not in whole
    for one in (vendor, customer, buyer):
        assert one.complaints == []


def test_a_vendor_sees_purchase_orders_and_nothing_else(browser, server, trade):
    vendor = Person(browser, server, trade.pena)
    vendor.opens("/portal")
    page = vendor.page
    for path in ("/portal", f"/portal/purchase-orders/{trade.bought}"):
        vendor.opens(path)
        for secret in ("Kallio", "Outi", trade.sold, "SO-"):
            assert secret not in page.content()
    closed = [
        "/orders",
        f"/orders/{trade.sold}",
        "/products",
        "/purchase-orders",
        f"/portal/orders/{trade.sold}",
        f"/contacts/{trade.kallio.id}",
        f"/agreements/{trade.kallio.id}",
    ]
    for path in closed:
        assert vendor.status_of(path) in {403, 404}, path
    links = page.locator("header nav a").all_inner_texts()
    assert "Purchase orders" in links[0]
    assert not {"Catalogue", "Basket", "Quick order", "Orders"} & set(links)


def test_a_trusted_vendors_date_counts_at_once(browser, server, trade):
    with db.transaction():
        save_agreement(trade.putki, trusted=True)
    vendor = Person(browser, server, trade.pena)
    customer = Person(browser, server, trade.outi)
    customer.opens(f"/portal/orders/{trade.sold}")
    vendor.opens(f"/portal/purchase-orders/{trade.bought}")
    vendor.page.get_by_label("Your date").fill(trade.later.isoformat())
    vendor.page.get_by_label("Reason for a change").fill(REASON)
    vendor.page.get_by_role("button", name="Send only the changed dates").click()
    vendor.page.get_by_text("The new dates count from now on.").wait_for()
    customer.page.locator("#order-part", has_text=day(trade.later)).wait_for(
        timeout=WITHIN
    )
    assert customer.complaints == []
