"""Journey 4: a wholesale customer orders at night, and the rep sees what she saw."""

from decimal import Decimal

import pytest
import sqlalchemy as sa

from core.db import db
from core.testing.factories import PASSWORD, make_contact, make_user
from plugins.portal.models import Order, Product
from plugins.portal.services.prices import agree_price, save_agreement
from plugins.portal.services.products import create_product
from plugins.portal.services.stock import count_stock, promise_from_stock
from plugins.portal.words import day
from tests.browser.person import Person

pytestmark = pytest.mark.browser

LISTED, OWN = Decimal("4.20"), Decimal("3.90")


@pytest.fixture
def kallio(server):
    return make_contact("Kallion Vesijohto Oy", roles=["customer"])


@pytest.fixture
def tapio(server):
    return make_contact("Tapio Rakennus Oy", roles=["customer"])


@pytest.fixture
def goods(server, kallio):
    """Ten ordinary products, one of which has a price of her own."""
    with db.transaction():
        made = [
            create_product(
                {
                    "sku": f"KV-{number}00",
                    "name": f"Elbow {number}2 mm",
                    "price": LISTED,
                    "on_hand": 40 if number > 1 else 7,
                },
                actor=None,
            )
            for number in range(1, 11)
        ]
        agree_price(kallio, made[0], price=OWN)
        return {one.sku: one.id for one in made}


def on_the_shelf(product_id, number):
    with db.transaction() as session:
        count_stock(session.get_one(Product, product_id), on_hand=number)


def orders():
    with db.read_only() as session:
        return session.execute(sa.select(Order.number, Order.total)).all()


def true_and_shown(person, name):
    """Give the last two cells of a line: the true stock, and what is shown of it."""
    cells = person.page.locator("tr", has_text=name).locator("td")
    return [" ".join(one.split()) for one in cells.all_inner_texts()[-2:]]


@pytest.mark.parametrize(("scripts", "width"), [(True, 1280), (False, 360)])
def test_twelve_lines_are_pasted_two_are_mended_and_ordered_with_a_promise(
    browser, server, kallio, goods, scripts, width
):
    outi = make_user("Outi Kallio", kind="customer", contact=kallio, password=PASSWORD)
    anna = make_user("Anna Laine", roles=("sales",), password=PASSWORD)
    her = Person(browser, server, outi, scripts=scripts, width=width)

    her.opens("/portal/catalogue")
    assert "Elbow 12 mm" in her.reads()
    assert "€3.90" in her.reads()
    assert "Few left" in her.reads()
    if scripts:
        too_wide = "document.documentElement.scrollWidth > innerWidth"
        assert not her.page.evaluate(too_wide)

    pasted = [f"{sku}\t2" for sku in goods] + ["KV-30O\t5", "KV-400 lots"]
    her.opens("/portal/quick-order")
    her.page.get_by_label("SKU and quantity").fill("\n".join(pasted))
    her.presses("Check the lines")
    said = her.reads()
    assert "KV-30O is not in the catalogue. Did you mean KV-300?" in said
    assert "KV-400 lots Write a whole number above zero after the SKU." in said
    assert "2 lines need you" in said

    her.page.get_by_role("button", name="Use it").click()
    assert "1 line needs you" in her.reads()
    her.page.get_by_role("button", name="Add 11 lines").click()
    assert "KV-400 lots" in her.page.get_by_label("SKU and quantity").input_value()

    her.opens("/portal/basket")
    assert "€90.00" not in her.reads()
    # 1 × 2 at her own price, 9 × 2 and 5 more at the list's.
    total = 2 * OWN + (18 + 5) * LISTED
    assert f"€{total:.2f}" in her.reads()
    her.page.get_by_label("Your reference").fill("Night shift")
    her.presses("Place the order")

    with db.read_only():
        promise = day(promise_from_stock())
    assert "We have your order." in her.reads()
    assert promise in her.reads()
    ((number, ordered),) = orders()
    assert ordered == total
    assert her.complaints == []

    rep = Person(browser, server, anna)
    rep.opens(f"/orders/{number}")
    assert true_and_shown(rep, "Elbow 12 mm") == ["5 of 7", "Few left"]
    with db.transaction():
        save_agreement(kallio, shows_exact_stock=True)
    rep.opens(f"/orders/{number}")
    assert true_and_shown(rep, "Elbow 12 mm") == ["5 of 7", "5 in stock"]
    her.opens("/portal/catalogue?q=KV-100")
    assert "5 in stock" in her.reads()
    assert rep.complaints == []


def test_two_customers_go_for_the_last_unit_and_one_gets_it(
    browser, server, kallio, tapio, goods
):
    on_the_shelf(goods["KV-100"], 1)
    people = [
        make_user("Outi Kallio", kind="customer", contact=kallio, password=PASSWORD),
        make_user("Timo Tapio", kind="customer", contact=tapio, password=PASSWORD),
    ]
    shoppers = [Person(browser, server, one) for one in people]
    for one in shoppers:
        one.opens("/portal/quick-order")
        one.page.get_by_label("SKU and quantity").fill("KV-100 1\nKV-200 3")
        one.presses("Check the lines")
        one.presses("Add 2 lines")
    for one in shoppers:
        one.presses("Place the order")
    first, second = shoppers
    assert "We have your order." in first.reads()
    assert "KV-100 is sold out" in second.reads()
    assert "Nothing is ordered yet." in second.reads()
    assert len(orders()) == 1

    second.presses("Take out KV-100")
    second.presses("Place the order")
    assert "We have your order." in second.reads()
    assert len(orders()) == 2


def test_a_double_click_orders_once(browser, server, kallio, goods):
    outi = make_user("Outi Kallio", kind="customer", contact=kallio, password=PASSWORD)
    her = Person(browser, server, outi)
    her.opens("/portal/catalogue?q=KV-200")
    her.page.get_by_role("button", name="Add").click()
    her.opens("/portal/basket")
    her.page.get_by_role("button", name="Place the order").dblclick()
    her.page.get_by_text("We have your order.").wait_for()
    her.page.go_back()
    her.page.go_back()
    assert len(orders()) == 1


def test_the_whole_way_is_walked_by_keyboard(browser, server, kallio, goods):
    outi = make_user("Outi Kallio", kind="customer", contact=kallio, password=PASSWORD)
    her = Person(browser, server, outi)
    her.opens("/portal/catalogue?q=KV-200")
    keys = her.page.keyboard
    her.page.get_by_label("How many KV-200").focus()
    keys.press("ControlOrMeta+a")
    keys.type("3")
    keys.press("Enter")
    her.page.get_by_text("3 × KV-200 is in the basket.").wait_for()
    her.opens("/portal/basket")
    # Enter in a field brings the basket up to date; it never orders.
    her.page.get_by_label("How many KV-200").focus()
    keys.press("ControlOrMeta+a")
    keys.type("5")
    keys.press("Enter")
    her.page.get_by_text("€21.00").first.wait_for()
    assert orders() == []
    her.page.get_by_role("button", name="Place the order").focus()
    keys.press("Enter")
    her.page.get_by_text("We have your order.").wait_for()
    assert her.complaints == []
