"""The bell: what one is told of is counted at once, on every page, for nobody else."""

import pytest

from core.db import db
from core.notifications.services import notify
from core.testing.factories import PASSWORD, make_contact, make_user
from core.users.models import User
from tests.browser.person import Person

pytestmark = [pytest.mark.browser, pytest.mark.soak_on_postgresql]

WITHIN = 2_000


def told(user, firm, key):
    with db.transaction() as session:
        record = session.get_one(type(firm), firm.id)
        reader = session.get_one(User, user.id)
        notify(
            [reader], kind="contacts.owner", record=record, text="It is yours", key=key
        )


def test_the_bell_counts_within_two_seconds_and_for_its_reader_only(server, browser):
    firm = make_contact("Kallion Vesijohto Oy", roles=["customer"])
    users = {
        "anna": make_user("Anna Laine", password=PASSWORD),
        "mika": make_user("Mika Koski", password=PASSWORD),
        "outi": make_user(
            "Outi Kallio", kind="customer", contact=firm, password=PASSWORD
        ),
    }
    people = {name: Person(browser, server, one) for name, one in users.items()}
    for name, one in people.items():
        one.opens("/contacts" if name != "outi" else "/notifications")
        one.page.wait_for_timeout(300)
    for name in ("anna", "outi"):
        told(users[name], firm, "first")
        count = people[name].page.locator("#bell-count .end")
        count.wait_for(timeout=WITHIN)
        assert count.inner_text().split()[0] == "1"
    assert people["mika"].page.locator("#bell-count .end").count() == 0
    told(users["anna"], firm, "second")
    count = people["anna"].page.locator("#bell-count .end", has_text="2")
    count.wait_for(timeout=WITHIN)
    # Read in another tab, it is quiet here too.
    anna = people["anna"]
    other = anna.page.context.new_page()
    other.goto(f"{server.url}/notifications")
    other.get_by_role("button", name="Mark all as read").click()
    anna.page.bring_to_front()
    anna.page.locator("#bell-count .end").wait_for(state="detached", timeout=WITHIN)
    for one in people.values():
        assert one.complaints == []
