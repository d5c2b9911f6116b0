"""Words of an entry that ask to be reminded: read, shown, planned, and taken away."""

import json
import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from core.db import db
from core.interactions.models import Interaction
from core.testing.factories import make_interaction, make_user
from plugins.interactions.follow_ups import asking
from plugins.interactions.follow_ups.models import FollowUp

HELSINKI = ZoneInfo("Europe/Helsinki")
# A Tuesday.
NOW = datetime(2026, 3, 3, 10, 30, tzinfo=HELSINKI)

MEANT = {
    "Four developments; remind me in 3 days": "2026-03-06 09:00",
    "Remind me tomorrow 14:00 about the gate.": "2026-03-04 14:00",
    "Sends a list. Remind me on Friday. Then we see.": "2026-03-06 09:00",
    "Please remind me to call Pekka tomorrow at 9.": "2026-03-04 09:00",
    "remind me in 2 hours": "2026-03-03 12:30",
    "remind me in 48 hours": "2026-03-05 10:30",
    "remind me 5.3. 14:00 of this": "2026-03-05 14:00",
    "remind me in 3 days at 14:00": "2026-03-06 14:00",
    "remind me later, no: remind me tomorrow": "2026-03-04 09:00",
    "Lupasi hinnat; muistuta minua 3 päivän päästä": "2026-03-06 09:00",
    "Muistuta minua 3 päivän päästä klo 14.": "2026-03-06 14:00",
    "Muistuta minua huomenna 14:00": "2026-03-04 14:00",
    "muistuta minua soittamaan to klo 9": "2026-03-05 09:00",
    "客户要报价，3天后提醒我": "2026-03-06 09:00",
    "请三天后提醒我打电话": "2026-03-06 09:00",
    "明天14:00提醒我": "2026-03-04 14:00",
    "提醒我明天下午3点打电话": "2026-03-04 15:00",
}
NOT_MEANT = [
    "",
    "remind me",
    "remind me to call Pekka",
    "Remind me to order 14",
    "remind me 3 things",
    "remind me where he sat",
    "remind me of version 5.3",
    "remind me yesterday",
    "remind me today",
    "remind me in 9000 weeks",
    "remind me 31.2.",
    "Tomorrow he comes. Remind me",
    "> remind me tomorrow\nSays who wrote it.",
    "They will remind Mexico tomorrow",
    "muistuta minua",
    "提醒我五件事",
    "remind me " + "1" * 5000,
    "提醒我" * 2000,
]


@pytest.fixture
def clock(monkeypatch):
    monkeypatch.setattr(asking, "now", lambda: NOW.astimezone(UTC))
    monkeypatch.setattr(asking, "reader", lambda: (HELSINKI, "en"))


@pytest.mark.parametrize(("text", "meant"), MEANT.items())
def test_words_that_ask_to_be_reminded_are_read(clock, text, meant):
    found = asking.asked_in(text)
    assert found is not None
    assert f"{found.at:%Y-%m-%d %H:%M}" == meant


@pytest.mark.parametrize("text", NOT_MEANT)
def test_what_names_no_moment_to_come_asks_for_nothing(clock, text):
    assert asking.asked_in(text) is None


def planned():
    db.session.rollback()
    return db.session.scalars(sa.select(FollowUp)).all()


def write(browser, firm, body, **more):
    data = {"contacts": firm.id, "body": body, "audience": "staff"}
    return browser.post("/interactions", data={**data, **more.pop("form", {})}, **more)


BODY = "Four developments; remind me in 3 days"


def test_saving_plans_the_reminder_says_so_and_undo_takes_it_away(firm, anna, as_user):
    browser = as_user(anna)
    answer = write(browser, firm, BODY)
    page = browser.get(answer.location).text
    assert re.search(r"Reminder \w{3}, \w+ \d+ 9:00.AM\.", page)
    [one] = planned()
    [entry] = db.session.scalars(sa.select(Interaction)).all()
    # The words stay in the text.
    assert entry.body == BODY
    assert (one.interaction_id, one.contact_id) == (entry.id, firm.id)
    assert (one.owner_id, one.text) == (anna.id, BODY)
    undo = f"/follow-ups/{one.id}/trash"
    assert f'action="{undo}"' in page[page.index("Reminder ") :]
    browser.post(undo)
    assert [row.trashed_at is not None for row in planned()] == [True]
    assert db.session.get(Interaction, entry.id).trashed_at is None


@pytest.mark.parametrize("target", ["timeline", "drawer-body"])
def test_where_it_is_saved_in_place_the_message_tells_of_the_reminder(
    target, firm, anna, as_user
):
    headers = {"HX-Request": "true", "HX-Target": target}
    answer = write(as_user(anna), firm, BODY, headers=headers)
    toast = json.loads(answer.headers["HX-Trigger"])["toast"]
    assert "Reminder " in toast["text"]
    assert ("Saved on" in toast["text"]) == (target == "drawer-body")
    [one] = planned()
    assert toast["undo"] == f"/follow-ups/{one.id}/trash"


def test_the_reminder_is_said_while_it_is_written_and_can_be_taken_away(
    firm, anna, as_user
):
    browser = as_user(anna)
    page = browser.get(f"/contacts/{firm.id}").text
    assert re.search(r'aria-live="polite" data-asked="remind me', page)
    said = browser.post("/interactions/reminder", data={"body": BODY}).text
    assert "Reminder " in said
    assert 'aria-label="No reminder"' in said
    assert "&#34;" not in said
    off = {"no_reminder": "in 3 days"}
    said = browser.post("/interactions/reminder", data={"body": BODY} | off).text
    assert '<input type="hidden" name="no_reminder" value="in 3 days">' in said
    assert "No reminder." in said
    write(browser, firm, BODY, form=off)
    assert planned() == []
    # Other words are another wish.
    write(browser, firm, "Remind me in 4 days", form=off)
    assert len(planned()) == 1


def test_a_text_that_asks_for_nothing_is_told_nothing(firm, anna, as_user):
    browser = as_user(anna)
    answer = browser.post("/interactions/reminder", data={"body": "Four \x00 sites."})
    assert answer.status_code == 200
    assert answer.text.strip() == ""
    write(browser, firm, "Four sites.")
    assert planned() == []


def test_what_is_refused_plans_nothing(firm, anna, as_user):
    browser = as_user(anna)
    assert write(browser, firm, BODY, form={"kind": "no such"}).status_code == 422
    assert planned() == []


def test_a_customer_and_a_reply_ask_for_no_reminder(firm, anna, as_user):
    outi = make_user("Outi Kallio", kind="customer", contact=firm)
    outside = as_user(outi)
    assert outside.post("/interactions/reminder", data={"body": BODY}).status_code in {
        403,
        404,
    }
    outside.post("/interactions", data={"body": BODY})
    parent = make_interaction(firm, author=anna)
    as_user(anna).post("/interactions", data={"parent": parent.id, "body": BODY})
    written = db.session.scalars(sa.select(Interaction.body)).all()
    assert written.count(BODY) == 2
    assert planned() == []


def test_changing_an_entry_plans_no_second_reminder(firm, anna, as_user):
    browser = as_user(anna)
    write(browser, firm, BODY)
    [one] = planned()
    url = f"/interactions/{one.interaction_id}/edit"
    assert "data-asked" not in browser.get(url).text
    data = {"version": 1, "body": f"{BODY}!", "audience": "staff", "contacts": firm.id}
    browser.post(url, data=data)
    assert len(planned()) == 1
