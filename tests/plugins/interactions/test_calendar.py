"""The private calendar: one's own meetings, for whoever has its address."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from icalendar import Calendar

from core.audiences import AudienceSpec
from core.db import db, now
from core.interactions.models import Interaction
from core.testing.factories import make_contact, make_interaction, make_user
from core.users.models import User
from core.users.services import ensure_team
from plugins.interactions.meetings.models import Attendee
from plugins.interactions.meetings.services import answer_invitation
from tests.plugins.interactions.meeting_world import (
    BODY,
    change_entry,
    invite,
    make_invited,
    moved,
    trash_entry,
)


@pytest.fixture
def stranger(app):
    return app.test_client()


def address_for(browser):
    """Make a calendar address; gives its path."""
    page = browser.post("/interactions/calendar").text
    return re.search(r"http://localhost(/calendar/[\w-]+\.ics)", page)[1]


def events(stranger, address):
    answer = stranger.get(address)
    assert answer.status_code == 200, answer.status
    assert answer.mimetype == "text/calendar"
    return Calendar.from_ical(answer.data).walk("VEVENT")


def titles(stranger, address):
    return sorted(str(one["SUMMARY"]) for one in events(stranger, address))


def test_a_colleague_subscribes_to_what_they_organise_and_attend(
    world, program, as_user, stranger, mailbox
):
    invite(program, world, attendees=[{"user": world.mika.id}])
    for user in (world.anna, world.mika):
        [event] = events(stranger, address_for(as_user(user)))
        assert event["SUMMARY"] == "Four developments"
        assert event["LOCATION"] == "Hämeentie 1, Helsinki"
        assert event["DTSTART"].dt == world.entry.occurred_at
        assert str(event["URL"]).endswith(world.page)
    other = make_user("Third Colleague")
    assert events(stranger, address_for(as_user(other))) == []


def test_the_note_itself_is_not_in_the_calendar(
    world, program, as_user, stranger, mailbox
):
    invite(program, world)
    page = stranger.get(address_for(as_user(world.anna))).text
    assert BODY not in page
    assert "owe us" not in page
    assert "outi@kallio" not in page


def test_a_meeting_nobody_was_invited_to_is_in_its_authors_calendar(
    world, as_user, stranger
):
    [event] = events(stranger, address_for(as_user(world.anna)))
    assert event["SUMMARY"] == "Meeting · Kallion Vesijohto Oy"
    assert events(stranger, address_for(as_user(world.mika))) == []


def test_the_address_is_shown_once_and_a_new_one_ends_the_old(world, as_user, stranger):
    browser = as_user(world.anna)
    assert "Make address" in browser.get("/interactions/calendar").text
    first = address_for(browser)
    secret = first.rpartition("/")[2].removesuffix(".ics")
    assert secret not in browser.get("/interactions/calendar").text
    second = address_for(browser)
    assert stranger.get(first).status_code == 404
    assert stranger.get(second).status_code == 200
    browser.post("/interactions/calendar/end")
    assert stranger.get(second).status_code == 404


def test_what_opens_nothing_is_not_found(world, as_user, stranger):
    address = address_for(as_user(world.anna))
    for wrong in (
        "/calendar/x.ics",
        "/calendar/.ics",
        address.removesuffix(".ics"),
        address.replace(".ics", ".txt"),
        address.replace(".ics", "x.ics"),
    ):
        assert stranger.get(wrong).status_code == 404


@pytest.mark.parametrize("loses", ["account", "role"])
def test_the_calendar_of_who_has_left_is_not_found(world, as_user, stranger, loses):
    address = address_for(as_user(world.anna))
    with db.transaction() as session:
        user = session.get_one(User, world.anna.id)
        if loses == "account":
            user.active = False
        else:
            user.roles = []
    assert stranger.get(address).status_code == 404


def test_customers_have_no_calendar(world, as_user):
    customer = make_user("Outi", kind="customer", contact=world.firm)
    assert as_user(customer).get("/interactions/calendar").status_code == 404
    assert as_user(customer).post("/interactions/calendar").status_code == 404


def test_an_entry_one_may_not_read_is_absent_though_one_is_invited(
    api, as_user, stranger, mailbox, app
):
    with db.transaction():
        others = frozenset({ensure_team("Others").id})
    world = make_invited(audience=AudienceSpec("teams", teams=others))
    invite(api(world.anna), world, attendees=[{"user": world.mika.id}])
    assert events(stranger, address_for(as_user(world.mika))) == []
    assert len(events(stranger, address_for(as_user(world.anna)))) == 1


def test_narrowing_an_entry_takes_it_out_at_once(
    world, program, as_user, stranger, mailbox
):
    invite(program, world, attendees=[{"user": world.mika.id}])
    address = address_for(as_user(world.mika))
    assert len(events(stranger, address)) == 1
    change_entry(program, world, audience="private")
    assert events(stranger, address) == []


def test_what_is_off_or_declined_or_long_ago_is_absent(
    world, program, as_user, stranger, mailbox
):
    address = address_for(as_user(world.anna))
    contact = make_contact("Far Oy")
    for days in (-100, 400):
        at = now() + timedelta(days=days)
        make_interaction(contact, author=world.anna, kind="visit", occurred_at=at)
    for days in (-80, 360):
        at = now() + timedelta(days=days)
        make_interaction(contact, author=world.anna, kind="visit", occurred_at=at)
    assert titles(stranger, address) == [
        "Meeting · Kallion Vesijohto Oy",
        "Visit · Far Oy",
        "Visit · Far Oy",
    ]
    invite(program, world)
    program.delete(world.address, headers={"If-Match": "*"})
    assert titles(stranger, address) == ["Visit · Far Oy"] * 2


def test_who_declines_has_it_no_more_until_it_moves(
    world, program, as_user, stranger, mailbox
):
    invite(program, world, attendees=[{"user": world.mika.id}])
    address = address_for(as_user(world.mika))
    assert len(events(stranger, address)) == 1
    with db.transaction() as session:
        guest = session.scalars(sa.select(Attendee)).one()
        entry = session.get_one(Interaction, world.entry.id)
        answer_invitation(guest, entry, "declined")
    assert events(stranger, address) == []
    change_entry(program, world, occurred_at=moved(world, hours=1))
    assert len(events(stranger, address)) == 1


def test_the_trash_is_absent(world, program, as_user, stranger):
    address = address_for(as_user(world.anna))
    trash_entry(program, world)
    assert events(stranger, address) == []


def test_an_unchanged_calendar_is_not_sent_again(
    world, program, as_user, stranger, clock
):
    address = address_for(as_user(world.anna))
    first = stranger.get(address)
    etag, date = first.headers["ETag"], first.headers["Last-Modified"]
    clock.shift(timedelta(hours=2))
    by_tag = stranger.get(address, headers={"If-None-Match": etag})
    by_date = stranger.get(address, headers={"If-Modified-Since": date})
    assert (by_tag.status_code, by_date.status_code) == (304, 304)
    assert stranger.get(address).headers["Last-Modified"] == date
    change_entry(program, world, occurred_at=moved(world, hours=1))
    for headers in ({"If-None-Match": etag}, {"If-Modified-Since": date}):
        assert stranger.get(address, headers=headers).status_code == 200


def test_a_meeting_that_went_away_is_news_by_date_too(
    world, program, as_user, stranger, clock
):
    address = address_for(as_user(world.anna))
    date = stranger.get(address).headers["Last-Modified"]
    clock.shift(timedelta(hours=2))
    trash_entry(program, world)
    again = stranger.get(address, headers={"If-Modified-Since": date})
    assert again.status_code == 200
    date = again.headers["Last-Modified"]
    again = stranger.get(address, headers={"If-Modified-Since": date})
    assert again.status_code == 304


def test_a_calendar_costs_as_many_statements_with_many_meetings(
    world, as_user, stranger, count_queries
):
    address = address_for(as_user(world.anna))

    def cost():
        stranger.get(address)
        with count_queries() as counter:
            stranger.get(address)
        return counter.count

    few = cost()
    for hours in range(1, 30):
        at = now() + timedelta(hours=hours)
        make_interaction(world.firm, author=world.anna, kind="meeting", occurred_at=at)
    assert cost() <= few


def test_the_hour_is_right_in_the_zone_of_its_owner(world, as_user, stranger):
    [event] = events(stranger, address_for(as_user(world.anna)))
    assert str(event["DTSTART"].params["TZID"]) == "Europe/Helsinki"
    with db.read_only() as session:
        entry = session.get_one(Interaction, world.entry.id)
        assert event["DTSTART"].dt == entry.occurred_at
