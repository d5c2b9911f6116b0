"""The API of products, orders and purchase orders."""

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient

from core.app import CRM
from core.db import db
from plugins.portal.models import Stock
from plugins.portal.services.prices import agree_price, save_agreement
from plugins.portal.services.stock import today
from tests.plugins.portal.conftest import Shop

Api = Callable[..., Any]

PRODUCTS, ORDERS, PURCHASES = (
    "/api/v1/products",
    "/api/v1/orders",
    "/api/v1/purchase-orders",
)


def order(client: Any, *lines: tuple[str, int], **more: Any) -> Any:
    """Post an order of (sku, quantity) lines."""
    headers = more.pop("headers", None)
    sent = {"lines": [{"sku": sku, "quantity": q} for sku, q in lines], **more}
    return client.post(ORDERS, json=sent, headers=headers)


def test_products_have_the_fields_others_rely_on(shop: Shop, api: Api):
    shop.product("KV-1", on_hand=7, price="4.20", supplier=shop.putki.id)
    (seen,) = api(shop.rep).get(PRODUCTS).json["items"]
    assert seen["sku"] == "KV-1"
    assert seen["name"] == "Part KV-1"
    assert seen["price"] == {"amount": "4.20", "currency": "EUR"}
    assert seen["stock"] == {"on_hand": 7, "reserved": 0, "available": 7}
    assert seen["supplier"] == shop.putki.id
    told = api(shop.outi).get(f"{PRODUCTS}/KV-1").json
    assert told["stock"] == {"shown": "few left", "available_on": None}
    assert {"supplier", "list_price", "lead_time_days"} & told.keys() == set()


def test_a_customer_gets_figures_only_where_the_agreement_is_exact(
    shop: Shop, api: Api
):
    product = shop.product("KV-1", on_hand=7, price="10")
    with db.transaction():
        save_agreement(shop.tapio, shows_exact_stock=True)
        agree_price(shop.tapio, product, price=Decimal("7.5"))
    told = api(shop.timo).get(f"{PRODUCTS}/kv-1").json
    assert told["stock"] == {"shown": "7", "available_on": None}
    assert told["price"]["amount"] == "7.50"
    on_behalf = api(shop.rep).get(f"{PRODUCTS}?contact={shop.tapio.id}").json
    assert on_behalf["items"][0]["stock"] == {
        "on_hand": 7,
        "reserved": 0,
        "available": 7,
        "shown": "7",
        "available_on": None,
    }


def test_products_are_added_and_changed_with_their_version(shop: Shop, api: Api):
    client = api(shop.boss)
    made = client.post(
        PRODUCTS,
        json={
            "sku": "A/B-1",
            "name": "Elbow",
            "price": {"amount": "4.20", "currency": "EUR"},
            "stock": {"on_hand": 3},
        },
    )
    assert made.status_code == 201
    where, tag = made.headers["Location"], made.headers["ETag"]
    assert client.get(where).json["stock"]["on_hand"] == 3
    assert client.patch(where, json={"name": "Bend"}).status_code == 428
    stale = client.patch(where, json={"name": "Bend"}, headers={"If-Match": '"99"'})
    assert stale.status_code == 412
    changed = client.patch(where, json={"name": "Bend"}, headers={"If-Match": tag})
    assert (changed.status_code, changed.json["name"]) == (200, "Bend")
    assert changed.headers["ETag"] != tag
    assert client.post(PRODUCTS, json={"sku": "X"}).status_code == 422
    twice = client.post(PRODUCTS, json={"sku": "a/b-1", "name": "Again"})
    assert (twice.status_code, list(twice.json["errors"])) == (422, ["sku"])


