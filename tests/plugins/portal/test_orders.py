"""Orders: placed, refused, raced for, moved on."""

import threading
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from core.app import CRM
from core.contacts.models import Contact
from core.db import db
from core.errors import Invalid, NotFound
from core.events import Event
from core.users.models import User
from plugins.portal.models import Order, Product, Stock
from plugins.portal.services.catalogue import catalogue
from plugins.portal.services.orders import (
    advance_order,
    get_order,
    orders_of,
    place_order,
)
from plugins.portal.services.prices import agree_price, save_agreement
from plugins.portal.services.stock import count_stock, promise_from_stock, today
from tests.plugins.portal.conftest import Shop


def wanted(**lines: int) -> list[dict[str, Any]]:
    """Write lines as `KV_1=24`."""
    return [
        {"sku": sku.replace("_", "-"), "quantity": quantity}
        for sku, quantity in lines.items()
    ]


def order_as(user: User, *, contact: Contact | None = None, **lines: int) -> int:
    """Place an order in a transaction of its own, and give its id."""
    with db.transaction():
        made = place_order(
            user, lines=wanted(**lines), contact=contact, back_orders=True
        )
        return made.id


def refused(user: User, **lines: int) -> Mapping[str, Any]:
    """Give what an order is refused with, by field."""
    with pytest.raises(Invalid) as refusal, db.transaction():
        place_order(user, lines=wanted(**lines), back_orders=True)
    return refusal.value.errors


def stock_of(product: Product) -> tuple[int, int]:
    """Give what is on hand and what is reserved, as the database has it now."""
    with db.read_only() as session:
        stock = session.get_one(Stock, product.id)
        return stock.on_hand, stock.reserved


def move(order_id: int, state: str) -> None:
    """Move an order on in a transaction of its own."""
    with db.transaction() as session:
        advance_order(session.get_one(Order, order_id), state)


def test_an_order_reserves_stock_and_keeps_names_prices_and_the_promise(shop: Shop):
    product = shop.product("KV-1", name="Elbow", on_hand=10, price="7.70")
    with db.transaction():
        save_agreement(shop.kallio, discount=Decimal("0.15"))
    with db.transaction():
        made = place_order(
            shop.outi,
            lines=[{"sku": "kv-1", "quantity": 4}],
            reference="Site 12",
            required_on=date(2030, 1, 1),
        ).id
    assert stock_of(product) == (10, 4)
    with db.read_only() as session:
        order = session.get_one(Order, made)
        (line,) = order.lines
        assert order.number == "SO-1001"
        assert (order.state, order.reference) == ("placed", "Site 12")
        assert (order.contact_id, order.placed_by_id) == (shop.kallio.id, shop.outi.id)
        assert (line.sku, line.name, line.quantity) == ("KV-1", "Elbow", 4)
        assert (line.unit_price, line.discount) == (Decimal("7.70"), Decimal("0.15"))
        assert order.total == line.total == Decimal("26.18")
        assert order.promised_on == line.promised_on == promise_from_stock()


def test_a_colleague_orders_at_the_prices_of_the_customer(shop: Shop):
    product = shop.product("KV-1", on_hand=10, price="10")
    with db.transaction():
        agree_price(shop.tapio, product, price=Decimal("7.5"))
    made = order_as(shop.rep, contact=shop.tapio, KV_1=2)
    with db.read_only() as session:
        order = session.get_one(Order, made)
        assert (order.contact_id, order.total) == (shop.tapio.id, Decimal("15"))
    assert "contact" in refused(shop.rep, KV_1=1)


def test_nobody_orders_for_another_organisation(shop: Shop):
    shop.product("KV-1", on_hand=10)
    with pytest.raises(NotFound), db.transaction():
        place_order(shop.outi, lines=wanted(KV_1=1), contact=shop.tapio)


