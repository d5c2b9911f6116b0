"""The portal's own pages for customers: catalogue, quick order, basket, orders."""

import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from core.app import CRM
from core.contacts.models import Contact
from core.contacts.services import create_contact
from core.db import db
from core.users.models import User
from plugins.portal.models import BasketLine, Order, Product
from plugins.portal.services.orders import advance_order, place_order
from plugins.portal.services.prices import agree_price, save_agreement
from plugins.portal.services.products import change_product
from plugins.portal.services.stock import count_stock, promise_from_stock, today
from plugins.portal.words import day
from tests.plugins.portal.conftest import Shop
from tests.plugins.portal.paper import basket_form, values_of, words_of

SignIn = Callable[[User], FlaskClient]


def basket_of(user: User) -> dict[str, int]:
    """Give what lies in somebody's basket, by SKU."""
    with db.read_only() as session:
        query = sa.select(BasketLine).where(BasketLine.user_id == user.id)
        lines = session.scalars(query.order_by(BasketLine.id))
        return {one.product.sku: one.quantity for one in lines}


def orders_of_house() -> list[Order]:
    """Give all orders there are, the oldest first."""
    with db.read_only() as session:
        found = list(session.scalars(sa.select(Order).order_by(Order.id)))
        session.expunge_all()
        return found


def fill(browser: FlaskClient, **lines: int) -> Any:
    """Put lines, written as `KV_1=24`, into the basket; give the basket's page."""
    for sku, quantity in lines.items():
        sent = {"sku": sku.replace("_", "-"), "quantity": quantity}
        assert browser.post("/portal/basket/add", data=sent).status_code == 303
    return browser.get("/portal/basket")


def order_for(user: User, **lines: int) -> str:
    """Place an order through the service; give its number."""
    with db.transaction():
        order = place_order(
            user,
            lines=[
                {"sku": sku.replace("_", "-"), "quantity": quantity}
                for sku, quantity in lines.items()
            ],
            back_orders=True,
        )
        return order.number


# -- Who comes in ------------------------------------------------------------------


def test_the_first_page_after_signing_in_is_home_or_the_purchase_orders(
    shop: Shop, as_user: SignIn
):
    assert as_user(shop.outi).get("/").headers["Location"] == "/portal"
    assert as_user(shop.pena).get("/").headers["Location"] == "/portal/purchase-orders"
    home = words_of(as_user(shop.outi).get("/portal"))
    assert "Outi" in home
    assert "Kallion Vesijohto Oy" in home
    assert "No open orders" in home
    assert "No purchase orders wait for you." in words_of(
        as_user(shop.pena).get("/portal")
    )


def test_guests_are_asked_to_sign_in_and_customers_find_no_page_of_the_house(
    shop: Shop, as_user: SignIn, client: FlaskClient
):
    shop.product("KV-1")
    house = ["/products", "/products/KV-1", "/orders", "/purchase-orders"]
    for address in [*house, "/portal", "/portal/catalogue", "/portal/basket"]:
        assert client.get(address).status_code == 302
    for user in (shop.outi, shop.pena):
        browser = as_user(user)
        for address in [*house, "/products/new", "/purchase-orders/new"]:
            assert browser.get(address).status_code == 404, address
    colleague = as_user(shop.boss)
    for address in ("/portal", "/portal/catalogue", "/portal/basket", "/portal/orders"):
        assert colleague.get(address).status_code == 404, address


def test_a_vendor_has_no_catalogue_and_no_basket(shop: Shop, as_user: SignIn):
    shop.product("KV-1")
    browser = as_user(shop.pena)
    for address in ("/portal/catalogue", "/portal/basket", "/portal/orders"):
        assert browser.get(address).status_code == 404, address
    sent = {"sku": "KV-1", "quantity": 1}
    assert browser.post("/portal/basket/add", data=sent).status_code == 404
    assert basket_of(shop.pena) == {}