@pytest.mark.parametrize("sku", ["/../x", "a//b", "x/.", "../x", "KV/"])
def test_a_sku_that_its_own_address_would_not_reach_is_refused(
    sku: str, shop: Shop, api: Api
):
    client = api(shop.boss)
    answer = client.post(PRODUCTS, json={"sku": sku, "name": "Elbow"})
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["sku"])
    made = client.post(PRODUCTS, json={"sku": "KV/100.x", "name": "Elbow"})
    assert client.get(made.headers["Location"]).json["sku"] == "KV/100.x"


def test_the_etag_of_a_product_never_moves_with_its_stock(shop: Shop, api: Api):
    shop.product("KV-1", on_hand=10)
    client = api(shop.boss)
    tag = client.get(f"{PRODUCTS}/KV-1").headers["ETag"]
    assert order(api(shop.outi), ("KV-1", 4)).status_code == 201
    counted = client.patch(
        f"{PRODUCTS}/KV-1", json={"stock": {"on_hand": 20}}, headers={"If-Match": tag}
    )
    assert counted.headers["ETag"] == tag
    assert counted.json["stock"] == {"on_hand": 20, "reserved": 4, "available": 16}
    again = client.get(f"{PRODUCTS}/KV-1", headers={"If-None-Match": tag})
    assert (again.status_code, again.headers["ETag"]) == (200, tag)


def test_an_order_answers_with_number_state_lines_and_exact_total(shop: Shop, api: Api):
    shop.product("KV-1", on_hand=50, price="7.70")
    with db.transaction():
        save_agreement(shop.kallio, discount=Decimal("0.15"))
    client = api(shop.outi)
    made = order(client, ("KV-1", 15), reference="Site 12")
    assert made.status_code == 201
    said = made.json
    assert said["number"] == "SO-1001"
    assert (said["state"], said["reference"]) == ("placed", "Site 12")
    assert said["contact"] == shop.kallio.id
    assert said["total"] == {"amount": "98.175", "currency": "EUR"}
    (line,) = said["lines"]
    assert (line["sku"], line["quantity"], line["discount"]) == ("KV-1", 15, "0.15")
    assert said["promised_on"] == line["promised_on"] > today().isoformat()
    assert client.get(made.headers["Location"]).json == said
    assert client.get(f"{ORDERS}/SO-1001").json == said
    listed = client.get(ORDERS).json
    assert listed == {"items": [said], "next": None}


def test_wrong_lines_are_named_by_field(shop: Shop, api: Api):
    shop.product("KV-100", on_hand=5)
    client = api(shop.outi)
    answer = order(client, ("KV-100", 1), ("KV-10X", 1), ("KV-100", 9))
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    errors = answer.json["errors"]
    assert sorted(errors) == ["lines.1.sku", "lines.2.quantity"]
    assert "KV-100" in errors["lines.1.sku"][0]
    wrong: dict[str, Any]
    for wrong in (
        {"lines": []},
        {"lines": [{"sku": "KV-100", "quantity": 0}]},
        {"lines": [{"sku": "KV-100", "quantity": "many"}]},
        {"lines": [{"sku": "KV-100", "quantity": 10**12}]},
        {"lines": [{"sku": "KV-100", "quantity": True}]},
        {"lines": [{"sku": "KV-100", "quantity": 1}], "state": "shipped"},
        {"reference": "nothing"},
        {"lines": [{"sku": "KV\x00", "quantity": 1}]},
        {"lines": [{"sku": "KV-100", "quantity": 1}], "reference": "\x00"},
    ):
        assert client.post(ORDERS, json=wrong).status_code == 422, wrong


def test_the_same_post_twice_is_one_order(shop: Shop, api: Api):
    shop.product("KV-1", on_hand=10)
    client = api(shop.outi)
    key = {"Idempotency-Key": "night-1"}
    first = order(client, ("KV-1", 4), headers=key)
    second = order(client, ("KV-1", 4), headers=key)
    assert first.status_code == second.status_code == 201
    assert first.json == second.json
    assert order(client, ("KV-1", 5), headers=key).status_code == 422
    assert len(client.get(ORDERS).json["items"]) == 1
    assert api(shop.rep).get(f"{PRODUCTS}/KV-1").json["stock"]["reserved"] == 4


