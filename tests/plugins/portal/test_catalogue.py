"""The catalogue as colleagues and customers see it."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.db import db
from core.errors import Invalid, NotFound
from plugins.portal.models import Product
from plugins.portal.services.catalogue import catalogue, categories, get_product, offer
from plugins.portal.services.prices import (
    agree_price,
    price_for,
    save_agreement,
    total_of,
)
from plugins.portal.services.products import change_product, create_product
from plugins.portal.services.quick_order import check_lines, parse_lines
from plugins.portal.services.stock import (
    Figures,
    Shown,
    count_stock,
    stock_shown,
    today,
)
from tests.plugins.portal.conftest import Shop


def skus(page: Any) -> list[str]:
    return [one.product.sku for one in page.items]


def test_a_colleague_sees_true_figures_and_a_customer_a_band(shop: Shop):
    shop.product("KV-1", on_hand=120)
    shop.product("KV-2", on_hand=3)
    shop.product("KV-3", on_hand=0)
    with db.read_only():
        seen = [
            stock_shown(shop.rep, get_product(shop.rep, f"KV-{n}")) for n in (1, 2, 3)
        ]
        assert seen == [Figures(120, 0), Figures(3, 0), Figures(0, 0)]
        told = [
            stock_shown(shop.outi, get_product(shop.outi, f"KV-{n}")) for n in (1, 2, 3)
        ]
        assert told == [
            Shown("in stock", None, None),
            Shown("few left", None, None),
            Shown("out of stock", None, None),
        ]


def test_a_colleague_sees_beside_the_true_number_what_a_customer_is_shown(shop: Shop):
    shop.product("KV-1", on_hand=7)
    with db.transaction():
        save_agreement(shop.tapio, shows_exact_stock=True)
    with db.read_only():
        for_kallio = offer(shop.rep, "KV-1", contact=shop.kallio)
        for_tapio = offer(shop.rep, "KV-1", contact=shop.tapio)
        assert for_kallio.figures == for_tapio.figures == Figures(7, 0)
        assert for_kallio.shown is not None
        assert for_tapio.shown is not None
        assert (for_kallio.shown.shown, for_tapio.shown.shown) == ("few left", "7")
        assert offer(shop.timo, "KV-1").shown == Shown("few left", 7, None)
        assert offer(shop.timo, "KV-1").figures is None


def test_what_is_sold_out_says_when_more_comes_if_that_is_known(shop: Shop):
    shop.product("KV-1", on_hand=0, lead_time_days=5)
    shop.product("KV-2", on_hand=0)
    with db.read_only():
        with_lead_time = offer(shop.outi, "KV-1").shown
        without = offer(shop.outi, "KV-2").shown
        assert with_lead_time is not None
        assert with_lead_time.available_on == today() + timedelta(days=5)
        assert without is not None
        assert without.available_on is None


def test_an_agreed_price_goes_before_a_discount_and_that_before_the_list(shop: Shop):
    product = shop.product("KV-1", price="10.00")
    other = shop.product("KV-2", price="3.33")
    with db.transaction():
        save_agreement(shop.kallio, discount=Decimal("0.1"))
        agree_price(shop.kallio, product, price=Decimal("7.50"))
        agree_price(shop.tapio, product, discount=Decimal("0.25"))
    with db.read_only():
        assert price_for(shop.kallio, product).net == Decimal("7.50")
        assert price_for(shop.tapio, product).net == Decimal("7.50")
        assert price_for(shop.kallio, other).net == Decimal("2.997")
        assert price_for(shop.tapio, other).net == Decimal("3.33")
        assert price_for(None, product).net == Decimal("10.00")
        assert price_for(shop.kallio, product).agreed
        assert not price_for(shop.tapio, other).agreed


def test_a_line_total_is_exact_to_four_places():
    net = total_of(15, Decimal("7.70"), Decimal("0.15"))
    assert net == Decimal("98.1750")
    assert total_of(1, Decimal("0.0001"), Decimal("0.5")) == Decimal("0.0001")


@pytest.mark.parametrize("wrong", ["-0.1", "1.5", "0.00001"])
def test_a_discount_that_is_no_fraction_is_refused(shop: Shop, wrong: str):
    with pytest.raises(Invalid), db.transaction():
        save_agreement(shop.kallio, discount=Decimal(wrong))


def test_a_vendor_sees_no_catalogue_and_a_customer_nothing_discontinued(shop: Shop):
    shop.product("KV-1")
    shop.product("KV-2", discontinued=True)
    with db.read_only():
        assert skus(catalogue(shop.outi)) == ["KV-1"]
        assert skus(catalogue(shop.rep)) == ["KV-1", "KV-2"]
        assert skus(catalogue(shop.pena)) == []
        with pytest.raises(NotFound):
            get_product(shop.pena, "KV-1")


def test_the_catalogue_is_searched_whatever_case_or_accents(shop: Shop):
    shop.product("KV-1", name="Kulmäliitin 22 mm", category="Elbows")
    shop.product("PT-7", name="Pipe 100%", category="Pipes")
    with db.read_only():
        assert skus(catalogue(shop.outi, q="KULMA 22")) == ["KV-1"]
        assert skus(catalogue(shop.outi, q="pt-")) == ["PT-7"]
        assert skus(catalogue(shop.outi, q="0%")) == ["PT-7"]
        assert skus(catalogue(shop.outi, q="_")) == []
        assert skus(catalogue(shop.outi, category="Pipes")) == ["PT-7"]
        assert categories(shop.outi) == ["Elbows", "Pipes"]


def test_the_catalogue_is_read_page_by_page_with_the_same_few_statements(
    shop: Shop, count_queries: Callable[[], Any]
):
    for number in range(25):
        shop.product(f"KV-{number}", name=f"Part {number:02}", on_hand=number)
    with db.read_only():
        first = catalogue(shop.outi, limit=10)
        second = catalogue(shop.outi, limit=10, cursor=first.next)
        third = catalogue(shop.outi, limit=10, cursor=second.next)
        seen = skus(first) + skus(second) + skus(third)
        assert seen == [f"KV-{number}" for number in range(25)]
        assert third.next is None
        with count_queries() as few:
            catalogue(shop.outi, limit=2)
        with count_queries() as many:
            catalogue(shop.outi, limit=25)
        assert few.count == many.count <= 8


def test_stock_never_moves_the_version_of_a_product(shop: Shop):
    product = shop.product("KV-1", on_hand=5)
    before = product.version
    with db.transaction():
        count_stock(db.session.get_one(Product, product.id), on_hand=9)
    with db.read_only() as session:
        again = session.get_one(Product, product.id)
        assert (again.version, again.stock.on_hand) == (before, 9)


def test_a_product_is_refused_without_name_with_a_known_sku_or_a_wrong_price(
    shop: Shop,
):
    shop.product("KV-1")
    for values in (
        {"sku": "kv-1", "name": "Again"},
        {"sku": "KV 2", "name": "Two words"},
        {"sku": "KV-3", "name": ""},
        {"sku": "KV-4", "name": "Dear", "price": Decimal("-1")},
        {"sku": "KV-5", "name": "Short", "on_hand": -1},
    ):
        with pytest.raises(Invalid), db.transaction():
            create_product(values, actor=None)
    with db.read_only():
        assert skus(catalogue(shop.rep)) == ["KV-1"]


def test_a_supplier_must_be_a_contact_the_colleague_sees(shop: Shop):
    product = shop.product("KV-1")
    with db.transaction():
        changed = db.session.get_one(Product, product.id)
        change_product(changed, {"supplier": shop.putki.id}, actor=shop.boss)
    with db.read_only() as session:
        changed = session.get_one(Product, product.id)
        assert changed.supplier_id == shop.putki.id
        with pytest.raises(NotFound):
            change_product(changed, {"supplier": 999_999}, actor=shop.boss)


# -- Quick order --------------------------------------------------------------------


def test_pasted_lines_may_be_separated_by_tab_space_semicolon_or_comma():
    text = "KV-1\t24\nKV-2  5\r\n\nKV-3;7\nKV-4, 8 \nKV-5\n  \n"
    found = [(one.sku, one.quantity) for one in parse_lines(text)]
    assert found == [
        ("KV-1", "24"),
        ("KV-2", "5"),
        ("KV-3", "7"),
        ("KV-4", "8"),
        ("KV-5", ""),
    ]


def test_wrong_lines_are_told_which_and_why_with_the_nearest_sku(shop: Shop):
    shop.product("KV-100", name="Elbow 22 mm", on_hand=100, price="4.20")
    shop.product("KV-9", on_hand=50)
    shop.product("KV-OLD", on_hand=50, discontinued=True)
    shop.product("KV-BOX", on_hand=500, box_size=12)
    with db.read_only():
        text = "kv-100 24\nKV-9X 5\nKV-9 many\nKV-9 0\nKV-OLD 1\nKV-BOX 20\n??? 1"
        lines = check_lines(shop.outi, text)
        assert [one.verdict for one in lines] == [
            "ok",
            "unknown",
            "quantity",
            "quantity",
            "discontinued",
            "quantity",
            "unknown",
        ]
        assert lines[0].total == Decimal("100.80")
        assert lines[0].promised_on is not None
        assert lines[0].promised_on > today()
        assert lines[1].suggestion == "KV-9"
        assert "Did you mean KV-9?" in lines[1].problem
        assert "multiple of 12" in lines[5].problem
        assert lines[6].suggestion is None
        assert all(one.problem for one in lines[1:])


def test_what_is_short_says_when_the_rest_comes_and_figures_only_by_agreement(
    shop: Shop,
):
    shop.product("KV-7", on_hand=7, lead_time_days=10)
    shop.product("KV-8", on_hand=7)
    with db.transaction():
        save_agreement(shop.tapio, shows_exact_stock=True)
    text = "KV-7 30\nKV-8 30"
    with db.read_only():
        exact, band = check_lines(shop.timo, text), check_lines(shop.outi, text)
        assert [one.verdict for one in exact] == ["later", "short"]
        assert [one.verdict for one in band] == ["later", "short"]
        assert (exact[0].now, exact[0].later_on) == (7, today() + timedelta(days=10))
        assert band[0].now is None
        assert exact[0].when.startswith("7 now, 23 more on ")
        assert band[0].when.startswith("Some now, the rest on ")
        assert "7" in exact[1].problem.replace("KV-8", "")
        assert "7" not in band[1].problem.replace("KV-8", "")


def test_lines_of_one_product_share_what_is_left(shop: Shop):
    shop.product("KV-1", on_hand=10)
    with db.read_only():
        lines = check_lines(shop.outi, "KV-1 6\nKV-1 6\nKV-1 4")
        assert [one.verdict for one in lines] == ["ok", "short", "ok"]


def test_a_paste_of_many_lines_costs_no_more_statements(
    shop: Shop, count_queries: Callable[[], Any]
):
    for number in range(30):
        shop.product(f"KV-{number}", on_hand=5)
    with db.read_only():
        with count_queries() as few:
            check_lines(shop.outi, "KV-1 1\nnone 1")
        with count_queries() as many:
            check_lines(shop.outi, "\n".join(f"KV-{n} 1\nno{n} 1" for n in range(30)))
        assert many.count <= few.count


def test_a_paste_of_the_wrong_file_is_refused_at_once(shop: Shop):
    with db.read_only():
        with pytest.raises(Invalid) as refused:
            check_lines(shop.outi, "x 1\n" * 501)
        assert "500" in str(refused.value.errors["lines"])
        assert check_lines(shop.outi, "a" + "," * 500_000 + "b") == check_lines(
            shop.outi, "a" + "," * 199
        )


def test_naughty_text_is_only_an_unknown_sku(shop: Shop):
    with db.read_only():
        for text in ("'; DROP TABLE x;-- 1", "%s%s 1", "\x00 1", "🐙 ２４", "１ ²"):
            assert {one.verdict for one in check_lines(shop.outi, text)} <= {"unknown"}


def test_full_width_digits_are_a_quantity(shop: Shop):
    shop.product("KV-1", on_hand=100)
    with db.read_only():
        (line,) = check_lines(shop.outi, "KV-1 ２４")
        assert (line.verdict, line.quantity) == ("ok", 24)


def test_a_promise_counts_working_days(shop: Shop, clock: Any):
    shop.product("KV-1", on_hand=1)
    clock.move_to("2026-03-06T09:00:00+00:00")  # a Friday
    with db.read_only():
        (line,) = check_lines(shop.outi, "KV-1 1")
        assert line.promised_on == date(2026, 3, 10)