def test_home_names_whom_to_ask_with_their_phone(shop: Shop, as_user: SignIn):
    with db.transaction() as session:
        card = create_contact(
            {
                "kind": "person",
                "name": "Anna Laine",
                "phones": [{"number": "+358 40 123 4567", "label": "work"}],
            },
            actor=None,
        )
        session.get_one(User, shop.rep.id).person_id = card.id
        session.get_one(Contact, shop.kallio.id).owner_id = shop.rep.id
    assert "Anna Laine +358 40 123 4567" in words_of(as_user(shop.outi).get("/portal"))
    assert "Anna Laine" not in words_of(as_user(shop.timo).get("/portal"))


# -- Catalogue ---------------------------------------------------------------------


def test_a_customer_reads_her_own_price_and_a_word_for_the_stock(
    shop: Shop, as_user: SignIn
):
    product = shop.product("KV-1", name="Elbow 22 mm", price="9.99", on_hand=7)
    shop.product("KV-2", name="Gone", discontinued=True)
    with db.transaction():
        agree_price(shop.kallio, product, price=Decimal("4.20"))
        save_agreement(shop.tapio, shows_exact_stock=True)
    page = words_of(as_user(shop.outi).get("/portal/catalogue"))
    assert "Elbow 22 mm" in page
    assert "€4.20" in page
    assert "Few left" in page
    assert "7 in stock" not in page
    assert "Gone" not in page
    exact = words_of(as_user(shop.timo).get("/portal/catalogue"))
    assert "€9.99" in exact
    assert "7 in stock" in exact


def test_a_search_without_a_hit_says_so_and_leads_on(shop: Shop, as_user: SignIn):
    shop.product("KV-1", name="Elbow")
    page = as_user(shop.outi).get("/portal/catalogue?q=elbw")
    assert "Nothing matches “elbw”." in words_of(page)
    assert "Show all" in words_of(page)


def test_a_wrong_quantity_is_told_beside_its_product_and_kept(
    shop: Shop, as_user: SignIn
):
    shop.product("KV-1", box_size=12, on_hand=120)
    shop.product("KV-2", on_hand=120)
    browser = as_user(shop.outi)
    answer = browser.post("/portal/basket/add", data={"sku": "KV-1", "quantity": "20"})
    assert answer.status_code == 422
    assert "multiple of 12" in words_of(answer)
    assert values_of(answer, "quantity") == ["20", "1"]
    assert basket_of(shop.outi) == {}


def test_what_is_added_twice_grows_and_the_menu_counts_the_lines(
    shop: Shop, as_user: SignIn
):
    shop.product("KV-1", on_hand=100)
    shop.product("KV-2", on_hand=100)
    browser = as_user(shop.outi)
    page = fill(browser, KV_1=3, KV_2=1)
    fill(browser, KV_1=4)
    assert basket_of(shop.outi) == {"KV-1": 7, "KV-2": 1}
    assert basket_of(shop.timo) == {}
    assert '<span class="chip">2</span>' in page.text


# -- Quick order -------------------------------------------------------------------


@pytest.fixture
def twelve(shop: Shop) -> str:
    """Twelve pasted lines, two of them wrong."""
    for number in range(1, 12):
        shop.product(f"KV-{number * 10}", on_hand=500, price="2.00")
    shop.product("KV-9", on_hand=500, price="1.00")
    lines = [f"KV-{number * 10}\t{number}" for number in range(1, 11)]
    return "\n".join([*lines, "KV-9X\t5", "KV-110\tmany"])


def test_of_twelve_pasted_lines_two_are_wrong_and_told_which_and_why(
    twelve: str, shop: Shop, as_user: SignIn
):
    browser = as_user(shop.outi)
    answer = browser.post("/portal/quick-order", data={"lines": twelve})
    page = words_of(answer)
    assert "KV-9X is not in the catalogue. Did you mean KV-9?" in page
    assert "KV-110 many Write a whole number" in page
    assert "2 lines need you" in page
    assert "Add 10 lines" in page
    assert "€110.00" in page
    assert basket_of(shop.outi) == {}


