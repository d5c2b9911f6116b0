"""View as customer in a browser: every button that would act says why it does not."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from core.testing.factories import PASSWORD, make_contact, make_user
from tests.browser.person import Person

pytestmark = [pytest.mark.browser, pytest.mark.soak_on_postgresql]


@pytest.mark.parametrize("width", [1280, 360])
def test_a_colleague_looks_and_every_button_says_why_it_does_nothing(
    server, browser, width
):
    firm = make_contact("Kallion Vesijohto Oy", roles=["customer"])
    make_user("Outi Kallio", kind="customer", contact=firm, language="fi")
    anna = make_user("Anna Laine", password=PASSWORD)
    anna = Person(browser, server, anna, width=width)
    page = anna.page
    anna.opens(f"/contacts/{firm.id}")
    page.locator("main").get_by_role("button", name="More").first.click()
    page.get_by_role("menuitem", name="View as customer").click()
    page.get_by_role("button", name="View Outi Kallio").click()
    page.get_by_text("You see what Outi Kallio sees. Read only.").wait_for()
    anna.opens("/portal/messages/new")
    page.get_by_role("textbox").first.fill("I only wanted to try.")
    send = page.locator("main button[type=submit]").last
    assert send.get_attribute("aria-disabled") == "true"
    send.click(force=True)
    page.locator(".toast", has_text="Press Stop to do something yourself").wait_for()
    assert Axe().run(page).response["violations"] == []
    page.get_by_role("button", name="Stop").click()
    page.get_by_text("You see your own pages again.").wait_for()
    assert page.url.endswith(f"/contacts/{firm.id}")
    assert anna.complaints == []
