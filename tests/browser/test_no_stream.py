"""A browser that cannot hold a stream asks now and then; what it misses, it says."""

import pytest
from playwright.sync_api import expect

from core.testing.factories import PASSWORD, make_contact, make_user
from tests.browser.person import Person

pytestmark = [pytest.mark.browser, pytest.mark.soak_on_postgresql]

ASKED = "**/api/v1/events?*"
ASKED_EVERY, PAUSED_AFTER = 5_000, 32_000
WITHIN = 5_000


@pytest.fixture
def firm(server):
    return make_contact("Kallion Vesijohto Oy", roles=["customer"])


@pytest.fixture
def anna(server, browser, firm):
    anna = Person(browser, server, make_user("Anna Laine", password=PASSWORD))
    anna.opens(f"/contacts/{firm.id}")
    return anna


@pytest.fixture
def mika(server, browser):
    """A colleague whose page has a clock of ours, so that nobody waits for it."""
    mika = Person(browser, server, make_user("Mika Koski", password=PASSWORD))
    mika.page.clock.install()
    return mika


def writes(somebody, words):
    somebody.page.keyboard.press("n")
    somebody.page.keyboard.type(words)
    somebody.page.get_by_role("button", name="Save note").click()
    somebody.page.locator("#timeline article", has_text=words).wait_for(timeout=WITHIN)


def test_a_page_without_a_stream_asks_for_what_is_new_and_says_when_it_cannot(
    anna, mika, firm
):
    page = mika.page
    strips = page.locator("#strips p")
    entries = page.locator("#timeline article")
    refused = []

    def refuse(route):
        refused.append(route.request.url)
        route.fulfill(status=429, headers={"Retry-After": "60"})

    page.route("**/live?*", refuse)
    with page.expect_response(ASKED):
        mika.opens(f"/contacts/{firm.id}")
    page.evaluate("document.body.dataset.sameDocument = 'yes'")
    writes(anna, "The gate is closed on Friday.")
    page.clock.fast_forward(ASKED_EVERY)
    entries.filter(has_text="closed on Friday").wait_for(timeout=WITHIN)
    # It does not try the stream again and again, and what is asked for is not paused.
    assert len(refused) == 1
    expect(strips).to_have_count(0)

    page.route(ASKED, lambda route: route.abort())
    page.clock.fast_forward(PAUSED_AFTER)
    expect(strips).to_contain_text(["Updates paused"])
    # Without a line the page says that what is written is safe, too.
    page.context.set_offline(True)
    expect(strips.last).to_have_text("No connection. What you write is kept here.")
    writes(anna, "It is open again on Monday.")
    page.context.set_offline(False)
    page.unroute(ASKED)
    page.clock.fast_forward(ASKED_EVERY)
    entries.filter(has_text="open again on Monday").wait_for(timeout=WITHIN)
    expect(strips).to_have_count(0)
    assert page.evaluate("document.body.dataset.sameDocument") == "yes"