def test_a_suggestion_is_used_by_one_button_and_the_rest_stays_to_be_mended(
    twelve: str, shop: Shop, as_user: SignIn
):
    browser = as_user(shop.outi)
    answer = browser.post("/portal/quick-order", data={"lines": twelve, "use": "10"})
    assert "KV-9 5" in words_of(answer)
    assert "1 line needs you" in words_of(answer)
    mended = twelve.replace("KV-9X", "KV-9")
    answer = browser.post("/portal/quick-order", data={"lines": mended, "add": "1"})
    assert answer.status_code == 303
    left = browser.get(answer.headers["Location"])
    assert "KV-110 many" in left.text
    assert "11 lines are in the basket." in left.text
    assert len(basket_of(shop.outi)) == 11
    last = browser.post("/portal/quick-order", data={"lines": "KV-110 1", "add": "1"})
    assert last.headers["Location"] == "/portal/basket"
    assert len(basket_of(shop.outi)) == 12


def test_what_is_short_can_be_waited_for_or_taken_as_far_as_it_goes(
    shop: Shop, as_user: SignIn
):
    shop.product("KV-7", on_hand=7, lead_time_days=10)
    with db.transaction():
        save_agreement(shop.kallio, shows_exact_stock=True)
    browser = as_user(shop.outi)
    page = browser.post("/portal/quick-order", data={"lines": "KV-7 30"})
    assert "7 now, 23 more on" in words_of(page)
    only = browser.post("/portal/quick-order", data={"lines": "KV-7 30", "only": "0"})
    assert "7 × KV-7" in words_of(only)
    assert "In stock" in words_of(only)


@pytest.mark.parametrize(
    "text", ["", "\n\n ", "x 1\n" * 501, "'; DROP TABLE x;-- 1", "\x00 1\n🐙 ２"]
)
def test_a_wrong_paste_is_answered_and_kept(text: str, shop: Shop, as_user: SignIn):
    shop.product("KV-1")
    browser = as_user(shop.outi)
    for act in ({}, {"add": "1"}, {"use": "0"}, {"only": "999"}, {"use": "x"}):
        answer = browser.post("/portal/quick-order", data={"lines": text, **act})
        assert answer.status_code in {200, 422}
    assert basket_of(shop.outi) == {}


# -- Basket and order --------------------------------------------------------------


def test_a_basket_becomes_an_order_with_the_day_it_is_promised(
    shop: Shop, as_user: SignIn
):
    shop.product("KV-1", on_hand=100, price="4.20")
    browser = as_user(shop.outi)
    form = basket_form(fill(browser, KV_1=24))
    answer = browser.post("/portal/basket/order", data={**form, "reference": "Site 12"})
    assert answer.status_code == 303
    (order,) = orders_of_house()
    assert answer.headers["Location"].startswith(f"/portal/orders/{order.number}")
    assert (order.total, order.reference) == (Decimal("100.80"), "Site 12")
    page = words_of(browser.get(answer.headers["Location"]))
    with db.read_only():
        promise = day(promise_from_stock())
    assert "We have your order." in page
    assert promise in page
    assert "Site 12" in page
    assert basket_of(shop.outi) == {}
    assert order.number in words_of(browser.get("/portal/orders"))
    assert order.number in words_of(browser.get("/portal"))


def test_the_same_form_sent_twice_is_one_order(shop: Shop, as_user: SignIn):
    shop.product("KV-1", on_hand=100)
    browser = as_user(shop.outi)
    form = basket_form(fill(browser, KV_1=24))
    first = browser.post("/portal/basket/order", data=form)
    second = browser.post("/portal/basket/order", data=form)
    assert first.headers["Location"] == second.headers["Location"]
    assert len(orders_of_house()) == 1


