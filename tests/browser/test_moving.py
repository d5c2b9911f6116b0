"""A meeting is moved in a real browser: no key alone sends mails outside."""

import os
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from core.db import db
from core.interactions.models import Interaction
from core.testing.factories import PASSWORD, make_user
from tests.browser.person import Person
from tests.plugins.interactions.meeting_world import invite, make_invited

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("dialect", ["sqlite"]),
]


def starts(world):
    db.session.rollback()
    return db.session.get_one(Interaction, world.entry.id).occurred_at


def shot(page, name):
    """Keep pictures where somebody asked for them."""
    folder = os.environ.get("RAPPORT_SHOTS")
    if not folder:
        return
    for theme in ("light", "dark"):
        page.evaluate(f"document.documentElement.dataset.bsTheme = '{theme}'")
        page.screenshot(path=f"{folder}/{name}-{theme}.png")


@pytest.mark.parametrize("width", [1280, 390])
def test_a_new_time_goes_out_by_the_button_that_says_to_how_many(
    server, browser, mailbox, api, width
):
    world = make_invited()
    both = [{"contact": world.outi.id}, {"user": world.mika.id}]
    invite(api(world.anna), world, attendees=both)
    boss = make_user("Ad Min", password=PASSWORD, roles=("admin",))
    chief = Person(browser, server, boss, width=width)
    before = starts(world)
    chief.opens(f"{world.page}/edit")
    page = chief.page
    page.locator("#composer input[name=occurred_at]").fill(
        (before + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    )
    text = page.locator("#composer textarea")
    for _time in range(2):
        text.press("Control+Enter")
        expect(page.locator("#who-gets-it li")).to_have_count(2)
        expect(page.locator("#who-gets-it")).to_contain_text("outi@kallio.example")
        assert starts(world) == before
    page.locator("#who-gets-it").scroll_into_view_if_needed()
    shot(page, f"moving-{width}")
    page.get_by_role("button", name="Save and send to 2 people").click()
    page.wait_for_url(f"**{world.page}*")
    assert starts(world) > before
    assert chief.complaints == []
