"""What was sent to a customer by mistake is taken back before they see it."""

from time import monotonic

import pytest

from core.testing.factories import PASSWORD, make_contact, make_user
from tests.browser.person import Person

pytestmark = pytest.mark.browser

WORDS = "The rebate is eleven per cent."


@pytest.fixture
def waits_as_at_home(monkeypatch):
    """The server of this test lets people take back, as every house does."""
    monkeypatch.setenv("RAPPORT_MAIL_PORTAL_HOLD_SECONDS", "10")


def writes(page, words):
    page.keyboard.press("n")
    page.keyboard.type(words)


def shows(page, words):
    writes(page, words)
    page.get_by_role("button", name="Who sees it").click()
    page.get_by_label("Customer sees this").check()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Send to 1 person outside").click()


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_undo_comes_before_the_customer_sees_a_word_of_it(
    waits_as_at_home, server, browser
):
    firm = make_contact("Kallion Vesijohto Oy", roles=["customer"])
    anna = Person(browser, server, make_user("Anna Laine", password=PASSWORD))
    outi = make_user("Outi Kallio", kind="customer", contact=firm, password=PASSWORD)
    outi = Person(browser, server, outi)
    outi.opens("/interactions")
    anna.opens(f"/contacts/{firm.id}")
    page, toast = anna.page, anna.page.locator(".toast")
    writes(page, "Remind me in 3 days.")
    page.get_by_role("button", name="Save note").click()
    toast.get_by_text("Reminder").wait_for()
    shows(page, WORDS)
    # It does not wait until the toast before it has gone.
    toast.get_by_text("Goes to 1 person outside in").wait_for(timeout=5_000)
    # Colleagues see it at once, and the customer's open page nothing at all.
    page.locator("#timeline article", has_text=WORDS).wait_for()
    outi.page.reload()
    assert WORDS not in outi.page.content()

    toast.get_by_role("button", name="Undo").click()
    page.get_by_text("Taken back. Nobody outside has seen it.").wait_for()
    field = page.locator("main textarea[name=body]")
    assert field.input_value() == WORDS
    assert not page.get_by_label("Customer sees this").is_checked()

    # What nobody takes back comes by itself.
    anna.opens(f"/contacts/{firm.id}")
    shows(page, "Your order leaves tomorrow.")
    toast.get_by_text("Goes to 1 person outside in").wait_for()
    until = monotonic() + 30
    while "Your order leaves tomorrow." not in outi.page.content():
        assert monotonic() < until
        outi.page.wait_for_timeout(500)
        outi.page.reload()
    assert WORDS not in outi.page.content()
    assert anna.complaints == outi.complaints == []
