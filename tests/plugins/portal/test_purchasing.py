"""Purchase orders: what vendors see, confirm and move, and what customers notice."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from core.contacts.models import Contact
from core.db import db
from core.errors import Invalid, NotFound
from core.event_visibility import visible_events
from core.events import Event, acting
from core.users.models import User
from core.visibility import visible_to
from plugins.portal.models import Order, OrderLine, Product, PurchaseOrder, Stock
from plugins.portal.services.catalogue import offer
from plugins.portal.services.orders import advance_order, place_order
from plugins.portal.services.prices import save_agreement
from plugins.portal.services.purchasing import (
    cancel_purchase_order,
    create_purchase_order,
    get_purchase_order,
    purchase_orders_of,
    receive_goods,
    send_purchase_order,
)
from plugins.portal.services.stock import today
from plugins.portal.services.vendor_dates import (
    accept_proposal,
    confirm_lines,
    decline_proposal,
    propose_date,
)
from tests.plugins.portal.conftest import Shop


def in_days(number: int) -> date:
    """Give the day in so many days."""
    return today() + timedelta(days=number)


def buy(
    shop: Shop,
    vendor: Contact,
    product: Product,
    quantity: int = 20,
    *,
    wanted_on: date | None = None,
    send: bool = True,
) -> int:
    """Order from a vendor, wanted in ten days, and give the order's id."""
    line = {
        "sku": product.sku,
        "quantity": quantity,
        "wanted_on": wanted_on or in_days(10),
        "price": Decimal("2.10"),
    }
    with db.transaction():
        order = create_purchase_order(shop.boss, vendor=vendor, lines=[line])
        if send:
            send_purchase_order(order)
        return order.id


def sell(user: User, product: Product, quantity: int) -> int:
    """Place a customer's order and give its id."""
    with db.transaction():
        lines = [{"sku": product.sku, "quantity": quantity}]
        return place_order(user, lines=lines, back_orders=True).id


def promised(order_id: int) -> date | None:
    """Read the day an order is promised."""
    with db.read_only() as session:
        return session.get_one(Order, order_id).promised_on


def vendor_moves(shop: Shop, order_id: int, on: date) -> None:
    """Have the vendor move the first line of a purchase order, as the vendor."""
    with db.transaction() as session, acting(shop.pena.id):
        order = session.get_one(PurchaseOrder, order_id)
        propose_date(order, order.lines[0], on, reason="Strike at the harbour")


def test_a_vendor_sees_their_own_purchase_orders_once_they_are_sent(shop: Shop):
    product = shop.product("KV-1")
    draft = buy(shop, shop.putki, product, send=False)
    sent = buy(shop, shop.putki, product)
    other = buy(shop, shop.hana, product)
    with db.read_only() as session:
        assert [one.id for one in purchase_orders_of(shop.pena).items] == [sent]
        assert len(purchase_orders_of(shop.boss).items) == 3
        assert purchase_orders_of(shop.outi).items == []
        for hidden in (draft, other):
            number = session.get_one(PurchaseOrder, hidden).number
            for key in (str(hidden), number):
                with pytest.raises(NotFound):
                    get_purchase_order(shop.pena, key)
        events = session.scalars(visible_events(shop.pena)).all()
    subjects = {one.subject for one in events}
    mine = {f"portal.purchase_order/{sent}", shop.putki.ref}
    assert subjects == mine


def test_a_vendor_learns_of_no_order_product_or_customer(shop: Shop):
    product = shop.product("KV-1")
    buy(shop, shop.putki, product)
    sell(shop.outi, product, 5)
    with db.read_only() as session:
        assert session.scalars(visible_to(shop.pena, Order)).all() == []
        assert session.scalars(visible_to(shop.pena, Product)).unique().all() == []
        seen = session.scalars(visible_to(shop.pena, Contact)).all()
        assert [one.id for one in seen] == [shop.putki.id]


def test_a_confirmed_purchase_order_promises_the_days_that_were_wanted(shop: Shop):
    made = buy(shop, shop.putki, shop.product("KV-1"))
    with db.transaction() as session:
        confirm_lines(session.get_one(PurchaseOrder, made))
    with db.transaction() as session:
        # Confirming twice is harmless.
        order = confirm_lines(session.get_one(PurchaseOrder, made))
        assert (order.state, order.lines[0].promised_on) == ("confirmed", in_days(10))
        assert order.total == Decimal("42.00")


