"""The pages by which people are invited: nobody is written to who was not listed."""

import re

import pytest

from core import settings
from core.contacts.models import Contact
from core.db import db
from core.testing.factories import make_contact, make_interaction
from tests.plugins.interactions.meeting_world import (
    change_entry,
    invite,
    meeting_now,
    moved,
    send_all,
)


@pytest.fixture
def browser(world, as_user):
    return as_user(world.anna)


def form(world, **more):
    return {
        "title": "Four developments",
        "place": "Turku",
        "minutes": 90,
        "text": "Bring the drawings.",
        "contacts": [world.outi.id],
    } | more


def seen_in(page):
    return re.search(r'name="seen" value="(\w+)"', page)[1]


def send(browser, world, **more):
    """Fill in the form, look at who gets it, and send."""
    place = f"{world.page}/invite"
    asked = browser.post(place, data=form(world, **more))
    assert asked.status_code == 422, asked.text
    sent = browser.post(place, data=form(world, **more, seen=seen_in(asked.text)))
    assert sent.status_code == 303, sent.text
    return sent


def test_a_meeting_to_come_offers_to_invite_and_a_note_does_not(
    world, browser, as_user
):
    assert f"{world.page}/invite" in browser.get(world.page).text
    assert f"{world.page}/invite" not in as_user(world.mika).get(world.page).text
    note = make_interaction(world.firm, author=world.anna)
    past = make_interaction(world.firm, author=world.anna, kind="meeting")
    for one in (note, past):
        assert "/invite" not in browser.get(f"/interactions/{one.id}").text
    assert browser.get(f"/interactions/{note.id}/invite").status_code == 404


def test_the_form_offers_the_people_it_concerns(world, browser, mailbox):
    page = browser.get(f"{world.page}/invite").text
    assert "Outi Kallio" in page
    assert "outi@kallio.example" in page
    assert "Mika Salo" in page


def test_who_exactly_gets_it_is_listed_before_anything_is_sent(
    world, browser, mailbox, deliver, clock
):
    place = f"{world.page}/invite"
    more = {
        "users": [world.mika.id],
        "others": f"Pekka <pekka@other.example>\n{world.anna.email}",
    }
    asked = browser.post(place, data=form(world, **more))
    assert asked.status_code == 422
    for one in ("outi@kallio.example", world.mika.email, "pekka@other.example"):
        assert one in asked.text
    assert "Send to 4 people" in asked.text
    assert asked.text.count("unknown address") == 1
    assert meeting_now() is None
    sent = browser.post(place, data=form(world, **more, seen=seen_in(asked.text)))
    assert sent.status_code == 303
    send_all(clock, deliver)
    assert len(mailbox.messages) == 4


def test_whoever_was_added_since_is_listed_first(world, browser, mailbox):
    place = f"{world.page}/invite"
    seen = seen_in(browser.post(place, data=form(world)).text)
    more = form(world, seen=seen, others="pekka@other.example")
    again = browser.post(place, data=more)
    assert again.status_code == 422
    assert "pekka@other.example" in again.text
    assert meeting_now() is None


def test_of_a_change_only_those_are_listed_who_learn_something(
    world, browser, mailbox, deliver, clock
):
    send(browser, world)
    browser.get(world.page)
    send_all(clock, deliver)
    place, version = f"{world.page}/invite", meeting_now().version
    same = browser.post(place, data=form(world, version=version))
    assert same.status_code == 303
    version = meeting_now().version
    more = form(world, version=version, contacts=[], others="pekka@other.example")
    asked = browser.post(place, data=more)
    assert "Send to 2 people" in asked.text
    assert "is told not to come" in asked.text
    more = form(world, version=version, others="pekka@other.example")
    asked = browser.post(place, data=more)
    assert "Send to 1 person" in asked.text
    browser.post(place, data=more | {"seen": seen_in(asked.text)})
    send_all(clock, deliver)
    assert [one["To"] for one in mailbox.messages[1:]] == ["pekka@other.example"]


def test_who_does_not_want_to_be_contacted_is_marked(world, browser, mailbox):
    with db.transaction() as session:
        session.get_one(Contact, world.outi.id).do_not_contact = True
    page = browser.post(f"{world.page}/invite", data=form(world)).text
    assert "does not want to be contacted" in page


def undo_in(page):
    return re.search(r'"([^"]*/meeting/undo/\d+)"', page)[1]