@pytest.mark.parametrize("tokens", ["the same token", "another token each"])
def test_a_double_click_and_two_tabs_are_one_order(
    tokens: str, app: CRM, shop: Shop, as_user: SignIn
):
    shop.product("KV-1", on_hand=100)
    browsers = [as_user(shop.outi) for _ in range(3)]
    form = basket_form(fill(browsers[0], KV_1=24))
    barrier = threading.Barrier(len(browsers))
    answers: list[Any] = [None] * len(browsers)

    def click(number: int) -> None:
        sent = dict(form)
        if tokens != "the same token":
            sent["token"] = f"token-number-{number}"
        barrier.wait()
        answers[number] = browsers[number].post("/portal/basket/order", data=sent)

    for browser in browsers:
        browser.get("/portal/basket")
    threads = [threading.Thread(target=click, args=(n,)) for n in range(len(browsers))]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(orders_of_house()) == 1
    assert {one.status_code for one in answers} == {303}


def test_a_price_that_changed_is_told_and_ordered_only_after_another_look(
    shop: Shop, as_user: SignIn
):
    product = shop.product("KV-1", on_hand=100, price="4.20")
    shop.product("KV-2", on_hand=100, price="1.00")
    browser = as_user(shop.outi)
    form = basket_form(fill(browser, KV_1=2, KV_2=1))
    with db.transaction() as session:
        found = session.get_one(Product, product.id)
        change_product(found, {"price": Decimal("4.35")}, actor=None)
    answer = browser.post("/portal/basket/order", data={**form, "reference": "Site"})
    page = words_of(answer)
    assert answer.status_code == 422
    assert "Nothing is ordered yet." in page
    assert "€4.20 is now €4.35 for KV-1. Order at the new price?" in page
    assert values_of(answer, "reference") == ["Site"]
    assert orders_of_house() == []
    assert basket_of(shop.outi) == {"KV-1": 2, "KV-2": 1}
    again = browser.post("/portal/basket/order", data=basket_form(answer))
    assert again.status_code == 303
    assert orders_of_house()[0].total == Decimal("9.70")


def test_what_sold_out_meanwhile_is_told_and_the_basket_is_kept(
    shop: Shop, as_user: SignIn
):
    shop.product("KV-1", on_hand=1)
    shop.product("KV-2", on_hand=100)
    outi, timo = as_user(shop.outi), as_user(shop.timo)
    hers, his = basket_form(fill(outi, KV_1=1, KV_2=5)), basket_form(fill(timo, KV_1=1))
    assert timo.post("/portal/basket/order", data=his).status_code == 303
    answer = outi.post("/portal/basket/order", data=hers)
    assert answer.status_code == 422
    assert "KV-1 is sold out" in words_of(answer)
    assert "Place the order" not in words_of(answer)
    assert basket_of(shop.outi) == {"KV-1": 1, "KV-2": 5}
    assert len(orders_of_house()) == 1
    outi.post("/portal/basket", data={"remove": "KV-1"})
    form = basket_form(outi.get("/portal/basket"))
    assert outi.post("/portal/basket/order", data=form).status_code == 303


def test_what_comes_later_than_it_was_seen_is_ordered_only_after_another_look(
    shop: Shop, as_user: SignIn
):
    shop.product("KV-1", on_hand=5, lead_time_days=30)
    outi = as_user(shop.outi)
    form = basket_form(fill(outi, KV_1=5))
    order_for(shop.timo, KV_1=5)
    answer = outi.post("/portal/basket/order", data=form)
    assert answer.status_code == 422
    assert "This comes later than you saw." in words_of(answer)
    again = outi.post("/portal/basket/order", data=basket_form(answer))
    assert again.status_code == 303
    order = orders_of_house()[-1]
    assert order.promised_on == today() + timedelta(days=30)