def test_a_moved_date_waits_for_our_buyer_and_then_moves_the_customers_promise(
    shop: Shop,
):
    product = shop.product("KV-1", on_hand=2)
    made = buy(shop, shop.putki, product)
    waiting = sell(shop.outi, product, 5)
    assert promised(waiting) == in_days(10)
    vendor_moves(shop, made, in_days(24))
    assert promised(waiting) == in_days(10)
    with db.read_only() as session:
        proposed = purchase_orders_of(shop.boss, proposed=True)
        assert [one.id for one in proposed.items] == [made]
        before = session.get_one(Order, waiting).version
    with db.transaction() as session, acting(shop.boss.id):
        order = session.get_one(PurchaseOrder, made)
        accept_proposal(order, order.lines[0])
    assert promised(waiting) == in_days(24)
    with db.read_only() as session:
        assert session.get_one(Order, waiting).version > before
        assert purchase_orders_of(shop.boss, proposed=True).items == []


def test_a_date_moved_by_a_trusted_vendor_counts_at_once(shop: Shop):
    product = shop.product("KV-1")
    with db.transaction():
        save_agreement(shop.putki, trusted=True)
    made = buy(shop, shop.putki, product)
    waiting = sell(shop.outi, product, 5)
    vendor_moves(shop, made, in_days(24))
    assert promised(waiting) == in_days(24)


def test_what_the_customer_learns_of_a_move_names_neither_vendor_nor_reason(
    shop: Shop,
):
    product = shop.product("KV-1", supplier=shop.putki.id)
    with db.transaction():
        save_agreement(shop.putki, trusted=True)
    made = buy(shop, shop.putki, product)
    waiting = sell(shop.outi, product, 5)
    vendor_moves(shop, made, in_days(24))
    with db.read_only() as session:
        ref = session.get_one(Order, waiting).ref
        told = session.scalars(visible_events(shop.outi)).all()
        moved = [one for one in told if one.type == "portal.order.promise_moved"]
        assert [one.subject for one in moved] == [ref]
        of_the_order = [one for one in told if one.subject == ref]
        assert shop.pena.id not in {one.actor_id for one in of_the_order}
        said = " ".join(str(one.data) for one in told)
    for secret in ("Putki", "Strike", "waiting_for"):
        assert secret not in said


def test_a_declined_date_leaves_everything_as_it_was(shop: Shop):
    product = shop.product("KV-1")
    made = buy(shop, shop.putki, product)
    waiting = sell(shop.outi, product, 5)
    vendor_moves(shop, made, in_days(24))
    with db.transaction() as session:
        order = session.get_one(PurchaseOrder, made)
        decline_proposal(order, order.lines[0])
        assert order.lines[0].expected_on == in_days(10)
        with pytest.raises(Invalid):
            accept_proposal(order, order.lines[0])
    assert promised(waiting) == in_days(10)


def test_a_move_needs_a_reason_a_day_to_come_and_an_open_order(shop: Shop):
    made = buy(shop, shop.putki, shop.product("KV-1"))

    def moving(on: date, reason: str) -> Any:
        with db.transaction() as session:
            order = session.get_one(PurchaseOrder, made)
            return propose_date(order, order.lines[0], on, reason=reason).proposed_on

    for on, reason, field in (
        (in_days(20), " ", "reason"),
        (in_days(-1), "Late", "promised_on"),
    ):
        with pytest.raises(Invalid) as refusal:
            moving(on, reason)
        assert list(refusal.value.errors) == [field]
    assert moving(in_days(10), "") is None
    with db.transaction() as session:
        receive_goods(session.get_one(PurchaseOrder, made))
    with pytest.raises(Invalid) as refusal:
        moving(in_days(20), "Late")
    assert list(refusal.value.errors) == ["state"]


def test_goods_that_arrive_go_to_those_who_waited_first(shop: Shop):
    product = shop.product("KV-1", on_hand=0)
    made = buy(shop, shop.putki, product, 20)
    first, second = sell(shop.outi, product, 8), sell(shop.timo, product, 6)
    with db.transaction() as session:
        receive_goods(session.get_one(PurchaseOrder, made))
    with db.read_only() as session:
        stock = session.get_one(Stock, product.id)
        assert (stock.on_hand, stock.reserved) == (20, 14)
        for order_id in (first, second):
            (line,) = session.get_one(Order, order_id).lines
            assert (line.to_come, line.waiting_for_id) == (0, None)
    with db.transaction() as session:
        advance_order(session.get_one(Order, first), "shipped")
    with pytest.raises(Invalid), db.transaction() as session:
        receive_goods(session.get_one(PurchaseOrder, made))


