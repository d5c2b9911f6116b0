"""A number is taken along with one press, where the browser can do it."""

import pytest

from core.testing.factories import PASSWORD, make_contact, make_user
from tests.browser.person import Person

pytestmark = [pytest.mark.browser, pytest.mark.soak_on_postgresql]


@pytest.mark.parametrize("scripts", [True, False])
def test_a_number_and_an_address_are_copied_from_the_details(server, browser, scripts):
    firm = make_contact(
        "Kallion Vesijohto Oy",
        phones=[{"number": "+358 40 123 4567"}],
        emails=[{"address": "info@kallio.example"}],
    )
    rep = make_user("Anna Laine", password=PASSWORD)
    anna = Person(browser, server, rep, scripts=scripts)
    page = anna.page
    if scripts:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    anna.opens(f"/contacts/{firm.id}")
    if not scripts:
        assert page.locator("[data-copies]").count() == 2
        assert page.locator("[data-copies]:visible").count() == 0
        return
    for text in ("+358 40 123 4567", "info@kallio.example"):
        button = page.get_by_role("button", name=f"Copy {text}")
        assert button.bounding_box()["height"] >= 24
        button.click()
        page.get_by_text("Copied", exact=True).first.wait_for()
        assert page.evaluate("navigator.clipboard.readText()") == text
    assert anna.complaints == []
