"""The house's pages and the vendors': products, orders, purchase orders, agreements."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from core.contacts.models import Contact
from core.db import db
from core.events import acting
from core.users.models import User
from plugins.portal.models import Agreement, Product, PurchaseOrder, Stock
from plugins.portal.services.orders import place_order
from plugins.portal.services.prices import agree_price, save_agreement
from plugins.portal.services.products import change_product
from plugins.portal.services.purchasing import (
    create_purchase_order,
    send_purchase_order,
)
from plugins.portal.services.stock import count_stock, today
from plugins.portal.services.vendor_dates import confirm_lines, propose_date
from plugins.portal.words import day
from tests.plugins.portal.conftest import Shop
from tests.plugins.portal.paper import values_of, words_of

SignIn = Callable[[User], FlaskClient]


def order_for(user: User, *, quantity: int = 1, sku: str = "KV-1") -> str:
    """Place an order through the service; give its number."""
    with db.transaction():
        lines = [{"sku": sku, "quantity": quantity}]
        return place_order(user, lines=lines, back_orders=True).number


def purchase(
    shop: Shop, vendor: Contact | None = None, *, sku: str = "KV-1", send: bool = True
) -> str:
    """Write a purchase order, wanted in ten days; give its number."""
    with db.transaction() as session, acting(shop.boss.id):
        order = create_purchase_order(
            session.get_one(User, shop.boss.id),
            vendor=session.get_one(Contact, (vendor or shop.putki).id),
            lines=[
                {
                    "sku": sku,
                    "quantity": 50,
                    "price": Decimal("2.10"),
                    "wanted_on": today() + timedelta(days=10),
                }
            ],
        )
        if send:
            send_purchase_order(order)
        return order.number


def line_of(number: str) -> Any:
    """Give the only line of a purchase order."""
    with db.read_only() as session:
        query = sa.select(PurchaseOrder).where(PurchaseOrder.number == number)
        (line,) = session.scalars(query).one().lines
        session.expunge_all()
        return line


def later(days: int) -> date:
    """Give a day from today."""
    return today() + timedelta(days=days)


# -- Products ----------------------------------------------------------------------


def test_colleagues_read_the_true_stock_in_list_and_page(shop: Shop, as_user: SignIn):
    shop.product("KV-1", name="Elbow", on_hand=10, category="Elbows")
    shop.product("KV-2", name="Pipe", on_hand=3)
    order_for(shop.outi, quantity=4)
    browser = as_user(shop.rep)
    page = words_of(browser.get("/products"))
    assert "Elbow KV-1 · €4.20 KV-1 Elbows €4.20 10 4 6" in page
    only = words_of(browser.get("/products?q=pipe"))
    assert "Pipe" in only
    assert "Elbow KV-1" not in only
    assert "Available 6 On hand 10 Reserved 4" in words_of(
        browser.get("/products/KV-1")
    )
    assert "No product matches" in words_of(browser.get("/products?q=zzz"))
    assert browser.get("/products/KV-9").status_code == 404


def test_a_product_page_says_what_comes_and_who_waits(shop: Shop, as_user: SignIn):
    shop.product("KV-1", on_hand=0)
    bought = purchase(shop)
    sold = order_for(shop.outi, quantity=5)
    page = words_of(as_user(shop.rep).get("/products/KV-1"))
    assert f"{bought} · 50 {day(later(10))}" in page
    assert f"{sold} Kallion Vesijohto Oy · 5 {day(later(10))}" in page


def test_a_product_is_added_and_changed_by_those_who_may(shop: Shop, as_user: SignIn):
    boss, rep = as_user(shop.boss), as_user(shop.rep)
    sent = {"sku": "KV-1", "name": "Elbow", "price": "4,20", "on_hand": "12"}
    assert rep.post("/products/new", data=sent).status_code == 403
    answer = boss.post("/products/new", data=sent)
    assert answer.headers["Location"] == "/products/KV-1"
    again = boss.post("/products/new", data=sent)
    assert again.status_code == 422
    assert "There is a product KV-1 already." in words_of(again)
    edit = boss.get("/products/KV-1/edit")
    version = values_of(edit, "version")[0]
    changed = {"name": "Elbow 22 mm", "price": "4.35", "version": version}
    assert rep.post("/products/KV-1/edit", data=changed).status_code == 403
    assert boss.post("/products/KV-1/edit", data=changed).status_code == 303
    assert "€4.35" in words_of(boss.get("/products/KV-1"))


def test_two_people_changing_one_product_lose_nothing_they_typed(
    shop: Shop, as_user: SignIn
):
    product = shop.product("KV-1", name="Elbow")
    boss = as_user(shop.boss)
    version = values_of(boss.get("/products/KV-1/edit"), "version")[0]
    with db.transaction() as session:
        found = session.get_one(Product, product.id)
        change_product(found, {"price": Decimal("9.00")}, actor=None)
    sent = {"name": "Elbow of mine", "price": "4.20", "version": version}
    answer = boss.post("/products/KV-1/edit", data=sent)
    assert answer.status_code == 409
    assert "Somebody saved this while you were here." in words_of(answer)
    assert "€9.00" in words_of(answer)
    assert values_of(answer, "name") == ["Elbow of mine"]
    sent["version"] = values_of(answer, "version")[0]
    assert boss.post("/products/KV-1/edit", data=sent).status_code == 303


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("price", "cheap"),
        ("price", "-1"),
        ("price", "NaN"),
        ("price", "1e999"),
        ("name", ""),
        ("name", "x" * 201),
        ("name", "a\x00b"),
        ("box_size", "0"),
        ("lead_time_days", "-1"),
    ],
)
def test_a_wrong_field_of_a_product_is_told_beside_it(
    field: str, wrong: str, shop: Shop, as_user: SignIn
):
    shop.product("KV-1", name="Elbow")
    sent = {"name": "Elbow", "price": "4.20", "version": "1", field: wrong}
    answer = as_user(shop.boss).post("/products/KV-1/edit", data=sent)
    assert answer.status_code == 422
    assert f'id="f-{field}-error"' in answer.text


def test_a_count_is_refused_when_the_stock_moved_meanwhile(shop: Shop, as_user: SignIn):
    product = shop.product("KV-1", on_hand=10)
    boss = as_user(shop.boss)
    sent = {"on_hand": "8", "was": "10"}
    assert boss.post("/products/KV-1/stock", data=sent).status_code == 303
    with db.transaction() as session:
        count_stock(session.get_one(Product, product.id), on_hand=5)
    answer = boss.post("/products/KV-1/stock", data={"on_hand": "9", "was": "8"})
    assert answer.status_code == 422
    assert "it was 8, it is 5 now" in words_of(answer)
    with db.read_only() as session:
        assert session.get_one(Stock, product.id).on_hand == 5


# -- Orders ------------------------------------------------------------------------


def test_an_order_shows_the_true_number_beside_what_its_customer_is_shown(
    shop: Shop, as_user: SignIn
):
    shop.product("KV-1", name="Elbow", on_hand=8)
    number = order_for(shop.outi)
    page = words_of(as_user(shop.rep).get(f"/orders/{number}"))
    assert "Elbow KV-1" in page
    assert "7 of 8 Few left" in page
    with db.transaction() as session:
        save_agreement(session.get_one(Contact, shop.kallio.id), shows_exact_stock=True)
    page = words_of(as_user(shop.rep).get(f"/orders/{number}"))
    assert "7 of 8 7 in stock" in page


def test_an_order_is_moved_on_step_by_step_and_cancelled_after_a_question(
    shop: Shop, as_user: SignIn
):
    shop.product("KV-1", on_hand=8)
    number = order_for(shop.outi)
    browser = as_user(shop.rep)
    for state in ("confirmed", "picked", "shipped", "delivered"):
        answer = browser.post(f"/orders/{number}", data={"state": state})
        assert answer.status_code == 303, state
    back = browser.post(f"/orders/{number}", data={"state": "placed"})
    assert back.status_code == 422
    assert "cannot become" in words_of(back)
    other = order_for(shop.outi)
    asked = browser.get(f"/orders/{other}/cancel")
    assert "This cannot be undone." in words_of(asked)
    browser.post(f"/orders/{other}", data={"state": "cancelled"})
    assert "Cancelled" in words_of(browser.get(f"/orders/{other}"))
    for wrong in ("", "nothing", "draft"):
        answer = browser.post(f"/orders/{other}", data={"state": wrong})
        assert answer.status_code == 422


def test_goods_that_are_missing_are_named_when_an_order_is_picked(
    shop: Shop, as_user: SignIn
):
    shop.product("KV-1", on_hand=2, lead_time_days=5)
    number = order_for(shop.outi, quantity=5)
    browser = as_user(shop.rep)
    answer = browser.post(f"/orders/{number}", data={"state": "picked"})
    assert answer.status_code == 422
    assert "3 of KV-1 are still to come." in words_of(answer)


def test_orders_are_listed_by_state_and_customer_page_by_page(
    shop: Shop, as_user: SignIn
):
    shop.product("KV-1", on_hand=1000)
    for _ in range(51):
        order_for(shop.outi)
    order_for(shop.timo)
    browser = as_user(shop.rep)
    first = browser.get("/orders")
    assert "Tapio Rakennus Oy" in words_of(first)
    assert 'rel="next"' in first.text
    of_timo = words_of(browser.get(f"/orders?contact={shop.tapio.id}"))
    assert "SO-1052" in of_timo
    assert "SO-1051" not in of_timo
    assert "No order is here." in words_of(browser.get("/orders?state=shipped"))
    assert browser.get("/orders?contact=999999").status_code == 404
    assert browser.get("/orders?cursor=nonsense").status_code == 400


# -- Purchase orders, ours ---------------------------------------------------------


def test_a_purchase_order_is_written_sent_and_received(shop: Shop, as_user: SignIn):
    product = shop.product("KV-1", on_hand=0)
    boss = as_user(shop.boss)
    assert "Putkitukku Oy" in words_of(boss.get("/purchase-orders/new"))
    form = boss.get(f"/purchase-orders/new?vendor={shop.putki.id}")
    assert len(values_of(form, "sku")) == 5
    sent = {
        "vendor": shop.putki.id,
        "reference": "Spring",
        "sku": ["kv-1", "", ""],
        "quantity": ["50", "", ""],
        "wanted_on": [later(10).isoformat(), "", ""],
        "price": ["2,10", "", ""],
    }
    more = boss.post("/purchase-orders/new", data={**sent, "more": "1"})
    assert len(values_of(more, "sku")) == 6
    answer = boss.post("/purchase-orders/new", data=sent)
    number = answer.headers["Location"].rpartition("/")[2]
    assert (
        as_user(shop.pena).get(f"/portal/purchase-orders/{number}").status_code == 404
    )
    asked = words_of(boss.get(f"/purchase-orders/{number}/sent"))
    assert "Pena Putki" in asked
    assert "Send to Putkitukku Oy" in asked
    boss.post(f"/purchase-orders/{number}", data={"state": "sent"})
    assert (
        as_user(shop.pena).get(f"/portal/purchase-orders/{number}").status_code == 200
    )
    boss.post(f"/purchase-orders/{number}", data={"state": "received"})
    with db.read_only() as session:
        assert session.get_one(Stock, product.id).on_hand == 50
    again = boss.post(f"/purchase-orders/{number}", data={"state": "received"})
    assert again.status_code == 422


@pytest.mark.parametrize(
    ("field", "wrong", "said"),
    [
        ("sku", "KV-9", "KV-9 is not in the catalogue."),
        ("quantity", "many", "Write a whole number above zero."),
        ("price", "cheap", "Write an amount such as 12.50."),
    ],
)
def test_a_wrong_line_of_a_purchase_order_is_told_beside_it(
    field: str, wrong: str, said: str, shop: Shop, as_user: SignIn
):
    shop.product("KV-1")
    row = {"sku": "KV-1", "quantity": "5", "wanted_on": "", "price": ""}
    sent = {"vendor": shop.putki.id, **row, field: wrong}
    answer = as_user(shop.boss).post("/purchase-orders/new", data=sent)
    assert answer.status_code == 422
    assert said in words_of(answer)
    assert f'id="wrong-{field}-0"' in answer.text
    assert values_of(answer, field)[0] == wrong


def test_a_purchase_order_needs_a_vendor_and_a_line(shop: Shop, as_user: SignIn):
    shop.product("KV-1")
    boss = as_user(shop.boss)
    line = {"sku": "KV-1", "quantity": "5"}
    wrong = boss.post("/purchase-orders/new", data={"vendor": shop.kallio.id, **line})
    assert "Kallion Vesijohto Oy is not a vendor." in words_of(wrong)
    empty = boss.post("/purchase-orders/new", data={"vendor": shop.putki.id})
    assert "Add a product first." in words_of(empty)
    absent = boss.post("/purchase-orders/new", data={"vendor": 999_999, **line})
    assert absent.status_code == 404
    assert as_user(shop.rep).get("/purchase-orders/new").status_code == 403


# -- The vendor --------------------------------------------------------------------


def test_a_vendor_confirms_all_lines_by_one_button(shop: Shop, as_user: SignIn):
    shop.product("KV-1")
    number = purchase(shop)
    pena = as_user(shop.pena)
    assert f"{number} 1 line" in words_of(pena.get("/portal/purchase-orders"))
    page = pena.get(f"/portal/purchase-orders/{number}")
    line = line_of(number)
    assert values_of(page, f"promised_on.{line.id}") == [later(10).isoformat()]
    sent = {f"promised_on.{line.id}": later(10).isoformat(), "act": "confirm"}
    answer = pena.post(f"/portal/purchase-orders/{number}", data=sent)
    assert answer.status_code == 303
    assert "Agreed" in words_of(pena.get(answer.headers["Location"]))
    assert line_of(number).promised_on == later(10)


def test_a_moved_date_waits_for_our_buyer_then_the_customer_sees_the_day_alone(
    shop: Shop, as_user: SignIn
):
    shop.product("KV-1", on_hand=0)
    number = purchase(shop)
    sold = order_for(shop.outi, quantity=5)
    line = line_of(number)
    pena, outi, boss = as_user(shop.pena), as_user(shop.outi), as_user(shop.boss)
    here = f"/portal/purchase-orders/{number}"
    moved = {f"promised_on.{line.id}": later(30).isoformat(), "act": "confirm"}
    refused = pena.post(here, data=moved)
    assert refused.status_code == 422
    assert f'id="wrong-reason-{line.id}"' in refused.text
    assert values_of(refused, f"promised_on.{line.id}") == [later(30).isoformat()]
    answer = pena.post(here, data={**moved, f"reason.{line.id}": "The foundry burnt"})
    assert answer.status_code == 303
    assert "waiting for our buyer" in words_of(pena.get(here))
    assert day(later(10)) in words_of(outi.get(f"/portal/orders/{sold}"))
    waiting = boss.get("/purchase-orders?state=proposed")
    assert number in words_of(waiting)
    assert "Dates that vendors moved" in boss.get("/").text
    bought = boss.get(f"/purchase-orders/{number}")
    assert "The foundry burnt" in words_of(bought)
    accept = f"/purchase-orders/{number}/lines/{line.id}"
    assert as_user(shop.rep).post(accept, data={"accept": "1"}).status_code == 403
    assert boss.post(accept, data={"accept": "1"}).status_code == 303
    page = outi.get(f"/portal/orders/{sold}")
    assert day(later(30)) in words_of(page)
    for secret in (number, "Putki", "foundry", "Pena"):
        assert secret not in page.text
    assert "No moved date waits" in words_of(
        boss.get("/purchase-orders?state=proposed")
    )
    assert boss.post(accept, data={"accept": "1"}).status_code == 422


def test_a_date_our_buyer_declines_stays_as_it_was(shop: Shop, as_user: SignIn):
    shop.product("KV-1")
    number = purchase(shop)
    line = line_of(number)
    with db.transaction() as session:
        order = session.scalars(sa.select(PurchaseOrder)).one()
        propose_date(order, order.lines[0], later(30), reason="Late")
    boss = as_user(shop.boss)
    boss.post(f"/purchase-orders/{number}/lines/{line.id}", data={"decline": "1"})
    assert line_of(number).proposed_on is None
    assert line_of(number).expected_on == later(10)


def test_a_trusted_vendors_date_counts_at_once(shop: Shop, as_user: SignIn):
    shop.product("KV-1", on_hand=0)
    with db.transaction() as session:
        save_agreement(session.get_one(Contact, shop.putki.id), trusted=True)
    number = purchase(shop)
    sold = order_for(shop.outi, quantity=5)
    line = line_of(number)
    sent = {
        f"promised_on.{line.id}": later(30).isoformat(),
        f"reason.{line.id}": "Late",
        "act": "dates",
    }
    as_user(shop.pena).post(f"/portal/purchase-orders/{number}", data=sent)
    page = words_of(as_user(shop.outi).get(f"/portal/orders/{sold}"))
    assert day(later(30)) in page


@pytest.mark.parametrize("wrong", ["yesterday", "2020-01-01", "9999-99-99", "\x00"])
def test_a_wrong_date_is_told_beside_its_line(wrong: str, shop: Shop, as_user: SignIn):
    shop.product("KV-1")
    number = purchase(shop)
    line = line_of(number)
    sent = {f"promised_on.{line.id}": wrong, f"reason.{line.id}": "Late"}
    answer = as_user(shop.pena).post(f"/portal/purchase-orders/{number}", data=sent)
    assert answer.status_code == 422
    assert f'id="wrong-day-{line.id}"' in answer.text


def test_a_vendor_finds_no_other_vendors_orders_no_drafts_and_no_customer(
    shop: Shop, as_user: SignIn
):
    shop.product("KV-1", on_hand=0)
    mine, draft = purchase(shop), purchase(shop, send=False)
    theirs = purchase(shop, shop.hana)
    order_for(shop.outi, quantity=5)
    line = line_of(theirs)
    pena = as_user(shop.pena)
    for key in (theirs, draft, str(line.order_id), "PO-1", "nothing"):
        assert pena.get(f"/portal/purchase-orders/{key}").status_code == 404
        sent = {f"promised_on.{line.id}": later(3).isoformat(), "act": "confirm"}
        answer = pena.post(f"/portal/purchase-orders/{key}", data=sent)
        assert answer.status_code == 404
    pages = [pena.get("/portal"), pena.get(f"/portal/purchase-orders/{mine}")]
    for page in pages:
        for secret in ("Kallio", "Outi", "SO-", theirs, draft):
            assert secret not in page.text
    assert line_of(theirs).promised_on is None


def test_a_received_purchase_order_takes_no_more_dates(shop: Shop, as_user: SignIn):
    shop.product("KV-1")
    number = purchase(shop)
    line = line_of(number)
    boss, pena = as_user(shop.boss), as_user(shop.pena)
    boss.post(f"/purchase-orders/{number}", data={"state": "received"})
    here = f"/portal/purchase-orders/{number}"
    assert f"promised_on.{line.id}" not in pena.get(here).text
    sent = {f"promised_on.{line.id}": later(3).isoformat(), "act": "confirm"}
    answer = pena.post(here, data=sent)
    assert answer.status_code == 422
    assert "This purchase order is closed" in words_of(answer)


# -- The contact's page, my day, agreements ----------------------------------------


def test_a_contacts_page_shows_its_orders_or_what_we_order_from_it(
    shop: Shop, as_user: SignIn
):
    shop.product("KV-1", on_hand=10)
    sold, bought = order_for(shop.outi), purchase(shop)
    boss = as_user(shop.boss)
    customer = boss.get(f"/contacts/{shop.kallio.id}").text
    assert sold in customer
    assert "1 open order" in customer
    vendor = boss.get(f"/contacts/{shop.putki.id}").text
    assert bought in vendor
    assert sold not in vendor
    fragment = boss.get(f"/contacts/{shop.kallio.id}/panels/portal.orders")
    assert sold in fragment.text


def test_my_day_shows_new_orders_of_ones_own_customers(shop: Shop, as_user: SignIn):
    shop.product("KV-1", on_hand=10)
    with db.transaction() as session:
        session.get_one(Contact, shop.kallio.id).owner_id = shop.rep.id
    mine, other = order_for(shop.outi), order_for(shop.timo)
    page = as_user(shop.rep).get("/").text
    assert mine in page
    assert other not in page


def test_an_agreement_is_made_and_two_people_do_not_overwrite_each_other(
    shop: Shop, as_user: SignIn
):
    shop.product("KV-1", on_hand=7, price="10.00")
    boss = as_user(shop.boss)
    here = f"/agreements/{shop.kallio.id}"
    version = values_of(boss.get(here), "version")[0]
    sent = {"percent": "12,5", "shows_exact_stock": "1", "version": version}
    assert boss.post(here, data=sent).status_code == 303
    page = words_of(as_user(shop.outi).get("/portal/catalogue"))
    assert "€8.75" in page
    assert "7 in stock" in page
    stale = boss.post(here, data={**sent, "percent": "50"})
    assert stale.status_code == 409
    assert values_of(stale, "percent") == ["50"]
    for wrong in ("101", "-1", "much"):
        version = values_of(boss.get(here), "version")[0]
        answer = boss.post(here, data={"percent": wrong, "version": version})
        assert answer.status_code == 422
        assert 'id="f-percent-error"' in answer.text
    assert as_user(shop.outi).get(here).status_code == 404


def test_what_is_agreed_on_one_product_stands_in_the_agreement(
    shop: Shop, as_user: SignIn
):
    made = shop.product("KV-1", price="10.00")
    with db.transaction() as session:
        kallio = session.get_one(Contact, shop.kallio.id)
        product = session.get_one(Product, made.id)
        agree_price(kallio, product, discount=Decimal("0.125"))
    page = words_of(as_user(shop.boss).get(f"/agreements/{shop.kallio.id}"))
    assert "less 12.5%" in page


def test_trusting_a_vendor_leaves_what_is_agreed_with_customers_alone(
    shop: Shop, as_user: SignIn
):
    boss, rep = as_user(shop.boss), as_user(shop.rep)
    here = f"/agreements/{shop.putki.id}"
    assert boss.post(here, data={"trusted": "1", "version": "0"}).status_code == 303
    with db.read_only() as session:
        assert session.scalars(sa.select(Agreement)).one().trusted
    # A colleague who may not trust vendors does not take the trust away either.
    assert rep.post(here, data={"version": "1"}).status_code == 303
    with db.read_only() as session:
        assert session.scalars(sa.select(Agreement)).one().trusted


def test_house_pages_ask_the_database_the_same_few_times_however_much_there_is(
    shop: Shop, as_user: SignIn, count_queries: Callable[[], Any]
):
    browser = as_user(shop.boss)

    def asked(address: str) -> int:
        with count_queries() as queries:
            assert browser.get(address).status_code == 200, address
        return int(queries.count)

    def grow(first: int, last: int) -> list[str]:
        """Add products, and one order with all of these; give the pages to ask."""
        skus = [f"KV-{number}" for number in range(first, last)]
        for sku in skus:
            shop.product(sku, on_hand=2, lead_time_days=5)
            bought = purchase(shop, sku=sku)
            with db.transaction() as session:
                query = sa.select(PurchaseOrder).where(PurchaseOrder.number == bought)
                confirm_lines(session.scalars(query).one())
        with db.transaction() as session:
            lines = [{"sku": sku, "quantity": 5} for sku in skus]
            buyer = session.get_one(User, shop.outi.id)
            sold = place_order(buyer, lines=lines, back_orders=True).number
        return [
            "/products",
            f"/products/{skus[0]}",
            "/orders",
            f"/orders/{sold}",
            "/purchase-orders",
            f"/purchase-orders/{bought}",
            "/purchase-orders/new",
        ]

    asked("/products")
    few = [asked(address) for address in grow(1, 3)]
    many = [asked(address) for address in grow(3, 15)]
    assert many == few
    assert max(many) <= 12