def test_nobody_orders_a_quantity_whose_total_they_have_not_seen(
    shop: Shop, as_user: SignIn
):
    shop.product("KV-1", on_hand=100, price="2.00")
    browser = as_user(shop.outi)
    form = basket_form(fill(browser, KV_1=2))
    form["quantity"] = ["20"]
    answer = browser.post("/portal/basket/order", data=form)
    assert answer.headers["Location"] == "/portal/basket"
    assert orders_of_house() == []
    page = browser.get("/portal/basket")
    assert "The basket has changed." in words_of(page)
    assert "€40.00" in words_of(page)
    done = browser.post("/portal/basket/order", data=basket_form(page))
    assert done.status_code == 303


def test_quantities_are_changed_and_wrong_ones_told_beside_the_line(
    shop: Shop, as_user: SignIn
):
    shop.product("KV-1", on_hand=100)
    shop.product("KV-2", on_hand=100)
    browser = as_user(shop.outi)
    fill(browser, KV_1=2, KV_2=3)
    rows = {"sku": ["KV-1", "KV-2"], "quantity": ["9", "0"]}
    assert browser.post("/portal/basket", data=rows).status_code == 303
    assert basket_of(shop.outi) == {"KV-1": 9}
    for wrong in ("many", "-3", "1.5", "9" * 5000, ""):
        rows = {"sku": ["KV-1"], "quantity": [wrong]}
        answer = browser.post("/portal/basket", data=rows)
        assert answer.status_code == 422
        assert "Write a whole number" in words_of(answer)
        assert values_of(answer, "quantity") == [wrong]
    assert basket_of(shop.outi) == {"KV-1": 9}


def test_a_form_without_its_fields_is_refused_in_words(shop: Shop, as_user: SignIn):
    shop.product("KV-1", on_hand=100)
    browser = as_user(shop.outi)
    form = basket_form(fill(browser, KV_1=1))
    wrong_ones: list[dict[str, Any]] = [
        {},
        {**form, "price": ["cheap"]},
        {**form, "token": "x" * 65},
        {**form, "required_on": "someday"},
        {**form, "reference": "x" * 101},
    ]
    for sent in wrong_ones:
        answer = browser.post("/portal/basket/order", data=sent)
        assert answer.status_code == 422, sent
        assert 8 <= len(values_of(answer, "token")[0]) <= 64
    assert orders_of_house() == []
    assert basket_of(shop.outi) == {"KV-1": 1}


def test_an_empty_basket_leads_to_the_catalogue_and_cannot_be_ordered(
    shop: Shop, as_user: SignIn
):
    browser = as_user(shop.outi)
    assert "Look at the catalogue" in words_of(browser.get("/portal/basket"))
    sent = {"token": "a-token-of-mine", "sku": [], "quantity": [], "price": []}
    answer = browser.post("/portal/basket/order", data=sent)
    assert answer.status_code == 422
    assert orders_of_house() == []


def test_an_order_is_put_into_the_basket_again_without_what_is_no_longer_sold(
    shop: Shop, as_user: SignIn
):
    shop.product("KV-1", on_hand=100)
    gone = shop.product("KV-2", on_hand=100)
    number = order_for(shop.outi, KV_1=3, KV_2=4)
    with db.transaction() as session:
        found = session.get_one(Product, gone.id)
        change_product(found, {"discontinued": True}, actor=None)
    browser = as_user(shop.outi)
    answer = browser.post(f"/portal/orders/{number}/again")
    assert answer.headers["Location"] == "/portal/basket"
    page = words_of(browser.get("/portal/basket"))
    assert "KV-2 is no longer sold." in page
    assert basket_of(shop.outi) == {"KV-1": 3}
    lately = words_of(browser.get("/portal"))
    assert "Order again" in lately


