"""Journey 2: an enquiry rings, reaches the right rep, and becomes known to support."""

import re

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from core.contacts.models import Contact
from core.db import db
from core.interactions.models import Interaction
from core.testing.factories import PASSWORD, make_contact, make_user
from tests.browser.person import Person

pytestmark = [
    pytest.mark.browser,
    pytest.mark.soak_on_postgresql,
    pytest.mark.parametrize("dialect", ["sqlite"]),
]

CALLED = "Saw our ad. Asks for prices of windows. "
KNOWN = "Has four developments under way."


@pytest.fixture
def person(server, browser):
    def sit_down(name, *teams):
        user = make_user(name, password=PASSWORD, teams=list(teams))
        return Person(browser, server, user)

    return sit_down


def types_into_the_palette(somebody, words):
    page = somebody.page
    page.keyboard.press("Control+k")
    page.locator("#palette input").fill(words)
    return page.locator("#palette [role=option]")


def finds_whom_half_a_number_belongs_to(kaisa):
    found = types_into_the_palette(kaisa, "555 1234")
    expect(found.first).to_contain_text("Pekka Virtanen")
    expect(found.first).to_contain_text("+358 40 555 1234")
    kaisa.page.keyboard.press("Escape")


def writes_down_who_calls_while_looking_for_them(kaisa):
    """Begin a call, write in it, and look for a number nobody has."""
    page = kaisa.page
    found = types_into_the_palette(kaisa, "log call")
    expect(found.first).to_have_text("Log call")
    page.keyboard.press("Enter")
    drawer = page.locator("#drawer")
    about = drawer.get_by_label("About whom?")
    expect(about).to_be_focused()
    expect(drawer.locator(".timer")).to_have_text(re.compile(r"0:0[1-9]"))
    drawer.locator("textarea").fill(CALLED)
    drawer.get_by_label("Source").fill("trade-journal ad")
    about.press_sequentially("040 777 8899")
    drawer.get_by_text("No contact matches “040 777 8899”.").wait_for()
    drawer.get_by_role("link", name="New person").click()
    page.wait_for_url("**/contacts/new?*")


def adds_the_caller(kaisa):
    page = kaisa.page
    expect(page.get_by_label("Shown as")).to_have_value("")
    expect(page.get_by_label("Phone", exact=True).first).to_have_value("040 777 8899")
    page.get_by_label("Given name").fill("Timo")
    page.get_by_label("Family name").fill("Rakentaja")
    kaisa.presses("Save contact")
    page.wait_for_url(re.compile(r"/contacts/\d+$"))


def hands_the_call_to(kaisa, first_letters):
    page = kaisa.page
    form = page.locator("#composer")
    text = form.locator("textarea")
    expect(text).to_be_focused()
    expect(text).to_have_value(CALLED)
    expect(form.locator("select[name=kind]")).to_have_value("call")
    expect(form.get_by_label("Source")).to_have_value("trade-journal ad")
    expect(form.get_by_role("button", name="Stop timer")).to_be_visible()
    text.press("End")
    page.keyboard.type(first_letters)
    form.locator(".suggest [role=option]").first.wait_for()
    page.keyboard.press("Enter")
    page.keyboard.press("Control+Enter")
    entry = page.locator("#timeline article", has_text="Saw our ad")
    expect(entry.locator(".mention")).to_have_text("@Riku Salo")
    expect(entry.locator(".entry-facts")).to_have_text(
        re.compile("Source: trade-journal ad · 1 minute")
    )
    # The next entry begins as a note does, also after the page is opened again.
    expect(form.locator("select[name=kind]")).to_have_value("note")
    page.reload()
    expect(text).to_have_value("")
    expect(form.locator("select[name=kind]")).to_have_value("note")


def is_told_and_opens_it(riku):
    page = riku.page
    page.locator("#bell-count .end", has_text="1").wait_for()
    riku.opens("/notifications")
    page.locator("#new a").first.click()
    page.locator("#thread article", has_text="Saw our ad").wait_for()
    page.get_by_role("link", name="Open contact").click()
    page.locator("#timeline article", has_text="Saw our ad").wait_for()


def sets_the_meeting(riku):
    page = riku.page
    page.keyboard.press("n")
    page.keyboard.type("Meeting at the site.")
    form = page.locator("#composer")
    form.locator("select[name=kind]").select_option("meeting")
    form.get_by_label("Place").fill("Gate B")
    form.get_by_text("At another time").click()
    form.get_by_label("When, in words").fill("tomorrow 14:00")
    expect(form.locator(".date-read")).to_contain_text("2:00")
    form.get_by_role("button", name="Save note").click()
    page.locator("#timeline article", has_text="at the site").wait_for()


def is_reminded_of_it(riku, what, when):
    page = riku.page
    entry = page.locator("#timeline article", has_text="at the site")
    entry.hover()
    entry.get_by_role("button", name="More about this entry").click()
    entry.get_by_role("menuitem", name="Remind me").click()
    page.get_by_label("What is to be done").fill(what)
    page.get_by_label("When", exact=True).select_option(label=when)
    riku.presses("Remind me")
    page.locator("#follow-ups", has_text=what).wait_for()


def notes_it_for_sales_and_support(riku):
    page = riku.page
    page.keyboard.press("n")
    page.keyboard.type(KNOWN)
    page.get_by_role("button", name="Who sees it").click()
    page.get_by_label("Support", exact=True).check()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Save note").click()


def test_an_enquiry_goes_from_the_phone_to_the_rep_and_on_to_support(person):
    phones = [{"number": "+358 40 555 1234", "label": "mobile"}]
    make_contact("Pekka Virtanen", kind="person", phones=phones)
    kaisa = person("Kaisa Niemi", "Sales")
    riku, sami = person("Riku Salo", "Sales"), person("Sami Tuki", "Support")
    for one in (kaisa, riku, sami):
        one.opens("/")
    finds_whom_half_a_number_belongs_to(kaisa)
    writes_down_who_calls_while_looking_for_them(kaisa)
    adds_the_caller(kaisa)
    hands_the_call_to(kaisa, "@ri")

    is_told_and_opens_it(riku)
    sets_the_meeting(riku)
    is_reminded_of_it(riku, "Take the samples along", "An hour before")
    is_reminded_of_it(riku, "Ask what they decided", "3 days after")

    with db.read_only() as session:
        query = sa.select(Contact).where(Contact.name == "Timo Rakentaja")
        [timo] = session.scalars(query)
        number, phone = timo.id, timo.phones[0]["number"]
        call = session.scalars(sa.select(Interaction).order_by(Interaction.id)).first()
        assert (call.kind, call.source) == ("call", "trade-journal ad")
    assert phone == "040 777 8899"
    sami.opens(f"/contacts/{number}")
    notes_it_for_sales_and_support(riku)
    entry = sami.page.locator("#timeline article", has_text=KNOWN)
    expect(entry.locator(".aud")).to_have_text("Sales, Support")
    for one in (kaisa, riku, sami):
        assert one.complaints == []