def test_of_two_orders_for_the_last_unit_one_is_refused(app: CRM, shop: Shop, api: Api):
    product = shop.product("KV-1", on_hand=1)
    clients = [api(shop.outi), api(shop.timo)]
    barrier = threading.Barrier(2)
    answers: list[int] = []

    def buy(client: Any) -> None:
        barrier.wait()
        answers.append(order(client, ("KV-1", 1)).status_code)

    threads = [threading.Thread(target=buy, args=(one,)) for one in clients]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(answers) == [201, 422]
    with db.read_only() as session:
        assert session.get_one(Stock, product.id).reserved == 1


def test_another_customers_order_is_not_found_by_any_name(shop: Shop, api: Api):
    shop.product("KV-1", on_hand=10)
    theirs = order(api(shop.timo), ("KV-1", 1)).json
    client = api(shop.outi)
    for key in (theirs["id"], theirs["number"], 999_999, "SO-1", 2**40, "%00"):
        assert client.get(f"{ORDERS}/{key}").status_code == 404, key
    assert client.get(ORDERS).json["items"] == []
    other = client.get(f"{ORDERS}?contact={shop.tapio.id}")
    assert other.status_code == 404
    for_them = order(client, ("KV-1", 1), contact=shop.tapio.id)
    assert for_them.status_code == 422
    assert for_them.json["errors"]
    mine = order(client, ("KV-1", 1), contact=shop.kallio.id)
    assert mine.status_code == 201
    changed = client.patch(
        f"{ORDERS}/{mine.json['id']}",
        json={"state": "shipped"},
        headers={"If-Match": '"1"'},
    )
    assert changed.status_code == 404


def test_a_colleague_places_and_moves_an_order_of_a_customer(shop: Shop, api: Api):
    shop.product("KV-1", on_hand=10)
    client = api(shop.rep)
    assert list(order(client, ("KV-1", 1)).json["errors"]) == ["contact"]
    made = order(client, ("KV-1", 1), contact=shop.kallio.id)
    where, tag = made.headers["Location"], made.headers["ETag"]
    assert client.patch(where, json={"state": "confirmed"}).status_code == 428
    moved = client.patch(where, json={"state": "confirmed"}, headers={"If-Match": tag})
    assert moved.json["state"] == "confirmed"
    stale = client.patch(where, json={"state": "picked"}, headers={"If-Match": tag})
    assert stale.status_code == 412
    back = client.patch(where, json={"state": "placed"}, headers={"If-Match": '"2"'})
    assert back.status_code == 422


def test_what_a_role_or_token_does_not_allow_is_refused(shop: Shop, api: Api):
    shop.product("KV-1", on_hand=10)
    reading = api(shop.outi, "portal:orders", "portal:products")
    assert order(reading, ("KV-1", 1)).status_code == 403
    assert api(shop.outi, "portal:products").get(ORDERS).status_code == 403
    assert api(shop.rep).post(PRODUCTS, json={}).status_code == 403
    assert api(shop.outi).post(PRODUCTS, json={}).status_code == 404
    assert api(shop.pena).get(PRODUCTS).status_code == 403
    assert api(shop.pena).get(ORDERS).status_code == 403
    assert api(shop.outi).get(PURCHASES).status_code == 403


def test_nobody_who_is_not_signed_in_reads_anything(client: FlaskClient):
    for address in (PRODUCTS, ORDERS, PURCHASES):
        answer = client.get(address)
        assert (answer.status_code, answer.content_type) == (
            401,
            "application/problem+json",
        )


