"""Bringing in products, orders that are over, and purchase orders."""

from decimal import Decimal
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import sqlalchemy as sa

from core.app import CRM
from core.db import db
from core.errors import Forbidden
from core.importing.mapping import read_mapping
from core.importing.reports import Report
from core.importing.running import run_import
from core.importing.undoing import undo_import
from plugins.portal.models import Order, OrderLine, Product, PurchaseOrder, Stock
from tests.plugins.portal.conftest import Shop


class Desk:
    """Where files are written and brought in."""

    def __init__(self, app: CRM, shop: Shop, folder: Path):
        self.app, self.shop, self.folder = app, shop, folder

    def bring(self, kind: str, text: str, mapping: str = "", **more: Any) -> Report:
        """Bring in a CSV text, with a mapping if one is given."""
        path = self.folder / f"{kind}.csv"
        path.write_text(dedent(text).lstrip(), "utf-8")
        how = None
        if mapping:
            toml = self.folder / f"{kind}.toml"
            toml.write_text(dedent(mapping), "utf-8")
            how = read_mapping(toml)
        return run_import(self.app, kind, path, how, actor_id=self.shop.boss.id, **more)


@pytest.fixture
def desk(app: CRM, shop: Shop, tmp_path: Path) -> Desk:
    """Give a desk at which the administrator brings files in."""
    return Desk(app, shop, tmp_path)


PRODUCTS = """
    sku,name,category,unit,price,on_hand,discontinued,supplier
    KV-1,Elbow,Bends,box of 12,7.70,40,0,Putkitukku Oy
    KV-2,Pipe,Pipes,3 m,12.5,0,1,
"""

ORDERS = """
    no,customer,day,sent,freight
    10248,Kallion Vesijohto Oy,1996-07-04 00:00:00.000,1996-07-16 00:00:00.000,32.38
    10249,Tapio Rakennus Oy,1998-05-06 00:00:00.000,NULL,1.5
"""

ORDERS_MAP = """
    kind = "orders"
    source = "old"
    key = "no"
    null = ["NULL"]
    [columns]
    number = "no"
    contact = "customer"
    placed_at = { from = "day", time = "%Y-%m-%d %H:%M:%S.%f" }
    shipped_at = { from = "sent", time = "%Y-%m-%d %H:%M:%S.%f" }
    freight = "freight"
"""

LINES = """
    order,product,price,quantity,discount
    10248,KV-1,7.70,15,0.15
    10248,KV-2,12.00,2,0
    10249,KV-1,7.70,1,0
    99999,KV-1,7.70,1,0
    10249,KV-9,7.70,1,0
"""

LINES_MAP = """
    kind = "order-lines"
    source = "old"
    [columns]
    order_key = "order"
    sku = "product"
    unit_price = "price"
    quantity = "quantity"
    discount = "discount"
"""


def test_products_come_in_with_stock_and_supplier(desk: Desk):
    report = desk.bring("products", PRODUCTS)
    assert (report.created, report.refused) == (2, 0)
    with db.read_only() as session:
        first, second = session.scalars(sa.select(Product).order_by(Product.id)).all()
        assert (first.sku, first.price, first.stock.on_hand) == (
            "KV-1",
            Decimal("7.70"),
            40,
        )
        assert first.supplier_id == desk.shop.putki.id
        assert (first.category, first.unit) == ("Bends", "box of 12")
        assert second.discontinued
        assert second.supplier_id is None


def test_bringing_products_in_again_changes_them_but_never_their_stock(desk: Desk):
    desk.bring("products", PRODUCTS)
    changed = PRODUCTS.replace("7.70,40", "8.80,99")
    report = desk.bring("products", changed)
    assert (report.created, report.updated, report.same) == (0, 1, 1)
    with db.read_only() as session:
        product = session.scalars(sa.select(Product).order_by(Product.id)).first()
        assert product is not None
        assert (product.price, product.stock.on_hand) == (Decimal("8.80"), 40)
    counted = desk.bring("stock", "sku,on_hand\nkv-1,99\nKV-9,1\n")
    assert counted.refused == 1
    with db.read_only() as session:
        assert session.scalars(
            sa.select(Stock.on_hand).order_by(Stock.product_id)
        ).all() == [99, 0]


