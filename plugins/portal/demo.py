"""The trade of the demo company: catalogue, agreements, orders and purchase orders."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from core.db import db
from core.demo import Demo
from plugins.portal.demo_trade import past_orders, past_purchases
from plugins.portal.models import Order, Product, PurchaseOrder
from plugins.portal.services.history import keep_line, keep_order
from plugins.portal.services.orders import advance_order, place_order
from plugins.portal.services.prices import agree_price, prices_for, save_agreement
from plugins.portal.services.products import change_product, create_product
from plugins.portal.services.purchasing import (
    create_purchase_order,
    receive_goods,
    send_purchase_order,
)
from plugins.portal.services.vendor_dates import confirm_lines, propose_date

_DATA = Path(__file__).parent / "data"
_ROW = ("sku", "name", "unit", "box", "price", "stock", "supplier", "lead")
_BUYER = "paivi"
_SELLER = "anna"


def load(demo: Demo) -> None:
    """Make what the data files name, by the services that colleagues use."""
    said = tomllib.loads((_DATA / "demo.toml").read_text("utf-8"))
    more = tomllib.loads((_DATA / "catalogue.toml").read_text("utf-8"))
    products = [*said["products"], *_rows(more["rows"])]
    with demo.acting(_BUYER):
        goods = {one["sku"]: _make_product(one, demo) for one in products}
        for one in _by_day(past_purchases(more["bought"], products, demo.today)):
            _purchase(one, demo)
        # The shelf as it is today, not with all that has come in two years.
        for one in products:
            change_product(goods[one["sku"]], {"on_hand": one["stock"]}, actor=None)
    with demo.acting(_SELLER):
        for one in [*said["agreements"], *more["agreements"]]:
            _agree(one, goods, demo)
        orders = past_orders(more["buyers"], products, demo.today)
        for one in _by_day([*said["history"], *orders]):
            _keep(one, goods, demo)
    with demo.acting(_BUYER):
        for one in _by_day([*said["purchases"], *more["purchases"]]):
            _purchase(one, demo)
    for one in said["orders"]:
        _order(one, demo)


def _by_day(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put what has a day in order, so that its numbers go up."""
    return sorted(rows, key=lambda one: one["day"] if "day" in one else one["sent"])


def _rows(categories: Mapping[str, list[list[Any]]]) -> Iterator[dict[str, Any]]:
    """Read the products that are written as rows."""
    for category, rows in categories.items():
        for row in rows:
            yield {"category": category, **dict(zip(_ROW, row, strict=True))}


def _make_product(said: Mapping[str, Any], demo: Demo) -> Product:
    values = {name: said[name] for name in ("sku", "name", "category", "unit")}
    values |= {
        "price": Decimal(said["price"]),
        "on_hand": said["stock"],
        "box_size": said.get("box", 1),
        "discontinued": said.get("discontinued", False),
    }
    if "supplier" in said:
        values["supplier"] = demo.contacts[said["supplier"]].id
        values["lead_time_days"] = said["lead"]
    return create_product(values, actor=None)


def _agree(said: Mapping[str, Any], goods: Mapping[str, Product], demo: Demo) -> None:
    contact = demo.contacts[said["contact"]]
    save_agreement(
        contact,
        discount=Decimal(said.get("discount", "0")),
        shows_exact_stock=said.get("exact", False),
        trusted=said.get("trusted", False),
    )
    for one in said.get("prices", []):
        agree_price(
            contact,
            goods[one["sku"]],
            price=Decimal(one["price"]) if "price" in one else None,
            discount=Decimal(one.get("discount", "0")),
        )


def _keep(said: Mapping[str, Any], goods: Mapping[str, Product], demo: Demo) -> None:
    """Keep an order of long ago, at the prices of today."""
    customer = demo.contacts[said["contact"]]
    placed_at = demo.day(said["day"], said.get("at", "10:00"))
    state = said.get("state", "delivered")
    values = {
        "placed_at": placed_at,
        "state": state,
        "reference": said.get("reference", ""),
    }
    if state != "cancelled":
        values["shipped_at"] = placed_at + timedelta(days=2)
    order = keep_order(
        None,
        customer=customer,
        placed_by=demo.users[_SELLER],
        number=said.get("number"),
        values=values,
    )
    if state == "delivered":
        order.delivered_at = placed_at + timedelta(days=3)
    prices = prices_for(customer.id, [goods[sku] for sku in said["lines"]])
    for sku, quantity in said["lines"].items():
        price = prices[goods[sku].id]
        keep_line(
            order,
            goods[sku],
            quantity=quantity,
            unit_price=price.unit_price,
            discount=price.discount,
        )


def _purchase(said: Mapping[str, Any], demo: Demo) -> None:
    order = create_purchase_order(
        demo.users[_BUYER],
        vendor=demo.contacts[said["vendor"]],
        reference=said["reference"],
        lines=[
            {
                "sku": line["sku"],
                "quantity": line["quantity"],
                "price": Decimal(line["price"]),
                "wanted_on": demo.today + timedelta(days=line["wanted"]),
            }
            for line in said["lines"]
        ],
    )
    if said["state"] == "draft":
        return
    send_purchase_order(order)
    order.sent_at = demo.day(said["sent"], "11:00")
    if said["state"] in ("confirmed", "received"):
        _confirm(order, said, demo)
    if said["state"] == "received":
        receive_goods(order)
        order.received_at = demo.day(max(line["wanted"] for line in said["lines"]))
    db.session.flush()


def _confirm(order: PurchaseOrder, said: Mapping[str, Any], demo: Demo) -> None:
    """Have the vendor confirm, and move the days that the data file moves."""
    confirm_lines(order)
    order.confirmed_at = demo.day(said["sent"] + 1, "14:00")
    for line, wanted in zip(order.lines, said["lines"], strict=True):
        if "moved" in wanted:
            on = demo.today + timedelta(days=wanted["moved"])
            propose_date(order, line, on, reason=wanted["reason"])


def _order(said: Mapping[str, Any], demo: Demo) -> None:
    user = demo.users[said["by"]]
    with demo.acting(said["by"]):
        order = place_order(
            user,
            contact=demo.contacts[said["for"]] if "for" in said else None,
            reference=said["reference"],
            lines=[
                {"sku": sku, "quantity": quantity}
                for sku, quantity in said["lines"].items()
            ],
            back_orders=True,
        )
        order.placed_at = demo.day(said["day"], said["at"])
        db.session.flush()
    if "state" in said:
        with demo.acting(_SELLER):
            _advance(order, said["state"], order.placed_at)


def _advance(order: Order, state: str, placed_at: datetime) -> None:
    advance_order(order, state)
    if order.shipped_at is not None:
        order.shipped_at = placed_at + timedelta(days=1)
        db.session.flush()
