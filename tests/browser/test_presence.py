"""Two at one customer: each sees the other there, and neither's words are lost."""

import pytest

from core.testing.factories import (
    PASSWORD,
    make_contact,
    make_interaction,
    make_user,
)
from tests.browser.person import Person

pytestmark = [pytest.mark.browser, pytest.mark.soak_on_postgresql]

WITHIN = 2_000
LATER = 4_000


@pytest.fixture
def firm(server):
    return make_contact("Kallion Vesijohto Oy", roles=["customer"])


@pytest.fixture
def person(server, browser):
    def sit_down(name, **account):
        return Person(browser, server, make_user(name, password=PASSWORD, **account))

    return sit_down


def test_colleagues_see_each_other_come_write_and_go(person, firm):
    anna, mika = person("Anna Laine"), person("Mika Koski")
    here = f"/contacts/{firm.id}"
    anna.opens(here)
    anna.page.wait_for_timeout(300)
    assert anna.page.locator(".here").count() == 0
    mika.opens(here)
    mika.page.get_by_text("Anna Laine is here").wait_for(timeout=WITHIN)
    anna.page.get_by_text("Mika Koski is here").wait_for(timeout=WITHIN)
    mika.page.keyboard.press("n")
    mika.page.keyboard.type("Wants four")
    anna.page.get_by_text("Mika Koski is writing…").wait_for(timeout=WITHIN)
    mika.page.keyboard.press("Control+a")
    mika.page.keyboard.press("Delete")
    anna.page.get_by_text("Mika Koski is here").wait_for(timeout=WITHIN)
    mika.opens("/contacts")
    anna.page.locator(".here").wait_for(state="detached", timeout=LATER)
    for one in (anna, mika):
        assert one.complaints == []


def test_following_from_the_page_and_from_the_menu_of_an_entry(person, firm):
    mika = person("Mika Koski")
    entry = make_interaction(firm, body="Four windows")
    mika.opens(f"/contacts/{firm.id}")
    strip = mika.page.locator(".page-strip .follow")
    strip.get_by_role("button", name="Follow", exact=True).click()
    strip.get_by_role("button", name="Unfollow").wait_for()
    strip.get_by_text("1 follows").click()
    strip.get_by_text("Mika Koski").wait_for()
    line = mika.page.locator(f"#entry-{entry.id}")
    line.get_by_role("button", name="More about this entry").click()
    menu = mika.page.locator(f"#entry-{entry.id}-more")
    menu.locator("button", has_text="Follow").click()
    menu.get_by_role("menuitem", name="Unfollow").wait_for()
    assert mika.complaints == []


def test_two_who_change_one_note_both_see_both_texts(browser, firm, server):
    user = make_user("Anna Laine", password=PASSWORD)
    anna, again = Person(browser, server, user), Person(browser, server, user)
    entry = make_interaction(firm, author=user, body="Four windows")
    address = f"/interactions/{entry.id}/edit"
    for one in (anna, again):
        one.opens(address)
    anna.page.locator(".composer textarea").fill("Four windows and a door")
    anna.page.get_by_role("button", name="Save changes").click()
    anna.page.wait_for_url(f"**/interactions/{entry.id}")
    again.page.locator(".composer textarea").fill("Four windows, by May")
    again.page.get_by_role("button", name="Save changes").click()
    page = again.page
    page.get_by_text("Somebody saved this meanwhile").wait_for()
    assert page.get_by_text("Four windows and a door").is_visible()
    field = page.locator(".composer textarea")
    assert field.input_value() == "Four windows, by May"
    page.get_by_role("button", name="Save changes").click()
    page.wait_for_url(f"**/interactions/{entry.id}")
    assert page.get_by_text("Four windows, by May").is_visible()
