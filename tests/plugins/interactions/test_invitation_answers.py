"""What guests without an account answer by their link, and who learns of it."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from core.audiences import AudienceSpec
from core.contacts.models import Contact
from core.db import db
from core.testing.factories import make_user
from core.users.models import User
from core.users.services import ensure_team
from tests.plugins.interactions.meeting_world import (
    BODY,
    change,
    change_entry,
    event_of,
    invite,
    link_of,
    make_invited,
    meeting_now,
    moved,
    send_all,
    trash_entry,
)


@pytest.fixture
def link(world, program, mailbox, deliver, clock):
    """The path of the link that the guest was sent."""
    invite(program, world)
    send_all(clock, deliver)
    return link_of(mailbox.messages[0])


@pytest.fixture
def guest(app):
    """The browser of somebody without an account, with the token of its form."""
    client = app.test_client()

    def answer(link, said="accepted", **more):
        page = client.get(link).text
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page))
        form = {"csrf_token": fields.get("csrf_token", "")}
        form |= {"time": fields.get("time", ""), "answer": said} | more
        return client.post(link, data=form)

    answer.client = client
    return answer


def other_team():
    with db.transaction():
        return frozenset({ensure_team("Others").id})


def states(program, world):
    return [one["state"] for one in program.get(world.address).json["attendees"]]


def texts(program):
    return [one["text"] for one in program.get("/api/v1/notifications").json["items"]]


def test_a_guest_sees_the_meeting_in_their_language_and_nothing_of_the_note(
    link, guest
):
    answer = guest.client.get(link)
    assert answer.status_code == 200
    assert 'lang="fi"' in answer.text
    assert "Four developments" in answer.text
    assert "Bring the drawings." in answer.text
    assert BODY not in answer.text
    assert "owe us" not in answer.text
    assert "Kallion Vesijohto" not in answer.text
    assert answer.headers["Referrer-Policy"] == "strict-origin"
    assert "no-store" in answer.headers["Cache-Control"]


def test_looking_answers_nothing(link, guest, world, program):
    for _time in range(3):
        guest.client.get(link)
        guest.client.head(link)
    assert states(program, world) == ["needs-action"]
    assert texts(program) == []


@pytest.mark.parametrize(
    ("said", "shown", "told"),
    [
        ("accepted", "Comes", "Outi Kallio comes: Four developments"),
        ("tentative", "Maybe", "Outi Kallio may come: Four developments"),
        ("declined", "Does not come", "Outi Kallio does not come: Four developments"),
    ],
)
def test_an_answer_stands_on_the_entry_and_the_organiser_is_told(
    link, guest, world, program, as_user, said, shown, told
):
    assert guest(link, said).status_code == 200
    assert states(program, world) == [said]
    assert shown in as_user(world.mika).get(world.page).text
    assert texts(program) == [told]
    guest(link, said)
    assert texts(program) == [told]


def test_an_answer_can_be_changed(link, guest, world, program):
    guest(link, "accepted")
    guest(link, "declined")
    assert states(program, world) == ["declined"]
    assert len(texts(program)) == 2


def test_my_day_counts_the_answers(app, api, as_user, guest, mailbox, deliver, clock):
    clock.move_to(datetime(2027, 2, 2, 7, tzinfo=UTC))
    world = make_invited(occurred_at=datetime(2027, 2, 2, 10, tzinfo=UTC))
    browser = as_user(world.anna)
    assert "not answered" not in browser.get("/").text
    invite(api(world.anna), world)
    send_all(clock, deliver)
    assert "1 not answered" in browser.get("/").text
    guest(link_of(mailbox.messages[0]))
    assert "1 comes" in browser.get("/").text


def test_what_is_no_answer_is_refused(link, guest, world, program):
    assert guest(link, "perhaps").status_code == 422
    assert guest(link, time="").status_code == 409
    without_token = guest.client.post(link, data={"answer": "accepted"})
    assert without_token.status_code == 400
    assert states(program, world) == ["needs-action"]


def test_a_changed_link_is_refused_kindly(link, guest):
    for wrong in (f"{link}x", link[:-1], "/invitation/x", "/invitation/" + "a" * 300):
        answer = guest.client.get(wrong)
        assert answer.status_code == 404
        assert "This link is not good" in answer.text
        assert guest(wrong).status_code == 404


def test_a_link_shows_the_meeting_as_it_is_now_and_asks_again_for_a_new_time(
    link, guest, world, program, mailbox, deliver, clock
):
    guest(link)
    change(program, world, place="Turku")
    assert states(program, world) == ["accepted"]
    stale = re.search(r'name="time" value="([^"]*)"', guest.client.get(link).text)[1]
    change_entry(program, world, occurred_at=moved(world, hours=1))
    assert states(program, world) == ["needs-action"]
    assert "Turku" in guest.client.get(link).text
    assert guest(link, time=stale).status_code == 409
    send_all(clock, deliver)
    assert event_of(mailbox.messages[-1])["ATTENDEE"].params["PARTSTAT"] == (
        "NEEDS-ACTION"
    )
    change_entry(program, world, occurred_at=moved(world))
    assert states(program, world) == ["accepted"]


def test_a_meeting_called_off_takes_no_answer(link, guest, world, program):
    etag = {"If-Match": "*"}
    program.delete(world.address, headers=etag)
    answer = guest.client.get(link)
    assert answer.status_code == 410
    assert 'name="answer"' not in answer.text
    assert guest(link).status_code == 410
    assert [one.answer for one in meeting_now().guests] == ["needs-action"]


def test_an_entry_in_the_trash_takes_no_answer(link, guest, world, program):
    trash_entry(program, world)
    assert guest.client.get(link).status_code == 410
    assert guest(link).status_code == 410


def test_who_is_not_expected_any_more_is_told_so_and_sees_nothing_else(
    link, guest, world, program
):
    change(program, world, attendees=[{"user": world.mika.id}], place="Turku")
    answer = guest.client.get(link)
    assert answer.status_code == 410
    assert "Turku" not in answer.text
    assert "Four developments" not in answer.text.partition("<main")[2]


def test_a_link_ends_with_the_meeting(link, guest, clock):
    clock.shift(timedelta(days=4))
    assert guest.client.get(link).status_code == 410
    assert guest(link).status_code == 410


def test_an_organiser_who_lost_sight_of_the_entry_is_told_nothing(
    link, guest, world, api
):
    with db.transaction() as session:
        session.get_one(User, world.anna.id).active = False
    guest(link)
    with db.transaction() as session:
        session.get_one(User, world.anna.id).active = True
    assert texts(api(world.anna)) == []


def test_a_guest_who_is_erased_has_no_link_any_more(link, guest, world):
    with db.transaction() as session:
        session.delete(session.get_one(Contact, world.outi.id))
    assert guest.client.get(link).status_code == 404


def test_a_customer_in_the_portal_sees_the_entry_and_not_its_guests(
    api, as_user, mailbox, app
):
    world = make_invited()
    customer = make_user("Outi", kind="customer", contact=world.firm)
    program = api(world.anna)
    shared = {"audience": "shared", "shared_with": [world.firm.id]}
    change_entry(program, world, **shared)
    invite(program, world)
    browser = as_user(customer)
    page = browser.get(world.page)
    assert page.status_code == 200
    assert "outi@kallio.example" not in page.text
    assert browser.get(f"{world.page}/invite").status_code == 404
    assert api(customer).get(world.address).status_code == 404


def test_guests_of_an_entry_are_for_its_readers_alone(api, as_user, mailbox, app):
    world = make_invited(audience=AudienceSpec("teams", teams=other_team()))
    invite(api(world.anna), world)
    assert api(world.mika).get(world.address).status_code == 404
    assert as_user(world.mika).get(f"{world.page}/invite").status_code == 404
    never = world.address.replace(str(world.entry.id), "88888")
    one, other = (api(world.mika).get(at).json for at in (world.address, never))
    assert {**one, "instance": ""} == {**other, "instance": ""}
