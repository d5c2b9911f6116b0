"""Journey 9: an empty instance leads an administrator to the first customer."""

import pytest
import sqlalchemy as sa

from core.contacts.models import Contact
from core.db import db
from core.testing.factories import PASSWORD, make_user
from core.users.models import User
from tests.browser.person import Person

pytestmark = [pytest.mark.browser, pytest.mark.soak_on_postgresql]

LOGO = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle r="4"/></svg>'
)


@pytest.mark.parametrize("scripts", [True, False])
def test_the_first_hour_from_the_first_sign_in_to_the_first_customer(
    server, browser, scripts
):
    boss = make_user("Helena Lehto", roles=("admin",), password=PASSWORD)
    helena = Person(browser, server, boss, scripts=scripts, width=390)
    page = helena.page

    def goes_on(name="Save and go on"):
        helena.presses(name)
        page.wait_for_load_state()

    # Signing in leads here, and the name is the first thing asked for.
    assert page.url.endswith("/admin/first-hour/name")
    page.fill("input[name=name]", "")
    page.locator("input[name=name]").evaluate("one => one.removeAttribute('maxlength')")
    page.fill("input[name=name]", "L" * 81)
    goes_on()
    assert page.locator(".field-error").count() == 1
    page.fill("input[name=name]", "Lehto Supply")
    goes_on()

    # A pale colour is refused with the shade that works, which is then taken.
    page.fill("input[name=brand]", "#33CC99")
    goes_on()
    said = page.locator(".field-error").inner_text()
    page.fill("input[name=brand]", said.rstrip(".").split()[-1])
    picture = {"name": "logo.svg", "mimeType": "image/svg+xml", "buffer": LOGO}
    page.set_input_files("input[name=logo]", [picture])
    goes_on()

    page.select_option("select[name=language]", "en")
    page.select_option("select[name=timezone]", "Europe/Helsinki")
    goes_on()

    # She goes away, and comes back by the block on "my day".
    helena.opens("/")
    assert "3 of 8 steps are behind you" in helena.reads()
    page.get_by_role("link", name="Go on", exact=True).click()
    page.wait_for_url("**/currency")
    page.select_option("select[name=currency]", "SEK")
    goes_on()
    page.locator("input[name=open_days][value='6']").check()
    goes_on()

    people = "Anna Laine anna@example.com\nMika Koski mika@example.com"
    page.fill("textarea[name=people]", people)
    page.select_option("select[name=role]", "sales")
    page.fill("input[name=password]", PASSWORD)
    goes_on("Add and go on")
    assert page.url.endswith("/import")
    goes_on("Skip")
    goes_on("Skip")

    assert "The house stands" in helena.reads()
    page.get_by_role("link", name="Add the first customer").click()
    page.wait_for_url("**/contacts/new**")
    page.fill("input[name=name]", "Kallion Vesijohto Oy")
    page.locator("form:has(input[name=name]) button[type=submit]").first.click()
    page.wait_for_url(lambda url: "/contacts/" in url and "/new" not in url)
    assert "Kallion Vesijohto Oy" in page.title()
    assert "Lehto Supply" in page.title()

    helena.opens("/")
    assert "The first hour" not in helena.reads()
    assert not helena.complaints
    with db.read_only() as session:
        assert session.scalars(sa.select(Contact.name)).all() == [
            "Kallion Vesijohto Oy"
        ]
        anna = session.scalars(sa.select(User).where(User.name == "Anna Laine")).one()
        assert anna.timezone == "Europe/Helsinki"
    Person(browser, server, anna)