def test_lists_are_read_page_by_page(shop: Shop, api: Api):
    for number in range(5):
        shop.product(f"KV-{number}", on_hand=100)
    client = api(shop.outi)
    for number in range(5):
        assert order(client, (f"KV-{number}", 1)).status_code == 201
    for address in (PRODUCTS, ORDERS):
        seen, url = [], f"{address}?limit=2"
        while url:
            page = client.get(url)
            seen += [one["id"] for one in page.json["items"]]
            link = page.headers.get("Link", "")
            url = link.partition(">")[0].lstrip("<") if link else ""
            assert bool(url) == (page.json["next"] is not None)
        assert len(seen) == len(set(seen)) == 5
    assert client.get(f"{ORDERS}?limit=201").status_code == 422
    assert client.get(f"{ORDERS}?cursor=nonsense").status_code == 400
    for wrong in ("q=%00", "category=%00", "limit=0"):
        assert client.get(f"{PRODUCTS}?{wrong}").status_code == 422, wrong
    assert client.get(f"{PRODUCTS}/%00").status_code == 404


def test_what_is_too_dear_to_be_true_is_refused_and_not_a_crash(shop: Shop, api: Api):
    shop.product("KV-1", price="9999999999", on_hand=1_000_000)
    answer = order(api(shop.outi), ("KV-1", 1_000_000))
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["lines"])
    line = {"sku": "KV-1", "quantity": 1_000_000, "price": {"amount": "9999999999"}}
    sent = {"vendor": shop.putki.id, "lines": [line]}
    answer = api(shop.boss).post(PURCHASES, json=sent)
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["lines"])


def purchase(client: Any, shop: Shop, vendor: int, **more: Any) -> Any:
    """Post a purchase order of 20 KV-1 wanted in ten days, and send it."""
    line = {
        "sku": "KV-1",
        "quantity": 20,
        "wanted_on": (today() + timedelta(days=10)).isoformat(),
        "price": {"amount": "2.10", "currency": "EUR"},
    }
    sent = {"vendor": vendor, "lines": [line], "send": True, **more}
    return client.post(PURCHASES, json=sent)


def test_journey_five_by_api(shop: Shop, api: Api):
    shop.product("KV-1", on_hand=0)
    buyer, vendor, customer = api(shop.boss), api(shop.pena), api(shop.outi)
    made = purchase(buyer, shop, shop.putki.id)
    assert made.status_code == 201
    assert made.json["total"] == {"amount": "42.00", "currency": "EUR"}
    asked = order(customer, ("KV-1", 5))
    assert asked.status_code == 422
    assert "agree to wait" in asked.json["errors"]["lines.0.quantity"][0]
    waiting = order(customer, ("KV-1", 5), back_orders=True).json
    (seen,) = vendor.get(PURCHASES).json["items"]
    assert seen["id"] == made.json["id"]
    where = f"{PURCHASES}/{seen['id']}"

    def change(client: Any, **sent: Any) -> Any:
        tag = client.get(where).headers["ETag"]
        return client.patch(where, json=sent, headers={"If-Match": tag})

    assert change(vendor, state="confirmed").json["state"] == "confirmed"
    later = (today() + timedelta(days=24)).isoformat()
    moved = {"id": seen["lines"][0]["id"], "promised_on": later}
    assert list(change(vendor, lines=[moved]).json["errors"]) == ["reason"]
    proposed = change(vendor, lines=[moved | {"reason": "Strike"}]).json
    assert proposed["lines"][0]["proposed_on"] == later
    assert proposed["lines"][0]["promised_on"] != later
    # The vendor cannot say yes in our buyer's stead.
    yes = {"id": moved["id"], "accept": True}
    assert change(vendor, lines=[yes]).status_code == 403
    assert change(vendor, state="received").status_code == 403
    accepted = change(buyer, lines=[yes]).json
    assert accepted["lines"][0]["promised_on"] == later
    shown = customer.get(f"{ORDERS}/{waiting['id']}")
    assert shown.json["promised_on"] == later
    assert shown.json["lines"][0]["promised_on"] == later
    for secret in ("Putki", "Strike", "PO-", str(shop.putki.name)):
        assert secret not in shown.text


