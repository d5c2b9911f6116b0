"""Journey 1: a note for two teams is there for them at once, and for nobody else."""

from time import monotonic

import pytest

from core.testing.factories import PASSWORD, make_contact, make_user
from tests.browser.person import Person

pytestmark = [pytest.mark.browser, pytest.mark.soak_on_postgresql]

WORDS = "Has four developments under way; wants one delivery window per site."
WITHIN = 2_000
SEARCHED_WITHIN = 10


def answer_at(somebody, path):
    """Give what stands at an address for somebody, whatever it is."""
    return somebody.page.request.get(f"{somebody.server.url}{path}").text()


def finds_by_search(somebody, word):
    # The word that was looked for is marked; these stand beside it.
    return "delivery window" in answer_at(somebody, f"/search?q={word}")


@pytest.fixture
def firm(server):
    return make_contact("Kallion Vesijohto Oy", roles=["customer"])


@pytest.fixture
def person(server, browser, firm):
    def sit_down(name, **account):
        return Person(browser, server, make_user(name, password=PASSWORD, **account))

    return sit_down


def test_a_note_for_two_teams_is_there_at_once_and_nowhere_else(person, firm):
    anna = person("Anna Laine", teams=["Sales"])
    mika = person("Mika Koski", teams=["Support"])
    olli = person("Olli Outside", teams=["Warehouse"])
    outi = person("Outi Kallio", kind="customer", contact=firm)
    here = f"/contacts/{firm.id}"
    for one in (anna, mika, olli):
        one.opens(here)
    outi.opens("/interactions")
    mika.page.evaluate("document.body.dataset.sameDocument = 'yes'")

    anna.page.keyboard.press("n")
    anna.page.keyboard.type(WORDS)
    anna.page.get_by_role("button", name="Who sees it").click()
    anna.page.get_by_label("Support", exact=True).check()
    anna.page.keyboard.press("Escape")
    who = anna.page.locator("#who")
    who.get_by_text("2 colleagues will see this. Nobody outside.").wait_for()
    anna.page.get_by_role("button", name="Save note").click()
    saved = monotonic()

    entry = mika.page.locator("#timeline article", has_text=WORDS)
    entry.wait_for(timeout=WITHIN)
    assert (monotonic() - saved) * 1_000 <= WITHIN
    assert entry.locator(".aud").inner_text() == "Sales, Support"
    assert mika.page.evaluate("document.body.dataset.sameDocument") == "yes"

    own = anna.page.locator("#timeline article", has_text=WORDS)
    own.wait_for(timeout=WITHIN)
    assert own.count() == 1
    assert anna.page.locator("#composer textarea").input_value() == ""
    # What was written is no draft any more.
    anna.page.reload()
    assert anna.page.locator("#composer textarea").input_value() == ""
    assert anna.page.locator("#timeline article", has_text=WORDS).count() == 1

    until = monotonic() + SEARCHED_WITHIN
    while not finds_by_search(mika, "developments"):
        assert monotonic() < until
        mika.page.wait_for_timeout(100)

    # The others had as long as those who heard of it.
    for one in (olli, outi):
        assert WORDS not in one.page.content()
        assert one.page.locator(".pill").count() == 0
        one.page.reload()
        assert WORDS not in one.page.content()
        assert not finds_by_search(one, "developments")
        for path in (
            "/",
            here,
            "/contacts",
            "/interactions",
            "/interactions/1",
            f"/api/v1/contacts/{firm.id}/timeline",
            "/api/v1/interactions",
            "/api/v1/interactions/1",
            "/api/v1/search?q=developments",
            "/api/v1/events?cursor=0.0&limit=200",
        ):
            found = answer_at(one, path)
            assert "four developments" not in found, path
            assert "interaction/1" not in found, path
    for one in (anna, mika, olli, outi):
        assert one.complaints == []


def test_a_note_waits_behind_a_pill_while_the_reader_is_writing(person, firm):
    anna = person("Anna Laine", teams=["Support"])
    mika = person("Mika Koski", teams=["Support"])
    for one in (anna, mika):
        one.opens(f"/contacts/{firm.id}")
    mika.page.keyboard.press("n")
    mika.page.keyboard.type("I am just writing")
    anna.page.keyboard.press("n")
    anna.page.keyboard.type(WORDS)
    anna.page.get_by_role("button", name="Save note").click()
    pill = mika.page.get_by_role("button", name="1 new")
    pill.wait_for(timeout=WITHIN)
    entry = mika.page.locator("#timeline article", has_text=WORDS)
    assert entry.count() == 0
    field = mika.page.locator("#composer textarea")
    assert field.evaluate("field => field === document.activeElement")
    pill.click()
    entry.wait_for(timeout=WITHIN)
    assert field.input_value() == "I am just writing"


def test_what_leaves_the_house_is_sent_by_a_button_that_counts_its_readers(
    person, firm
):
    anna = person("Anna Laine", teams=["Sales"])
    outi = person("Outi Kallio", kind="customer", contact=firm)
    outi.opens("/interactions")
    anna.opens(f"/contacts/{firm.id}")
    page = anna.page
    page.keyboard.press("n")
    page.keyboard.type("Your order leaves tomorrow.")
    page.get_by_role("button", name="Who sees it").click()
    page.get_by_label("Customer sees this").check()
    page.keyboard.press("Escape")
    send = page.get_by_role("button", name="Send to 1 person outside")
    send.wait_for()
    # One key sends nothing outside: it only brings the hand to the button.
    page.locator("#composer textarea").focus()
    page.keyboard.press("Control+Enter")
    assert send.evaluate("button => button === document.activeElement")
    assert page.locator("#timeline article").count() == 0

    make_user("Pekka Virtanen", kind="customer", contact=firm)
    send.click()
    page.locator("#who").get_by_text("Pekka Virtanen").wait_for()
    assert page.locator("#timeline article").count() == 0
    field = page.locator("#composer textarea")
    assert field.input_value() == "Your order leaves tomorrow."
    page.get_by_role("button", name="Send to 2 people outside").click()
    page.locator("#timeline article", has_text="Your order leaves").wait_for()
    assert not page.locator("#composer .choice-shared").is_checked()
    outi.page.reload()
    outi.page.get_by_text("Your order leaves tomorrow.").wait_for()
    assert anna.complaints == []
