"""A guest without an account: invited by mail, answers by its link, hears of a move."""

import re

import pytest
from playwright.sync_api import expect

from core.testing.factories import PASSWORD, make_contact, make_user
from core.testing.mail import html_of, text_of
from tests.browser.person import SIDEWAYS, Person
from tests.plugins.interactions.meeting_world import calendar_of, event_of, link_of

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("dialect", ["sqlite"]),
]

FIRM = "Kallion Vesijohto Oy"
TITLE, PLACE = "Four developments", "Hämeentie 1, Helsinki"
INSIDE = "Internal: they owe us money."


@pytest.fixture
def post(mailbox, monkeypatch):
    """A mail server that the server of this test sends to, without waiting first."""
    for name, value in mailbox.settings.items():
        monkeypatch.setenv(f"RAPPORT_{name}", str(value))
    monkeypatch.setenv("RAPPORT_MAIL_HOLD_SECONDS", "0")
    return mailbox


def next_mail(post):
    # A worker that has just begun makes the index before it sends anything.
    assert post.arrived.wait(60), "no mail came"
    post.arrived.clear()
    return post.messages[-1]


@pytest.fixture
def anna(post, server, browser):
    del post
    zone = {"timezone": "Europe/Helsinki"}
    user = make_user("Anna Laine", password=PASSWORD, teams=["Sales"], **zone)
    return Person(browser, server, user)


@pytest.fixture
def firm(server):
    """A customer, and somebody there who has an address."""
    firm = make_contact(FIRM, roles=["customer"])
    make_contact(
        "Outi Kallio",
        kind="person",
        emails=[{"address": "outi@kallio.example", "label": "work"}],
        affiliations=[{"organisation": firm.id}],
    )
    return firm


def plans_a_meeting(anna, firm):
    """Write the meeting down where its customer is, and open it."""
    page = anna.page
    anna.opens(f"/contacts/{firm.id}")
    page.keyboard.press("n")
    page.keyboard.type(INSIDE)
    page.locator("#composer select[name=kind]").select_option("meeting")
    page.get_by_text("At another time").click()
    says_when(anna, "tomorrow 14:00", "2:00")
    anna.presses("Save note")
    entry = page.locator("#timeline article", has_text=INSIDE)
    entry.locator(".entry-line a.quiet").click()
    page.wait_for_url(re.compile(r"/interactions/\d+$"))


def says_when(anna, words, read_back):
    anna.page.get_by_label("When, in words").fill(words)
    expect(anna.page.locator(".date-read")).to_contain_text(read_back)


def invites_outi(anna):
    """Look at who gets the mail, and send it; the page says that nobody answered."""
    page = anna.page
    page.get_by_role("link", name="Invite", exact=True).click()
    page.get_by_label("Title", exact=True).fill(TITLE)
    page.get_by_label("Place", exact=True).fill(PLACE)
    page.get_by_label("Outi Kallio").check()
    anna.presses("Look at who gets it")
    expect(page.locator("#who-gets-it")).to_contain_text("outi@kallio.example")
    anna.presses("Send to 1 person")
    expect(page.locator("#meeting li")).to_contain_text("No answer yet")


def moves_it(anna):
    """Give the entry another time; who hears of it is looked at first."""
    page = anna.page
    page.keyboard.press("e")
    page.wait_for_url("**/edit")
    says_when(anna, "tomorrow 16:00", "4:00")
    anna.presses("Save changes")
    expect(page.locator("#who-gets-it")).to_contain_text("outi@kallio.example")
    anna.presses("Save and send to 1 person")
    page.wait_for_url(re.compile(r"/interactions/\d+$"))
    expect(page.locator("#meeting li")).to_contain_text("No answer yet")


class Guest:
    """Somebody with a phone and a mail, and nothing else of this house."""

    def __init__(self, browser, server):
        self.server = server
        window = {"width": 360, "height": 800}
        self.page = browser.new_context(viewport=window).new_page()

    def opens(self, link):
        """Open a link of a mail: the house's name in it is this server's."""
        return self.page.goto(f"{self.server.url}{link}")

    def reads(self):
        assert self.page.evaluate(SIDEWAYS) <= 0
        words = self.page.locator("body").inner_text()
        assert "owe us" not in words
        assert FIRM not in words
        return words


def is_as_invited(message):
    """Check the mail and the calendar in it: all a guest needs, and nothing more."""
    calendar, part = calendar_of(message)
    event = event_of(message)
    assert calendar["METHOD"] == part.get_param("method") == "REQUEST"
    assert (event["SUMMARY"], event["LOCATION"]) == (TITLE, PLACE)
    assert event["DTSTART"].dt.hour == 14
    assert event["SEQUENCE"] == 0
    whole = text_of(message) + html_of(message) + str(calendar.to_ical())
    assert "owe us" not in whole


def test_a_guest_answers_by_the_link_of_a_mail_and_learns_of_the_move(
    post, anna, firm, server, browser
):
    plans_a_meeting(anna, firm)
    invites_outi(anna)
    invited = next_mail(post)
    assert invited["To"] == "Outi Kallio <outi@kallio.example>"
    is_as_invited(invited)

    guest, link = Guest(browser, server), link_of(invited)
    guest.opens(link)
    assert TITLE in guest.reads()
    guest.page.get_by_role("button", name="I come", exact=True).click()
    guest.page.get_by_text("Your answer is saved.").wait_for()
    assert "You come" in guest.reads()
    # The page that stands open hears of it, and so does the bell.
    expect(anna.page.locator("#meeting li")).to_contain_text("Comes")
    expect(anna.page.locator("#bell-count .end")).to_contain_text("1")

    moves_it(anna)
    moved = next_mail(post)
    assert moved["Subject"] == f"Changed: {TITLE}"
    first, second = event_of(invited), event_of(moved)
    assert (second["UID"], second["SEQUENCE"]) == (first["UID"], 1)
    assert second["DTSTART"].dt.hour == 16
    assert link_of(moved) == link
    # What she had open still shows the old time: no answer is taken to that.
    guest.page.get_by_role("button", name="Maybe").click()
    guest.page.get_by_text("The time has changed since.").wait_for()
    assert "4:00" in guest.reads()
    guest.page.get_by_role("button", name="I come", exact=True).click()
    guest.page.get_by_text("Your answer is saved.").wait_for()
    expect(anna.page.locator("#meeting li")).to_contain_text("Comes")
    assert len(post.messages) == 2
    assert anna.complaints == []


def test_a_link_that_was_made_up_says_so_kindly_and_opens_nothing(
    post, anna, firm, server, browser
):
    plans_a_meeting(anna, firm)
    invites_outi(anna)
    link = link_of(next_mail(post))
    guest = Guest(browser, server)
    other = "A" if link[-1] != "A" else "B"
    for forged in (link[:-1] + other, link[:-1], "/invitation/1", "/invitation/%00"):
        assert guest.opens(forged).status == 404, forged
        words = guest.reads()
        assert "This link is not good" in words
        assert "write to whoever invited you" in words
        for secret in (TITLE, PLACE, "Outi", "Anna"):
            assert secret not in words
    # Nor does the good one open anything else of the house.
    guest.opens(link)
    assert TITLE in guest.reads()
    guest.opens("/interactions")
    assert "/sign-in" in guest.page.url
    assert TITLE not in guest.reads()
    assert anna.complaints == []
