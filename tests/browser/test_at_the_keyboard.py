"""A morning without the mouse: keys, the palette, and a note from anywhere."""

import re

import pytest
from playwright.sync_api import expect

from core.testing.factories import PASSWORD, make_contact, make_user
from tests.browser.person import Person

pytestmark = [pytest.mark.browser, pytest.mark.soak_on_postgresql]


@pytest.fixture
def anna(server, browser):
    make_contact("Kallion Vesijohto Oy")
    make_contact("Tapio Rakennus Oy")
    return Person(browser, server, make_user("Anna Laine", password=PASSWORD))


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_note_is_written_from_anywhere_and_its_draft_outlives_the_tab(anna):
    page = anna.page
    anna.opens("/documents")
    page.keyboard.press("n")
    page.get_by_label("About whom?").fill("kallion")
    page.locator("#about-found a", has_text="Kallion").click()
    drawer = page.locator("#drawer")
    drawer.locator("textarea").fill("Wants one delivery window.")
    drawer.get_by_text(re.compile("Draft kept")).wait_for()
    page.reload()
    page.keyboard.press("n")
    page.locator("#about-found a", has_text="Kallion").click()
    kept = drawer.locator("textarea")
    expect(kept).to_have_value("Wants one delivery window.")
    kept.press("Control+Enter")
    page.locator(".toast", has_text="Saved on Kallion Vesijohto Oy.").wait_for()
    assert not drawer.is_visible()
    anna.opens("/contacts/1")
    page.locator("#timeline article", has_text="one delivery window").wait_for()
    assert page.locator("#composer textarea").input_value() == ""
    assert anna.complaints == []


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_keys_walk_select_and_go_and_a_changed_key_does_it_instead(anna):
    page = anna.page
    anna.opens("/contacts")
    for key in ("j", "j", "x"):
        page.keyboard.press(key)
    assert page.locator("[data-picked-count]").inner_text() == "1"
    page.keyboard.press("Enter")
    page.wait_for_url("**/contacts/2")
    page.keyboard.press("[")
    page.wait_for_url("**/contacts/1")
    page.keyboard.press("g")
    page.keyboard.press("c")
    page.wait_for_url("**/contacts")

    anna.opens("/me/keys")
    page.get_by_label("Next line").fill("w")
    anna.presses("Save keys")
    anna.opens("/contacts")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.tagName") == "BODY"
    page.keyboard.press("w")
    assert "Kallion" in page.evaluate("document.activeElement.textContent")
    page.locator("input[name=q]").fill("w")
    assert page.locator("input[name=q]").input_value() == "w"


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_going_back_finds_the_list_where_it_was_left(anna):
    page = anna.page
    for number in range(30):
        make_contact(f"Wholesaler {number:02}")
    anna.opens("/contacts")
    box = page.locator(".list-page > .table-box")
    box.evaluate("box => { box.scrollTop = 400 }")
    box.get_by_role("link", name="Wholesaler 20").click()
    page.wait_for_url("**/contacts/*")
    page.go_back()
    expect(box.get_by_role("link", name="Wholesaler 20")).to_be_in_viewport()
    assert box.evaluate("box => box.scrollTop") == 400
    anna.opens("/contacts")
    assert box.evaluate("box => box.scrollTop") == 0


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_caller_nobody_knows_is_never_a_dead_end(anna):
    page = anna.page
    anna.opens("/contacts")
    page.keyboard.press("Control+k")
    page.keyboard.type("matti")
    last = page.locator("[role=option]").last
    last.get_by_text("New person “matti”").wait_for()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_url("**/contacts/new?*")
    assert page.get_by_label("Shown as").input_value() == "matti"


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_keys_filter_edit_pin_and_open_a_ticket_as_the_dialog_says(server, browser):
    make_contact("Kallion Vesijohto Oy")
    account = make_user("Anna Laine", roles=["sales", "support"], password=PASSWORD)
    anna = Person(browser, server, account)
    page = anna.page
    anna.opens("/contacts")
    page.keyboard.press("/")
    expect(page.locator("input[name=q]")).to_be_focused()
    page.keyboard.press("t")
    assert page.locator("input[name=q]").input_value() == "t"

    anna.opens("/contacts/1")
    page.keyboard.press("?")
    told = page.locator("#keys .keys-list")
    for key, words in (("e", "Edit"), ("p", "Pin to the rail"), ("/", "Search in it")):
        line = told.locator("dt", has=page.get_by_text(key, exact=True))
        expect(line.locator("+ dd")).to_have_text(words)
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.locator("#story-q")).to_be_focused()

    page.locator("#main").evaluate("main => document.activeElement.blur()")
    page.keyboard.press("p")
    page.locator(".toast", has_text="Kallion Vesijohto Oy is pinned.").wait_for()
    page.keyboard.press("e")
    page.wait_for_url("**/contacts/1/edit")
    page.go_back()
    page.keyboard.press("t")
    page.wait_for_url("**/support/new?*contact=1*")


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_toast_waits_under_a_hand_and_its_act_is_undone_by_a_key(anna):
    page = anna.page
    toast = page.locator(".toast")
    # The clock of the page is ours, so that nobody waits for a toast to go.
    page.clock.install()
    anna.opens("/contacts/1")
    page.locator("[popovertarget=contact-more]").click()
    page.get_by_role("menuitem", name="Put in the trash").click()
    toast.wait_for()
    toast.hover()
    page.clock.run_for(20_000)
    expect(toast).to_be_visible()
    page.mouse.move(5, 5)
    toast.get_by_role("button", name="Undo").focus()
    page.clock.run_for(20_000)
    expect(toast).to_be_visible()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("z")
    page.get_by_text("Taken back").wait_for()
    page.mouse.move(5, 5)
    page.clock.run_for(20_000)
    expect(toast).to_have_count(0)
    anna.opens("/contacts")
    page.get_by_role("link", name="Kallion Vesijohto Oy").first.wait_for()
