"""What nobody wrote by hand stands in one line that opens."""

import re
from datetime import timedelta

import pytest

from core import hookimpl
from core.db import now
from core.pages import InteractionKind
from core.testing.factories import make_contact, make_interaction, make_user


class Shop:
    """A plugin that writes entries by itself."""

    @hookimpl
    def register_interaction_kinds(self):
        return [InteractionKind("shop_order", "Order", "cart", chosen=False)]


@pytest.fixture
def app_plugins():
    return (("shop", Shop()),)


@pytest.fixture
def firm(app):
    return make_contact("Kallion Vesijohto Oy")


@pytest.fixture
def browser(firm, as_user):
    return as_user(make_user("Anna Laine"))


def write(firm, kinds, since=0):
    """Write entries of these kinds, an hour apart, the first one latest."""
    for n, kind in enumerate(kinds, start=since):
        at = now() - timedelta(hours=n)
        make_interaction(firm, kind=kind, body=f"No. {n}", occurred_at=at)


def shape(page):
    """Name the lines of a story: an entry, or a fold with how many."""
    story = page[page.index('id="timeline"') :]
    lines = re.findall(
        r'<li (?:class="fold" )?id="(entry|fold)-\d+"|(\d+) automatic', story
    )
    return [count or what for what, count in lines]


def test_automatic_entries_in_a_row_fold_into_one_line(firm, browser):
    order = ["shop_order"]
    write(firm, [*order * 4, "note", *order * 2, "call", *order * 3])
    found = shape(browser.get(f"/contacts/{firm.id}").text)
    assert found == [
        *["fold", "4", *["entry"] * 4],
        *["entry"] * 4,
        *["fold", "3", *["entry"] * 3],
    ]


def test_a_fold_costs_the_page_no_statement(firm, browser, count_queries):
    url = f"/contacts/{firm.id}"
    write(firm, ["note"], since=50)
    browser.get(url)
    with count_queries() as few:
        browser.get(url)
    write(firm, ["shop_order"] * 14)
    with count_queries() as many:
        assert "14 automatic entries" in browser.get(url).text
    assert many.count == few.count


def test_a_fold_says_that_something_in_it_is_new(firm, browser):
    write(firm, ["note"], since=50)
    seen = f"/interactions/timeline/{firm.id}/seen"
    browser.post(seen, data={"upto": 1})
    write(firm, ["shop_order"] * 3)
    page = browser.get(f"/contacts/{firm.id}").text
    [summary] = re.findall(r"<summary>3 automatic.*?</summary>", page)
    assert "new" in summary