def test_orders_of_another_system_come_in_exact_and_touch_no_stock(desk: Desk):
    desk.bring("products", PRODUCTS)
    assert desk.bring("orders", ORDERS, ORDERS_MAP).created == 2
    report = desk.bring("order-lines", LINES, LINES_MAP)
    assert (report.created, report.refused) == (3, 2)
    assert [one.line for one in report.refusals] == [5, 6]
    with db.read_only() as session:
        first, second = session.scalars(sa.select(Order).order_by(Order.id)).all()
        assert first.total == Decimal("98.175") + 24
        assert (first.state, second.state) == ("shipped", "placed")
        assert first.number.startswith("SO-")
        assert first.external_number == "10248"
        assert first.freight == Decimal("32.38")
        assert first.placed_at.isoformat() == "1996-07-04T00:00:00+00:00"
        assert [one.shipped for one in first.lines] == [15, 2]
        assert [
            (one.on_hand, one.reserved)
            for one in session.scalars(sa.select(Stock).order_by(Stock.product_id))
        ] == [
            (40, 0),
            (0, 0),
        ]
        net = sa.func.sum(OrderLine.total)
        assert session.scalar(sa.select(net)) == first.total + second.total


def test_bringing_orders_in_again_makes_nothing_twice(desk: Desk):
    desk.bring("products", PRODUCTS)
    for _ in range(2):
        desk.bring("orders", ORDERS, ORDERS_MAP)
        report = desk.bring("order-lines", LINES, LINES_MAP)
    assert (report.created, report.refused) == (0, 2)
    with db.read_only() as session:
        orders = session.scalars(sa.select(Order).order_by(Order.id)).all()
        assert [len(one.lines) for one in orders] == [2, 1]
        assert [one.total for one in orders] == [Decimal("122.175"), Decimal("7.70")]


def test_a_file_with_one_row_a_line_makes_whole_orders(desk: Desk):
    desk.bring("products", PRODUCTS)
    report = desk.bring(
        "orders",
        """
        number,contact,sku,quantity,unit_price,state
        A-1,Kallion Vesijohto Oy,KV-1,2,5,delivered
        A-1,,KV-2,1,3.5,
        A-2,Nobody Oy,KV-1,1,5,
        A-3,Kallion Vesijohto Oy,KV-1,1,5,gone
        A-4,Kallion Vesijohto Oy,KV-1,,5,
        """,
    )
    assert (report.created, report.updated, report.refused) == (1, 1, 3)
    with db.read_only() as session:
        (order,) = session.scalars(sa.select(Order)).all()
        assert (order.total, len(order.lines)) == (Decimal("13.5"), 2)
        assert order.contact_id == desk.shop.kallio.id


def test_a_trial_run_leaves_nothing(desk: Desk):
    report = desk.bring("products", PRODUCTS, dry_run=True)
    assert report.created == 2
    with db.read_only() as session:
        assert session.scalars(sa.select(Product)).all() == []


def test_an_import_of_products_is_taken_back_unless_they_were_ordered(
    app: CRM, desk: Desk
):
    report = desk.bring("products", PRODUCTS)
    assert report.run_id is not None
    undone = undo_import(app, report.run_id, actor_id=desk.shop.boss.id)
    assert (undone.deleted, undone.left) == (2, 0)
    with db.read_only() as session:
        assert session.scalars(sa.select(Stock).order_by(Stock.product_id)).all() == []


def test_an_import_of_orders_is_taken_back_with_its_lines(app: CRM, desk: Desk):
    desk.bring("products", PRODUCTS)
    orders = desk.bring("orders", ORDERS, ORDERS_MAP)
    lines = desk.bring("order-lines", LINES, LINES_MAP)
    for run in (lines.run_id, orders.run_id):
        assert run is not None
        undo_import(app, run, actor_id=desk.shop.boss.id)
    with db.read_only() as session:
        assert session.scalars(sa.select(Order)).all() == []
        assert session.scalars(sa.select(OrderLine)).all() == []


def test_what_is_on_order_comes_in_as_purchase_orders(desk: Desk):
    desk.bring("products", PRODUCTS)
    text = """
        no,vendor,sku,quantity,price
        1,Putkitukku Oy,KV-1,30,2.10
        2,Kallion Vesijohto Oy,KV-1,30,2.10
    """
    how = """
        kind = "purchase-orders"
        source = "old"
        key = "no"
        [columns]
        vendor = "vendor"
        sku = "sku"
        quantity = "quantity"
        price = "price"
    """
    assert desk.bring("purchase-orders", text, how).refused == 1
    again = desk.bring("purchase-orders", text, how)
    assert (again.created, again.same) == (0, 1)
    with db.read_only() as session:
        (order,) = session.scalars(sa.select(PurchaseOrder)).all()
        assert (order.state, order.contact_id) == ("sent", desk.shop.putki.id)
        assert order.total == Decimal("63.00")


def test_only_who_may_change_products_brings_them_in(app: CRM, desk: Desk):
    desk.shop.boss = desk.shop.rep
    with pytest.raises(Forbidden):
        desk.bring("products", PRODUCTS)
