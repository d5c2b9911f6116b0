"""A customer is handed over: who gets them hears of it at once, on a phone, and says
of each thing that they know it; who hands them over sees how far that is.
"""

import re
from datetime import timedelta
from types import SimpleNamespace

import pytest
from playwright.sync_api import expect

from core.audiences import AudienceSpec
from core.contacts.models import Contact
from core.db import db, now
from core.testing.factories import PASSWORD, make_contact, make_user
from core.users.defaults import ROLES
from core.users.models import User
from core.users.services import ensure_role
from plugins.interactions.follow_ups.services import plan_follow_up
from plugins.support.services import open_ticket
from tests.browser.person import SIDEWAYS, Person

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("dialect", ["sqlite"]),
]

NAME = "Kallion Vesijohto Oy"
PROMISE = "Send the drawings of all four houses"
PLAN = f"https://kallio.example/{'windows' * 20}"
WORD = f"Outi likes **short** calls. Her plan: {PLAN}"
UNHAPPY = "Unhappy: waits for an answer for 3 days"
# The worker of a server that has just begun is not there at once.
WITHIN = 15_000
# Her own words, what to know first, the promise, the ticket.
ITEMS = 4


def with_open_things(firm, owner):
    """Promise the customer something, and let them wait for an answer for days."""
    with db.transaction() as session:
        contact = session.get_one(Contact, firm.id)
        author = session.get_one(User, owner.id)
        due_at = now() + timedelta(days=2)
        plan_follow_up(contact, author=author, text=PROMISE, due_at=due_at)
        ticket = open_ticket(
            contact,
            author=author,
            subject="Two pallets broken",
            body="They rang: two boxes are wet.",
            audience=AudienceSpec("staff"),
        )
        ticket.asked_at = now() - timedelta(days=3)


@pytest.fixture
def people(server, deliver):
    """Who hands over, who takes over, and two whom it is not told."""
    anna = make_user("Anna Laine", password=PASSWORD)
    own = {"know_first": "Deliver before ten.", "owner": anna.id}
    firm = make_contact(NAME, roles=["customer"], **own)
    outi = make_user("Outi Kallio", kind="customer", contact=firm)
    with_open_things(firm, anna)
    with db.transaction():
        ensure_role("narrow", ROLES["sales"], reach="own")
    # The server's worker may still be starting: who is told of the ticket is its owner
    # of today, not who comes after her.
    deliver()
    return SimpleNamespace(
        firm=firm,
        anna=anna,
        outi=outi,
        mika=make_user("Mika Koski", password=PASSWORD),
        olli=make_user("Olli Outside", roles=["narrow"]),
    )


def hands_over(anna, firm, receiver):
    """Pass the customer on, with a word; gives where both look at it."""
    page = anna.page
    anna.opens(f"/contacts/{firm.id}")
    page.locator("[popovertarget=contact-more]").click()
    page.get_by_role("menuitem", name="Hand over").click()
    along = page.locator("#along")
    expect(along).to_contain_text(PROMISE)
    expect(along).to_contain_text("Two pallets broken")
    expect(along).to_contain_text(UNHAPPY)
    page.get_by_label("To whom").select_option(label=receiver.name)
    page.get_by_label("In your own words").fill(WORD)
    anna.presses("Hand over")
    page.wait_for_url(re.compile(r"/hand-overs/\d+$"))
    page.get_by_text(f"{NAME} is theirs now: {receiver.name}.").wait_for()
    expect(page.locator("#items li")).to_have_count(ITEMS)
    expect(page.locator("#items").get_by_text("Not yet")).to_have_count(ITEMS)
    return page.url.removeprefix(anna.server.url)


def finds_it(mika):
    """Follow the bell to the customer, then "my day" to what came along."""
    page = mika.page
    bell = page.locator("#bell-count-head .end")
    expect(bell).to_contain_text("1", timeout=WITHIN)
    page.locator(".head-bell").click()
    page.get_by_role("link", name=f"Anna Laine made you the owner of {NAME}.").click()
    page.get_by_text("Handed from Anna Laine to Mika Koski").wait_for()
    assert page.evaluate(SIDEWAYS) <= 0
    mika.opens("/")
    page.get_by_text("from Anna Laine").wait_for()
    assert page.evaluate(SIDEWAYS) <= 0
    page.get_by_role("link", name=f"Take over {NAME}").click()
    page.get_by_text(UNHAPPY).wait_for()
    expect(page.locator("#items strong")).to_have_text("short")
    assert page.evaluate(SIDEWAYS) <= 0


def may_open_what_came_along(mika):
    """Open the promise and the ticket, which are to be looked at."""
    links = mika.page.locator("#items .handed-words > p > a")
    assert len(links.all()) == 2
    for link in links.all():
        assert mika.status_of(link.get_attribute("href")) == 200
    mine = mika.page.request.get(f"{mika.server.url}/follow-ups").text()
    assert PROMISE in mine


def ticks_of(somebody):
    return somebody.page.locator("#items").get_by_text("Looked at", exact=True)


def finds_nothing(other, where):
    """Look for what was handed over wherever it could be named."""
    assert other.get(where).status_code == 404
    for path in ("/", "/contacts", "/follow-ups", "/notifications", "/search?q=plan"):
        found = other.get(path, follow_redirects=True).text
        for word in (PROMISE, PLAN, where):
            assert word not in found, path


def test_a_customer_is_handed_over_and_taken_over_thing_by_thing(
    people, server, browser, as_user
):
    anna = Person(browser, server, people.anna)
    mika = Person(browser, server, people.mika, width=360)
    mika.opens("/")
    mika.page.get_by_text("Nothing waits for you.").wait_for()
    where = hands_over(anna, people.firm, people.mika)
    finds_it(mika)
    assert mika.page.url == f"{server.url}{where}"
    may_open_what_came_along(mika)

    for done in range(1, ITEMS + 1):
        mika.page.get_by_role("button", name="I know").first.click()
        expect(ticks_of(mika)).to_have_count(done)
        # Who handed over sees it where she is.
        expect(ticks_of(anna)).to_have_count(done, timeout=WITHIN)
    mika.page.get_by_text(f"All of it is looked at. {NAME} is yours.").wait_for()
    assert mika.page.evaluate(SIDEWAYS) <= 0
    anna.page.get_by_text("All looked at").wait_for()
    # She hears of it where she is, and the customer's page is as it was.
    expect(anna.page.locator("#bell-count .end")).to_contain_text("1")
    anna.opens("/notifications")
    anna.page.get_by_text(f"Mika Koski has taken over {NAME}").wait_for()
    anna.opens(f"/contacts/{people.firm.id}")
    assert "Handed from" not in anna.reads()

    for user in (people.olli, people.outi):
        finds_nothing(as_user(user), where)
    for one in (anna, mika):
        assert one.complaints == []