def test_an_invitation_can_be_taken_back_before_it_goes_out(
    world, browser, mailbox, deliver, clock
):
    send(browser, world)
    page = browser.get(world.page).text
    assert "No answer yet" in page
    assert browser.post(undo_in(page)).status_code == 303
    send_all(clock, deliver)
    assert mailbox.messages == []
    assert meeting_now() is None


def test_a_change_taken_back_leaves_what_was(world, browser, mailbox, deliver, clock):
    send(browser, world)
    browser.get(world.page)
    send_all(clock, deliver)
    more = {"version": meeting_now().version, "place": "Oulu"}
    send(browser, world, **more, others="pekka@other.example")
    assert meeting_now().place == "Oulu"
    page = browser.get(world.page).text
    assert browser.post(undo_in(page)).status_code == 303
    send_all(clock, deliver)
    assert len(mailbox.messages) == 1
    found = meeting_now()
    assert found.place == "Turku"
    assert [one.name for one in found.guests] == ["Outi Kallio"]


def test_calling_off_says_who_is_told_and_can_be_taken_back(
    world, browser, mailbox, deliver, clock
):
    send(browser, world)
    browser.get(world.page)
    send_all(clock, deliver)
    asked = browser.get(f"{world.page}/call-off").text
    assert "outi@kallio.example" in asked
    assert browser.post(f"{world.page}/call-off").status_code == 303
    page = browser.get(world.page).text
    assert "Called off" in page
    assert browser.post(undo_in(page)).status_code == 303
    send_all(clock, deliver)
    assert len(mailbox.messages) == 1
    assert meeting_now().cancelled_at is None


def test_what_has_gone_out_cannot_be_taken_back(
    world, browser, mailbox, deliver, clock
):
    send(browser, world)
    undo = undo_in(browser.get(world.page).text)
    send_all(clock, deliver)
    assert browser.post(undo).status_code == 409
    assert browser.post(re.sub(r"\d+$", "77", undo)).status_code == 409
    assert meeting_now() is not None


def test_without_a_time_to_undo_nothing_is_offered(world, browser, mailbox, deliver):
    with db.transaction():
        settings.save("mail", {"hold_seconds": 0})
    send(browser, world)
    assert "/meeting/undo/" not in browser.get(world.page).text
    deliver()
    assert len(mailbox.messages) == 1


def test_two_who_change_it_at_once_lose_neither(world, browser, api, mailbox):
    send(browser, world)
    old = meeting_now().version
    match = {"If-Match": "*"}
    wish = world.wish(place="Oulu")
    assert api(world.anna).put(world.address, json=wish, headers=match).status_code == (
        200
    )
    late = browser.post(
        f"{world.page}/invite", data=form(world, place="Kemi", version=old)
    )
    assert late.status_code == 409
    assert "Kemi" in late.text
    assert meeting_now().place == "Oulu"


def test_what_is_wrong_stands_in_the_form_with_what_was_typed(world, browser, mailbox):
    place = f"{world.page}/invite"
    wrong = browser.post(place, data=form(world, others="nobody", place="Kemi"))
    assert wrong.status_code == 422
    assert "not an e-mail address" in wrong.text
    assert "Kemi" in wrong.text
    nobody = browser.post(place, data=form(world, contacts=[]))
    assert "Choose at least one guest" in nobody.text


def test_without_a_mail_server_the_form_says_so(world, browser):
    assert "No mail server is set" in browser.get(f"{world.page}/invite").text


def test_an_entry_costs_as_many_statements_with_many_guests(
    world, browser, api, mailbox, count_queries
):
    def cost():
        browser.get(world.page)
        with count_queries() as counter:
            browser.get(world.page)
        return counter.count

    invite(api(world.anna), world)
    few = cost()
    people = [
        make_contact(
            f"Guest {one}",
            kind="person",
            emails=[{"address": f"guest{one}@x.example", "label": ""}],
        )
        for one in range(20)
    ]
    given = [{"contact": one.id} for one in people]
    api(world.anna).put(
        world.address, json=world.wish(attendees=given), headers={"If-Match": "*"}
    )
    assert cost() <= few


def test_a_colleagues_page_shows_when_the_entry_moves(
    world, browser, api, mailbox, deliver
):
    program = api(world.anna)
    invite(program, world)
    deliver()
    change_entry(program, world, occurred_at=moved(world, hours=2))
    deliver()
    assert program.get(world.address).json["starts_at"] == (
        moved(world, hours=2).replace("+00:00", "Z")
    )