def test_a_vendor_sees_only_their_own_orders_and_no_customer_anywhere(
    shop: Shop, api: Api
):
    shop.product("KV-1", on_hand=0)
    buyer, vendor = api(shop.boss), api(shop.pena)
    mine = purchase(buyer, shop, shop.putki.id).json
    theirs = purchase(buyer, shop, shop.hana.id).json
    draft = purchase(buyer, shop, shop.putki.id, send=False).json
    waiting = order(
        api(shop.outi), ("KV-1", 5), reference="Secret site", back_orders=True
    )
    assert waiting.status_code == 201
    listed = vendor.get(PURCHASES)
    assert [one["id"] for one in listed.json["items"]] == [mine["id"]]
    for hidden in (theirs, draft):
        for key in (hidden["id"], hidden["number"]):
            assert vendor.get(f"{PURCHASES}/{key}").status_code == 404
    everything = listed.text + vendor.get(f"{PURCHASES}/{mine['number']}").text
    for secret in ("Kallio", "Outi", "Secret", "SO-", "contact", "customer", "buyer"):
        assert secret not in everything
    assert vendor.get(f"{PURCHASES}?vendor={shop.hana.id}").status_code == 404
    lines = [{"id": theirs["lines"][0]["id"], "promised_on": "2099-01-01"}]
    stolen = vendor.patch(
        f"{PURCHASES}/{mine['id']}", json={"lines": lines}, headers={"If-Match": '"2"'}
    )
    assert stolen.status_code in {404, 412, 422}
    tag = vendor.get(f"{PURCHASES}/{mine['id']}").headers["ETag"]
    stolen = vendor.patch(
        f"{PURCHASES}/{mine['id']}", json={"lines": lines}, headers={"If-Match": tag}
    )
    assert stolen.status_code in {404, 422}


def test_received_goods_are_in_stock(shop: Shop, api: Api):
    shop.product("KV-1", on_hand=1)
    buyer = api(shop.boss)
    made = purchase(buyer, shop, shop.putki.id, send=False)
    where = made.headers["Location"]
    for state in ("sent", "received"):
        tag = buyer.get(where).headers["ETag"]
        answer = buyer.patch(where, json={"state": state}, headers={"If-Match": tag})
        assert answer.json["state"] == state
    assert buyer.get(f"{PRODUCTS}/KV-1").json["stock"]["on_hand"] == 21


def test_agreements_are_read_and_changed(shop: Shop, api: Api):
    shop.product("KV-1", price="10", on_hand=4)
    client, where = api(shop.boss), f"/api/v1/agreements/{shop.kallio.id}"
    nothing = client.get(where)
    assert nothing.json["version"] == 0
    agreed = client.patch(
        where,
        json={
            "discount": "0.1",
            "shows_exact_stock": True,
            "prices": [{"sku": "KV-1", "price": {"amount": "8", "currency": "EUR"}}],
        },
        headers={"If-Match": nothing.headers["ETag"]},
    )
    assert agreed.status_code == 200
    assert agreed.json["discount"] == "0.1"
    (price,) = agreed.json["prices"]
    assert (price["sku"], price["price"]["amount"]) == ("KV-1", "8.00")
    told = api(shop.outi).get(f"{PRODUCTS}/KV-1").json
    assert (told["price"]["amount"], told["stock"]["shown"]) == ("8.00", "4")
    sales = api(shop.rep)
    trusted = sales.patch(
        f"/api/v1/agreements/{shop.putki.id}",
        json={"trusted": True},
        headers={"If-Match": '"0"'},
    )
    assert trusted.status_code == 403
    assert api(shop.outi).get(where).status_code == 404


@pytest.mark.parametrize("address", [PRODUCTS, ORDERS, PURCHASES])
def test_the_api_is_described(app: CRM, address: str):
    described = app.extensions["rapport_api"].spec.to_dict()
    paths = json.dumps(sorted(described["paths"]))
    assert address in paths
