"""Who is told of orders: the customer's owner, who ordered, and the vendor's people."""

import pytest

from core.contacts.models import Contact
from core.db import db
from core.events import acting
from core.users.models import User
from plugins.portal.models import Order
from plugins.portal.services.orders import advance_order, place_order


@pytest.fixture
def placed(shop):
    """An order that Outi placed with Anna's customer."""
    shop.product("KV-100", on_hand=100)
    with db.transaction() as session:
        session.get_one(Contact, shop.kallio.id).owner_id = shop.rep.id
    with db.transaction() as session, acting(shop.outi.id):
        outi = session.get_one(User, shop.outi.id)
        lines = [{"sku": "KV-100", "quantity": 2}]
        return place_order(outi, lines=lines).id


def texts(client):
    found = client.get("/api/v1/notifications").json["items"]
    return [one["text"] for one in found]


def test_an_order_is_told_to_the_owner_and_its_way_to_the_customer(
    shop, placed, api, as_user, deliver
):
    with db.transaction() as session, acting(shop.boss.id):
        order = session.get_one(Order, placed)
        number = order.number
        advance_order(order, "confirmed")
    deliver()
    assert texts(api(shop.rep)) == [f"Kallion Vesijohto Oy ordered {number}."]
    assert texts(api(shop.outi)) == [f"Your order {number}: Confirmed."]
    for other in (shop.timo, shop.pena, shop.boss):
        assert texts(api(other)) == []
    page = as_user(shop.outi).get("/notifications").text
    line = page.split('href="/notifications/')[1].split('"')[0]
    went = as_user(shop.outi).get(f"/notifications/{line}").location
    assert as_user(shop.outi).get(went).status_code == 200