def test_a_product_taken_off_sale_stops_the_basket_until_it_is_taken_out(
    shop: Shop, as_user: SignIn
):
    product = shop.product("KV-1", on_hand=100)
    browser = as_user(shop.outi)
    form = basket_form(fill(browser, KV_1=3))
    with db.transaction() as session:
        found = session.get_one(Product, product.id)
        change_product(found, {"discontinued": True}, actor=None)
    answer = browser.post("/portal/basket/order", data=form)
    assert answer.status_code == 422
    assert "KV-1 is no longer sold." in words_of(answer)


# -- Orders ------------------------------------------------------------------------


def test_the_orders_of_another_organisation_do_not_exist(shop: Shop, as_user: SignIn):
    shop.product("KV-1", on_hand=100)
    number = order_for(shop.outi, KV_1=1)
    order_id = orders_of_house()[0].id
    timo = as_user(shop.timo)
    for key in (number, str(order_id), "SO-1", "nothing", "9" * 30, "%00"):
        assert timo.get(f"/portal/orders/{key}").status_code == 404
        assert timo.get(f"/portal/orders/{key}/lines").status_code == 404
        assert timo.post(f"/portal/orders/{key}/again").status_code == 404
        assert (
            timo.post(f"/orders/{key}", data={"state": "cancelled"}).status_code == 404
        )
    assert number not in timo.get("/portal/orders").text
    assert basket_of(shop.timo) == {}
    assert as_user(shop.outi).get(f"/portal/orders/{number}").status_code == 200


def test_an_order_shows_how_far_it_is(shop: Shop, as_user: SignIn):
    shop.product("KV-1", on_hand=100)
    number = order_for(shop.outi, KV_1=2)
    browser = as_user(shop.outi)
    assert 'aria-current="step">Placed' in browser.get(f"/portal/orders/{number}").text
    with db.transaction() as session:
        advance_order(session.scalars(sa.select(Order)).one(), "shipped")
    page = browser.get(f"/portal/orders/{number}")
    assert 'aria-current="step">Shipped' in page.text
    assert '<li class="done">Picked' in page.text
    fragment = browser.get(f"/portal/orders/{number}/lines")
    assert "<html" not in fragment.text
    assert "Shipped" in fragment.text


def test_names_from_outside_are_written_never_run(shop: Shop, as_user: SignIn):
    evil = '<script>alert("x")</script>{{ 7*7 }}'
    shop.product("KV-1", name=evil, unit="<b>", category="<i>", on_hand=10)
    browser = as_user(shop.outi)
    fill(browser, KV_1=1)
    order_for(shop.outi, KV_1=1)
    for address in ("/portal", "/portal/catalogue", "/portal/basket", "/portal/orders"):
        page = browser.get(address).text
        assert "<script>alert" not in page
        assert "49" not in words_of(browser.get(address)).replace("€", "")


def test_pages_ask_the_database_the_same_few_times_however_much_there_is(
    shop: Shop, as_user: SignIn, count_queries: Callable[[], Any]
):
    def asked(address: str) -> int:
        with count_queries() as queries:
            assert browser.get(address).status_code == 200
        return int(queries.count)

    addresses = ["/portal", "/portal/catalogue", "/portal/basket", "/portal/orders"]
    browser = as_user(shop.outi)

    def grow(first: int, last: int) -> None:
        for number in range(first, last):
            shop.product(f"KV-{number}", on_hand=100)
            fill(browser, **{f"KV_{number}": 1})
            order_for(shop.outi, **{f"KV_{number}": 1})

    grow(0, 2)
    few = [asked(address) for address in addresses]
    grow(2, 14)
    many = [asked(address) for address in addresses]
    assert many == few
    assert max(many) <= 18


def test_stock_that_was_counted_down_shows_on_the_next_look(
    shop: Shop, as_user: SignIn
):
    product = shop.product("KV-1", on_hand=100)
    browser = as_user(shop.outi)
    fill(browser, KV_1=3)
    with db.transaction() as session:
        count_stock(session.get_one(Product, product.id), on_hand=0)
    assert "Some lines need you" in words_of(browser.get("/portal/basket"))
