"""What a colleague wrote while one was away: counted, marked, jumped to, then read."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from core.db import now
from core.testing.factories import PASSWORD, make_contact, make_interaction, make_user
from tests.browser.person import Person

pytestmark = [pytest.mark.browser, pytest.mark.soak_on_postgresql]

SOON = 5_000


@pytest.fixture
def firm(server):
    return make_contact("Kallion Vesijohto Oy", roles=["customer"])


@pytest.fixture
def person(server, browser):
    def sit_down(name, **more):
        user = make_user(name, password=PASSWORD, teams=["Sales"])
        return Person(browser, server, user, **more)

    return sit_down


def seen(somebody):
    """Wait until the page has told that it was looked at."""
    return somebody.page.expect_response(
        lambda answer: answer.url.endswith("/seen") and answer.status == 204
    )


def write(somebody, words):
    somebody.page.keyboard.press("n")
    somebody.page.keyboard.type(words)
    somebody.page.get_by_role("button", name="Save note").click()
    somebody.page.locator("#timeline article", has_text=words).wait_for(timeout=SOON)


def test_what_a_colleague_wrote_meanwhile_is_counted_and_jumped_to(person, firm):
    anna, mika = person("Anna Laine"), person("Mika Koski")
    here = f"/contacts/{firm.id}"
    for n in range(6):
        at = now() - timedelta(days=n + 1)
        make_interaction(firm, body=f"Known {n}. " + "Words. " * 200, occurred_at=at)
    with seen(anna):
        anna.opens(here)
    anna.opens("/contacts")
    mika.opens(here)
    for words in ("First news", "Second news"):
        write(mika, words)

    anna.opens(here)
    page = anna.page
    page.get_by_text("2 new since").first.wait_for()
    assert page.locator("#timeline .entry-new").count() == 2
    assert page.locator("#new-line").inner_text().startswith("2 new since")
    # One key goes to the first of them, the next one to the other.
    for words in ("Second news", "First news", "Second news"):
        page.keyboard.press("u")
        focused = page.locator("#timeline li:focus-within")
        assert words in focused.inner_text()
    # It stays marked while the page is open, also when something new comes.
    page.evaluate("document.activeElement.blur()")
    with seen(anna):
        write(mika, "Third news")
        page.locator("#timeline article", has_text="Third news").wait_for(timeout=SOON)
    assert page.locator("#timeline .entry-new").count() == 3
    page.reload()
    page.locator("#timeline article", has_text="Third news").wait_for()
    assert page.locator("#timeline .entry-new").count() == 0
    # Whoever wrote it has nothing new.
    mika.page.reload()
    assert mika.page.get_by_text("new since").count() == 0
    for one in (anna, mika):
        assert one.complaints == []


def test_replies_history_and_reactions_open_in_place(person, firm):
    anna, mika = person("Anna Laine"), person("Mika Koski")
    here = f"/contacts/{firm.id}"
    for one in (anna, mika):
        one.opens(here)
    write(anna, "Wants two windows")
    entry = mika.page.locator("#timeline > li", has_text="Wants two windows")
    entry.wait_for(timeout=SOON)
    entry.get_by_role("link", name="Reply").click()
    box = mika.page.locator(".entry-below textarea")
    box.wait_for()
    assert box.evaluate("field => field === document.activeElement")
    box.fill("I shall ask")
    mika.page.get_by_role("button", name="Save reply").click()
    mika.page.locator(".entry-below article", has_text="I shall ask").wait_for()
    # What was sent does not stand in the box again.
    mika.page.wait_for_timeout(300)
    expect(box).to_have_value("")

    hers = anna.page.locator("#timeline > li", has_text="Wants two windows")
    link = hers.get_by_role("link", name="1 reply")
    link.wait_for(timeout=SOON)
    link.click()
    thread = anna.page.locator(".entry-below")
    thread.locator("article", has_text="I shall ask").wait_for()
    link.click()
    thread.wait_for(state="detached")

    hers.get_by_role("button", name="More about this entry").click()
    hers.get_by_role("menuitem", name="Thanks").click()
    hers.locator(".sign").wait_for()
    sign = entry.locator(".sign")
    mika.page.evaluate("document.activeElement.blur()")
    sign.wait_for(timeout=SOON)
    assert "Anna Laine" in sign.inner_text()
    for one in (anna, mika):
        assert one.complaints == []


def test_the_rarer_filters_open_and_narrow_in_place(person, firm):
    anna, mika = person("Anna Laine"), person("Mika Koski")
    for one, name in ((anna, "Anna Laine"), (mika, "Mika Koski")):
        one.opens(f"/contacts/{firm.id}")
        write(one, f"By {name}")
    page = anna.page
    page.reload()
    page.locator("#timeline article", has_text="By Mika Koski").wait_for()
    page.get_by_text("More filters").click()
    page.get_by_label("Written by").select_option(label="Mika Koski")
    page.locator("#timeline article", has_text="By Anna Laine").wait_for(
        state="detached"
    )
    assert page.locator("#timeline article", has_text="By Mika Koski").count() == 1
    # What narrows stays in sight, with the way back.
    assert page.get_by_label("Written by").is_visible()
    page.get_by_role("link", name="Clear").wait_for()
    assert anna.complaints == []


def test_without_scripts_a_button_says_it_was_read(person, firm):
    anna = person("Anna Laine", scripts=False)
    here = f"/contacts/{firm.id}"
    make_interaction(firm, body="Known")
    anna.opens(here)
    anna.presses("I have read this")
    make_interaction(firm, body="News")
    anna.opens(here)
    anna.page.get_by_text("1 new since").first.wait_for()
    anna.page.get_by_role("link", name="Show", exact=True).click()
    assert "#entry-" in anna.page.url
    anna.presses("I have read this")
    assert anna.page.get_by_text("new since").count() == 0