def test_each_wrong_line_is_named_and_then_nothing_is_ordered(shop: Shop):
    product = shop.product("KV-1", on_hand=10)
    shop.product("KV-2", on_hand=10, discontinued=True)
    shop.product("KV-3", on_hand=2)
    errors = refused(shop.outi, KV_1=1, KV_2=1, KV_3=5, KV_4=1)
    assert sorted(errors) == ["lines.1.sku", "lines.2.quantity", "lines.3.sku"]
    assert stock_of(product) == (10, 0)
    assert "lines" in refused(shop.outi)
    with db.read_only():
        assert orders_of(shop.outi).items == []


def test_what_is_short_waits_for_its_lead_time_if_the_buyer_agrees(shop: Shop):
    product = shop.product("KV-1", on_hand=7, lead_time_days=10)
    with pytest.raises(Invalid) as refusal, db.transaction():
        place_order(shop.outi, lines=wanted(KV_1=30))
    assert "Some now, the rest on" in refusal.value.errors["lines.0.quantity"][0]
    made = order_as(shop.outi, KV_1=30)
    assert stock_of(product) == (7, 7)
    with db.read_only() as session:
        order = session.get_one(Order, made)
        assert (order.lines[0].reserved, order.lines[0].to_come) == (7, 23)
        assert order.promised_on == today() + timedelta(days=10)


def test_a_price_that_changed_meanwhile_is_shown_before_it_is_paid(shop: Shop):
    shop.product("KV-1", on_hand=10, price="4.35")
    line: dict[str, Any] = {"sku": "KV-1", "quantity": 1}
    with pytest.raises(Invalid) as refusal, db.transaction():
        place_order(shop.outi, lines=[line | {"price": Decimal("4.20")}])
    assert "4.35" in refusal.value.errors["lines.0.price"][0]
    with db.transaction():
        place_order(shop.outi, lines=[line | {"price": Decimal("4.35")}])


def race(app: CRM, work: Callable[[int], object], count: int = 2) -> list[object]:
    """Do `work(number)` in threads at once; give results, or what was raised."""
    barrier = threading.Barrier(count)
    results: list[object] = [None] * count

    def run(number: int) -> None:
        with app.app_context():
            barrier.wait()
            try:
                results[number] = work(number)
            except Invalid as error:
                results[number] = error

    threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return results


@pytest.mark.parametrize("attempt", range(5))
def test_of_two_customers_going_for_the_last_unit_exactly_one_gets_it(
    app: CRM, shop: Shop, attempt: int
):
    product = shop.product("KV-1", on_hand=1)
    buyers = [shop.outi, shop.timo]
    results = race(app, lambda number: order_as(buyers[number], KV_1=1))
    lost = [one for one in results if isinstance(one, Invalid)]
    assert len(lost) == 1
    assert "lines.0.quantity" in lost[0].errors
    assert stock_of(product) == (1, 1)


def test_many_orders_at_once_get_numbers_of_their_own_and_never_too_much(
    app: CRM, shop: Shop
):
    first = shop.product("KV-1", on_hand=5)
    second = shop.product("KV-2", on_hand=5)

    def work(number: int) -> int:
        # Each in another order of lines: they must not wait for each other for ever.
        if number % 2:
            return order_as(shop.outi, KV_1=1, KV_2=1)
        return order_as(shop.outi, KV_2=1, KV_1=1)

    results = race(app, work, 8)
    won = [one for one in results if isinstance(one, int)]
    assert len(won) == 5
    assert stock_of(first) == stock_of(second) == (5, 5)
    with db.read_only() as session:
        numbers = session.scalars(sa.select(Order.number)).all()
        assert len(set(numbers)) == 5


