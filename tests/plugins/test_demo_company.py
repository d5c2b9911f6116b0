"""The demo company is old and big enough to look round in, and no part is missing."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.contacts.models import Contact
from core.db import db
from core.interactions.models import Interaction
from plugins.documents.models import Version
from plugins.portal.models import Order, OrderLine, Product, PurchaseOrder, Stock
from plugins.support.models import Ticket

# The company is made for the first test of a run that asks for it.
pytestmark = pytest.mark.timeout(600)

# What only texts of a language hold; English is told by the contact alone.
WRITTEN = {"fi": re.compile("[äöÄÖ]"), "zh": re.compile("[\u4e00-\u9fff]")}
# Fewer would be a sample, and no company.
AT_LEAST = {
    Product: 100,
    Order: 250,
    OrderLine: 750,
    PurchaseOrder: 30,
    Ticket: 50,
    Version: 30,
}


def how_many(what, *conditions):
    found = sa.select(sa.func.count()).select_from(what).where(*conditions)
    return db.session.scalar(found)


def test_its_entries_go_back_two_years_in_three_languages(demo_app):
    said = sa.select(Contact.language, Interaction.occurred_at, Interaction.body)
    entries = db.session.execute(said.join(Interaction.contact)).all()
    assert len(entries) >= 2_000
    days = [one.occurred_at for one in entries]
    assert max(days) - min(days) >= timedelta(days=700)
    for language in ("en", "fi", "zh"):
        words = WRITTEN.get(language, re.compile(""))
        about = [one.body for one in entries if one.language == language]
        assert sum(bool(words.search(one)) for one in about) >= 300, language


def test_it_buys_keeps_sells_and_answers(demo_app):
    found = {one.__name__: how_many(one) for one in AT_LEAST}
    assert {
        one.__name__: n for one, n in AT_LEAST.items() if n > found[one.__name__]
    } == {}
    assert how_many(Stock, Stock.on_hand > 0) >= 50
    assert how_many(Ticket, Ticket.state == "open") >= 1
    roles = db.session.scalars(sa.select(Contact.roles))
    assert sum("vendor" in one for one in roles) >= 10


def test_its_contracts_are_found_by_what_stands_in_them(demo_app, sign_in_demo):
    browser, _counting = sign_in_demo("sales")
    unread = how_many(Version, Version.text_state != "done")
    assert unread == 0
    for words, title in (
        ("circulation pumps", "Price agreement 2026"),
        ("viivästyssakko", "Runkosopimus, Kallio Group"),
        ("付款条件", "供货合同 2026"),
    ):
        asked = {"q": words, "type": "document"}
        items = browser.get("/api/v1/search", query_string=asked).json["items"]
        assert title in [one["title"] for one in items], words