def test_what_is_on_its_way_is_promised_only_once(shop: Shop):
    product = shop.product("KV-1", on_hand=0)
    buy(shop, shop.putki, product, 10)
    later = buy(shop, shop.hana, product, 10, wanted_on=in_days(30))
    with db.transaction():
        # Two lines of one order count together.
        twice = [{"sku": "KV-1", "quantity": 8}, {"sku": "KV-1", "quantity": 8}]
        order = place_order(shop.outi, lines=twice, back_orders=True)
        days = [one.promised_on for one in order.lines]
        assert days == [in_days(10), in_days(30)]
        assert order.lines[1].waiting_for_id is not None
    with pytest.raises(Invalid):
        sell(shop.timo, product, 3)
    with db.read_only() as session:
        line = session.scalars(
            sa.select(OrderLine).order_by(OrderLine.id.desc()).limit(1)
        ).one()
        ordered = session.get_one(PurchaseOrder, later).lines[0]
        assert line.waiting_for_id == ordered.id


def test_orders_that_waited_for_nothing_yet_wait_for_the_next_delivery(shop: Shop):
    product = shop.product("KV-1", on_hand=0, lead_time_days=60)
    waiting = sell(shop.outi, product, 5)
    assert promised(waiting) == in_days(60)
    made = buy(shop, shop.putki, product, 10)
    assert promised(waiting) == in_days(10)
    with db.transaction() as session:
        cancel_purchase_order(session.get_one(PurchaseOrder, made))
    assert promised(waiting) == in_days(60)


def test_the_catalogue_says_when_a_delivery_is_expected(shop: Shop):
    product = shop.product("KV-1", on_hand=0)
    buy(shop, shop.putki, product)
    with db.read_only():
        shown = offer(shop.outi, "KV-1").shown
    assert shown is not None
    assert shown.available_on == in_days(10)


def test_a_wrong_purchase_order_is_refused_line_by_line(shop: Shop):
    shop.product("KV-1")

    def buying(vendor: Contact, *lines: dict[str, Any]) -> Any:
        with pytest.raises(Invalid) as refusal, db.transaction():
            create_purchase_order(shop.boss, vendor=vendor, lines=lines)
        return sorted(refusal.value.errors)

    assert buying(shop.kallio, {"sku": "KV-1", "quantity": 1}) == ["vendor"]
    assert buying(shop.putki) == ["lines"]
    assert buying(
        shop.putki, {"sku": "KV-9", "quantity": 1}, {"sku": "KV-1", "quantity": 0}
    ) == ["lines.0.sku", "lines.1.quantity"]


def test_a_purchase_order_that_names_no_day_wants_the_goods_in_the_usual_time(
    shop: Shop,
):
    shop.product("KV-1")
    shop.product("KV-2", lead_time_days=5)
    with db.transaction():
        lines = [{"sku": "KV-1", "quantity": 1}, {"sku": "KV-2", "quantity": 1}]
        order = create_purchase_order(shop.boss, vendor=shop.putki, lines=lines)
        assert [one.wanted_on for one in order.lines] == [in_days(14), in_days(5)]


def test_a_purchase_order_is_sent_once(shop: Shop):
    made = buy(shop, shop.putki, shop.product("KV-1"))
    with pytest.raises(Invalid), db.transaction() as session:
        send_purchase_order(session.get_one(PurchaseOrder, made))
    with db.read_only() as session:
        sent = sa.select(Event).where(Event.type == "portal.purchase_order.sent")
        assert len(session.scalars(sent).all()) == 1


def test_a_list_of_purchase_orders_costs_the_same_however_many(
    shop: Shop, count_queries: Callable[[], Any]
):
    product = shop.product("KV-1")
    for _ in range(4):
        buy(shop, shop.putki, product)
    with db.read_only(), count_queries() as counted:
        page = purchase_orders_of(shop.pena, vendor=shop.putki, state="sent")
        assert [len(one.lines) for one in page.items] == [1, 1, 1, 1]
    assert counted.count <= 3