def test_an_order_moves_on_and_the_stock_with_it(shop: Shop):
    product = shop.product("KV-1", on_hand=10)
    made = order_as(shop.outi, KV_1=4)
    for state in ("confirmed", "picked"):
        move(made, state)
    assert stock_of(product) == (10, 4)
    move(made, "shipped")
    assert stock_of(product) == (6, 0)
    move(made, "delivered")
    with db.read_only() as session:
        order = session.get_one(Order, made)
        assert order.shipped_at is not None
        assert order.delivered_at is not None
        assert (order.lines[0].shipped, order.lines[0].to_come) == (4, 0)
        types = session.scalars(
            sa.select(Event.type).where(Event.subject == order.ref).order_by(Event.id)
        ).all()
    assert types[:2] == ["portal.order.created", "portal.order.placed"]
    assert types.count("portal.order.advanced") == 4


def test_a_cancelled_order_gives_its_stock_back(shop: Shop):
    product = shop.product("KV-1", on_hand=3, lead_time_days=1)
    made = order_as(shop.outi, KV_1=5)
    assert stock_of(product) == (3, 3)
    move(made, "cancelled")
    assert stock_of(product) == (3, 0)


@pytest.mark.parametrize(
    ("reached", "wished"),
    [
        ("shipped", "picked"),
        ("shipped", "cancelled"),
        ("delivered", "shipped"),
        ("cancelled", "placed"),
        ("confirmed", "placed"),
    ],
)
def test_an_order_never_goes_back(shop: Shop, reached: str, wished: str):
    shop.product("KV-1", on_hand=10)
    made = order_as(shop.outi, KV_1=1)
    move(made, reached)
    with pytest.raises(Invalid):
        move(made, wished)


def test_an_order_that_still_waits_cannot_be_picked_until_the_goods_are_there(
    shop: Shop,
):
    product = shop.product("KV-1", on_hand=3, lead_time_days=1)
    made = order_as(shop.outi, KV_1=5)
    with pytest.raises(Invalid):
        move(made, "picked")
    assert stock_of(product) == (3, 3)
    with db.transaction() as session:
        count_stock(session.get_one(Product, product.id), on_hand=5)
    move(made, "shipped")
    assert stock_of(product) == (0, 0)


def test_a_customer_sees_their_own_orders_and_a_vendor_none(shop: Shop):
    shop.product("KV-1", on_hand=100)
    mine = order_as(shop.outi, KV_1=1)
    theirs = order_as(shop.timo, KV_1=2)
    with db.read_only() as session:
        number = session.get_one(Order, theirs).number
        assert [one.id for one in orders_of(shop.outi).items] == [mine]
        assert [one.id for one in orders_of(shop.rep).items] == [theirs, mine]
        assert orders_of(shop.pena).items == []
        for key in (str(theirs), number, "SO-9999", "9" * 30, "nothing"):
            with pytest.raises(NotFound):
                get_order(shop.outi, key)
        assert get_order(shop.timo, number).id == theirs


def test_a_list_of_orders_costs_the_same_however_many(
    shop: Shop, count_queries: Callable[[], Any]
):
    shop.product("KV-1", on_hand=1000)
    for _ in range(6):
        order_as(shop.outi, KV_1=1)
    with db.read_only(), count_queries() as counted:
        page = orders_of(shop.outi, limit=4)
        assert [len(one.lines) for one in page.items] == [1, 1, 1, 1]
        assert [one.contact.name for one in page.items if one.contact] == (
            ["Kallion Vesijohto Oy"] * 4
        )
    assert counted.count <= 3
    with db.read_only():
        rest = orders_of(shop.outi, limit=4, cursor=page.next)
        assert len(rest.items) == 2
        assert len(orders_of(shop.rep, state="placed").items) == 6
        assert orders_of(shop.rep, contact=shop.tapio).items == []


def test_stock_that_runs_out_between_looking_and_ordering_is_told(shop: Shop):
    shop.product("KV-1", on_hand=5)
    with db.read_only():
        assert catalogue(shop.outi).items[0].shown is not None
    order_as(shop.timo, KV_1=5)
    errors = refused(shop.outi, KV_1=1)
    assert "sold out" in errors["lines.0.quantity"][0]
