"""Narrow pages, large text, thumbs, and words that are still being made."""

import pytest
from playwright.sync_api import expect

from core.testing.factories import PASSWORD, make_contact, make_user
from tests.browser.person import SIDEWAYS, Person

pytestmark = [pytest.mark.browser, pytest.mark.soak_on_postgresql]


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_no_page_of_an_administrator_scrolls_sideways(server, browser):
    boss = make_user("Helena Lehto", roles=("admin",), password=PASSWORD)
    helena = Person(browser, server, boss)
    paths = (
        "/admin/roles",
        "/admin/plugins/support/remove",
        f"/admin/users/{boss.id}/private",
        "/admin/mail",
        "/import",
    )
    for width in (390, 768, 1280):
        helena.page.set_viewport_size({"width": width, "height": 800})
        for path in paths:
            helena.opens(path)
            for size in ("100%", "200%"):
                helena.page.evaluate(
                    "size => { document.documentElement.style.fontSize = size }", size
                )
                assert helena.page.evaluate(SIDEWAYS) <= 0, (path, width, size)
    helena.page.set_viewport_size({"width": 390, "height": 800})
    helena.opens("/admin/plugins/support/remove")
    narrow = helena.page.locator("#plan dd, dl.facts dd").first.bounding_box()
    assert narrow["width"] > 150
    assert helena.complaints == []


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_every_place_of_the_portal_is_in_sight_on_a_tablet(server, browser):
    firm = make_contact("Kallion Vesijohto Oy", roles=["customer"])
    customer = make_user(
        "Outi Kallio", kind="customer", contact=firm, password=PASSWORD
    )
    outi = Person(browser, server, customer, width=768)
    outi.opens("/portal")
    places = outi.page.locator(".top-links a")
    assert places.count() > 5
    for place in places.all():
        box = place.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 768
    assert outi.page.evaluate(SIDEWAYS) <= 0


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_the_palette_is_left_by_a_thumb(server, browser):
    anna = Person(browser, server, make_user("Anna", password=PASSWORD), width=390)
    anna.opens("/contacts")
    palette = anna.page.locator("#palette")
    anna.page.locator(".bottom [data-open-palette]").click()
    expect(palette.get_by_role("combobox")).to_be_focused()
    palette.get_by_role("button", name="Close").click()
    expect(palette).to_be_hidden()


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_key_of_a_word_in_the_making_does_nothing(server, browser):
    make_contact("王丽")
    anna = Person(browser, server, make_user("Anna", password=PASSWORD))
    anna.opens("/contacts")
    page, here = anna.page, anna.page.url
    page.evaluate("""() => {
      const press = (key, more) => document.body.dispatchEvent(new KeyboardEvent(
        "keydown", { key, bubbles: true, cancelable: true, ...more }));
      for (const key of ["n", "c", "e", "?", "j"]) press(key, { isComposing: true });
      press("n", { keyCode: 229 });
      press("k", { ctrlKey: true, isComposing: true });
    }""")
    assert page.url == here
    assert page.locator("dialog[open]").count() == 0

    hands = page.context.new_cdp_session(page)
    page.keyboard.press("Control+k")
    options = page.locator("#palette [role=option]")
    expect(page.locator("#palette input")).to_be_focused()
    hands.send(
        "Input.imeSetComposition",
        {"text": "wang", "selectionStart": 4, "selectionEnd": 4},
    )
    # Nothing is looked for while the word is being made.
    page.wait_for_timeout(400)
    assert options.filter(has_text="wang").count() == 0
    hands.send("Input.insertText", {"text": "王"})
    options.filter(has_text="王丽").first.wait_for()


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_file_that_is_refused_can_be_removed_and_another_one_sent(server, browser):
    anna = Person(browser, server, make_user("Anna", password=PASSWORD))
    anna.opens("/import")
    page = anna.page
    broken = {"name": "a.csv", "mimeType": "text/csv", "buffer": b"%PDF-1.7"}
    page.set_input_files("input[type=file]", [broken])
    for _time in range(2):
        # The button of the form tries what was refused once more: it is never dead.
        with page.expect_response("**/import") as answer:
            anna.presses("Go on to the columns")
        assert answer.value.status == 422
        expect(page.locator(".drop-list .refused .drop-said")).to_contain_text("a.csv")
    page.get_by_role("button", name="Remove a.csv").click()
    expect(page.locator(".drop-list li")).to_have_count(0)


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_reply_begins_in_its_field_and_needs_its_button(server, browser):
    firm = make_contact("Kallion Vesijohto Oy", roles=["customer"])
    anna = Person(
        browser, server, make_user("Anna", roles=["support"], password=PASSWORD)
    )
    anna.opens(f"/support/new?contact={firm.id}")
    page = anna.page
    page.get_by_label("What it is about").fill("Pallet broken")
    page.get_by_label("What happened").fill("One of two.")
    anna.presses("Open ticket")
    page.locator(".answer-row").wait_for()
    page.keyboard.press("r")
    expect(page.locator("#f-body")).to_be_focused()
    page.keyboard.type("It is on its way.")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".btn-out")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_text("It is on its way.").first.wait_for()
    assert "answer=" not in page.url
