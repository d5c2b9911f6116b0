"""My day: done and later in place, with a way back; and the same without scripts."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.contacts.models import Contact
from core.db import db, now
from core.testing.factories import PASSWORD, make_contact, make_user
from core.users.models import User
from plugins.interactions.follow_ups.models import FollowUp
from plugins.interactions.follow_ups.services import plan_follow_up
from tests.browser.person import Person

pytestmark = [pytest.mark.browser, pytest.mark.soak_on_postgresql]

WITHIN = 3_000


def planned(user, *names):
    for at, name in enumerate(names):
        firm = make_contact(f"{name} Oy")
        with db.transaction() as session:
            plan_follow_up(
                session.get_one(Contact, firm.id),
                author=session.get_one(User, user.id),
                text=f"Call {name}",
                due_at=now() - timedelta(minutes=9 - at),
            )


def states():
    db.session.rollback()
    rows = db.session.scalars(sa.select(FollowUp).order_by(FollowUp.id))
    return [(one.done_at is not None, one.snoozed_until is not None) for one in rows]


def test_done_and_snooze_take_their_line_away_and_keep_the_place(server, browser):
    user = make_user("Anna Laine", password=PASSWORD)
    planned(user, "First", "Second", "Third")
    anna = Person(browser, server, user)
    anna.opens("/")
    lines = anna.page.locator(".day-line")
    anna.page.evaluate("window.kept = true")
    lines.nth(0).get_by_role("button", name="Done").click()
    anna.page.get_by_text("Done: Call First").wait_for(timeout=WITHIN)
    assert lines.count() == 2
    assert anna.page.evaluate("document.activeElement.textContent") == "Second Oy"
    lines.nth(0).locator("summary").click()
    lines.nth(0).get_by_role("button", name="In a week").click()
    lines.nth(1).wait_for(state="detached", timeout=WITHIN)
    assert anna.page.evaluate("window.kept"), "the page was loaded anew"
    assert states() == [(True, False), (False, True), (False, False)]
    # What was done last is taken back first.
    toast = anna.page.locator(".toast", has_text="Call Second")
    toast.get_by_role("button").click(timeout=WITHIN)
    anna.page.get_by_text("Taken back").wait_for(timeout=WITHIN)
    assert states() == [(True, False), (False, False), (False, False)]
    assert "Call Second" in anna.reads()
    assert anna.complaints == []


def test_without_scripts_the_same_buttons_lead_back_to_my_day(server, browser):
    user = make_user("Anna Laine", password=PASSWORD)
    planned(user, "First", "Second")
    anna = Person(browser, server, user, scripts=False, width=390)
    anna.opens("/")
    anna.page.locator(".day-line").nth(0).get_by_role("button", name="Done").click()
    assert "Call Second" in anna.reads()
    assert "Call First" not in anna.reads()
    anna.page.locator(".snooze summary").first.click()
    anna.page.get_by_role("button", name="Tomorrow").click()
    assert "Nothing waits for you." in anna.reads()
    assert states() == [(True, False), (False, True)]


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_key_opens_how_long_to_snooze_and_may_be_another_or_none(server, browser):
    user = make_user("Anna Laine", password=PASSWORD)
    planned(user, "First", "Second")
    anna = Person(browser, server, user)
    anna.opens("/")
    page = anna.page
    boxes = page.locator(".snooze")
    page.keyboard.press("?")
    page.locator("#keys dd:visible", has_text="Snooze").wait_for()
    page.keyboard.press("Escape")
    page.locator("#keys").wait_for(state="hidden")
    # Of no line, the first; then of the line one is on.
    page.keyboard.press("s")
    assert boxes.nth(0).evaluate("box => box.open")
    assert page.evaluate("document.activeElement.textContent") == "Tomorrow"
    page.keyboard.press("Escape")
    assert not boxes.nth(0).evaluate("box => box.open")
    page.keyboard.press("j")
    page.keyboard.press("s")
    page.keyboard.press("Enter")
    page.locator(".day-line").nth(1).wait_for(state="detached", timeout=WITHIN)
    assert states() == [(False, False), (False, True)]

    anna.opens("/me/keys")
    page.get_by_label("Snooze").fill("w")
    anna.presses("Save keys")
    for path, key, opens in (("/", "s", False), ("/follow-ups", "w", True)):
        anna.opens(path)
        page.keyboard.press(key)
        assert boxes.nth(0).evaluate("box => box.open") is opens
    anna.opens("/me/keys")
    page.get_by_label("Single keys do something").uncheck()
    anna.presses("Save keys")
    anna.opens("/")
    page.keyboard.press("w")
    assert not boxes.nth(0).evaluate("box => box.open")
    assert anna.complaints == []
