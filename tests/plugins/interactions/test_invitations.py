"""Invitations by mail: what guests get, and that they get it once, as it is."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from icalendar import Calendar

from core.contacts.models import Contact
from core.db import db, now, table_of
from core.interactions.models import Interaction
from core.mail.models import OutgoingMail
from core.testing.factories import make_contact, make_user
from core.testing.mail import html_of, text_of
from core.users.defaults import ROLES
from core.users.models import Role, User
from core.users.services import ensure_role
from plugins.interactions.meetings.models import Attendee, Meeting
from tests.plugins.interactions.meeting_world import (
    BODY,
    calendar_of,
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


def test_a_guest_gets_an_invitation_that_calendars_and_people_read(
    world, program, mailbox, deliver, clock
):
    invite(program, world)
    deliver()
    assert mailbox.messages == []
    send_all(clock, deliver)
    [message] = mailbox.messages
    assert message["To"] == "Outi Kallio <outi@kallio.example>"
    assert message["Reply-To"] == f"Anna Laine <{world.anna.email}>"
    assert message["Subject"] == "Kutsu: Four developments"
    calendar, part = calendar_of(message)
    assert calendar["METHOD"] == "REQUEST"
    assert part.get_param("method") == "REQUEST"
    [file] = message.iter_attachments()
    assert (file.get_content_type(), file.get_filename()) == (
        "application/ics",
        "invite.ics",
    )
    assert Calendar.from_ical(file.get_content()) == calendar
    event = event_of(message)
    assert event["SUMMARY"] == "Four developments"
    assert event["LOCATION"] == "Hämeentie 1, Helsinki"
    assert event["DESCRIPTION"] == "Bring the drawings."
    assert event["SEQUENCE"] == 0
    assert event["DTSTART"].dt == world.entry.occurred_at
    assert event["DTEND"].dt - event["DTSTART"].dt == timedelta(hours=1)
    assert str(event["ORGANIZER"]) == f"mailto:{world.anna.email}"
    assert event["ORGANIZER"].params["SENT-BY"] == "mailto:crm@house.example"
    assert str(event["ATTENDEE"]) == "mailto:outi@kallio.example"
    assert event["ATTENDEE"].params["RSVP"] == "TRUE"
    whole = message.as_string()
    assert BODY not in whole
    assert "owe us" not in text_of(message) + html_of(message) + str(calendar.to_ical())
    assert link_of(message)


def test_neither_outbox_nor_database_holds_the_link(
    world, program, mailbox, deliver, clock
):
    invite(program, world)
    send_all(clock, deliver)
    secret = link_of(mailbox.messages[0]).rpartition("/")[2]
    with db.engine.connect() as connection:
        for model in (OutgoingMail, Attendee, Meeting):
            rows = connection.execute(sa.select(table_of(model))).all()
            assert rows
            assert secret not in str(rows)


@pytest.mark.parametrize(
    ("changed", "sees"),
    [
        ({"title": "Five developments"}, "SUMMARY"),
        ({"place": "Turku"}, "LOCATION"),
        ({"text": "Bring nothing."}, "DESCRIPTION"),
        ({"minutes": 90}, "DTEND"),
    ],
)
def test_what_changes_reaches_the_guests_as_the_same_meeting(
    world, program, mailbox, deliver, clock, changed, sees
):
    invite(program, world)
    send_all(clock, deliver)
    change(program, world, **changed)
    send_all(clock, deliver)
    first, second = map(event_of, mailbox.messages)
    assert first["UID"] == second["UID"]
    assert (first["SEQUENCE"], second["SEQUENCE"]) == (0, 1)
    assert first[sees].to_ical() != second[sees].to_ical()
    assert mailbox.messages[1]["Subject"].startswith("Muutettu: ")


def test_a_moved_entry_moves_the_meeting(world, program, mailbox, deliver, clock):
    invite(program, world)
    send_all(clock, deliver)
    change_entry(program, world, occurred_at=moved(world, hours=5))
    send_all(clock, deliver)
    event = event_of(mailbox.messages[1])
    assert event["DTSTART"].dt == world.entry.occurred_at + timedelta(hours=5)
    assert event["SEQUENCE"] == 1
    change_entry(program, world, body="Another remark of ours.")
    send_all(clock, deliver)
    assert len(mailbox.messages) == 2


def test_moved_twice_within_the_time_to_undo_is_one_mail_with_the_last_state(
    world, program, mailbox, deliver, clock
):
    invite(program, world)
    change_entry(program, world, occurred_at=moved(world, hours=1))
    deliver()
    change_entry(program, world, occurred_at=moved(world, hours=2))
    send_all(clock, deliver)
    [message] = mailbox.messages
    event = event_of(message)
    assert event["DTSTART"].dt == world.entry.occurred_at + timedelta(hours=2)
    assert event["SEQUENCE"] == 0
    change_entry(program, world, occurred_at=moved(world, hours=3))
    deliver()
    change_entry(program, world, occurred_at=moved(world, hours=4))
    send_all(clock, deliver)
    _first, second = mailbox.messages
    assert event_of(second)["SEQUENCE"] == 1
    assert event_of(second)["DTSTART"].dt == world.entry.occurred_at + timedelta(
        hours=4
    )


def test_moved_and_back_in_time_writes_nobody(world, program, mailbox, deliver, clock):
    invite(program, world)
    send_all(clock, deliver)
    change_entry(program, world, occurred_at=moved(world, hours=1))
    deliver()
    change_entry(program, world, occurred_at=moved(world))
    send_all(clock, deliver)
    assert len(mailbox.messages) == 1


def test_calling_off_tells_the_guests(world, program, mailbox, deliver, clock):
    invite(program, world)
    send_all(clock, deliver)
    etag = program.get(world.address).headers["ETag"]
    answer = program.delete(world.address, headers={"If-Match": etag})
    assert answer.status_code == 204
    send_all(clock, deliver)
    _first, second = mailbox.messages
    calendar, part = calendar_of(second)
    assert calendar["METHOD"] == part.get_param("method") == "CANCEL"
    event = event_of(second)
    assert event["STATUS"] == "CANCELLED"
    assert event["SEQUENCE"] == 1
    assert event["UID"] == event_of(mailbox.messages[0])["UID"]
    assert program.get(world.address).json["cancelled"] is True


def test_an_entry_in_the_trash_is_called_off_and_back_it_is_on_again(
    world, program, as_user, mailbox, deliver, clock
):
    invite(program, world)
    send_all(clock, deliver)
    trash_entry(program, world)
    send_all(clock, deliver)
    assert calendar_of(mailbox.messages[1])[0]["METHOD"] == "CANCEL"
    as_user(world.anna).post(f"{world.page}/restore")
    send_all(clock, deliver)
    event = event_of(mailbox.messages[2])
    assert calendar_of(mailbox.messages[2])[0]["METHOD"] == "REQUEST"
    assert event["SEQUENCE"] == 2


def test_trash_taken_back_in_time_writes_nobody(
    world, program, as_user, mailbox, deliver, clock
):
    invite(program, world)
    send_all(clock, deliver)
    trash_entry(program, world)
    deliver()
    as_user(world.anna).post(f"{world.page}/restore")
    send_all(clock, deliver)
    assert len(mailbox.messages) == 1


def test_who_was_never_told_is_not_told_that_it_is_off(
    world, program, mailbox, deliver, clock
):
    invite(program, world)
    trash_entry(program, world)
    send_all(clock, deliver)
    assert mailbox.messages == []


def test_only_new_and_removed_guests_are_written_to(
    world, program, mailbox, deliver, clock
):
    invite(program, world)
    send_all(clock, deliver)
    other = {"address": "pekka@other.example", "name": "Pekka"}
    etag = program.get(world.address).headers["ETag"]
    match = {"If-Match": etag}
    added = program.post(f"{world.address}/attendees", json=other, headers=match)
    assert added.status_code == 201
    send_all(clock, deliver)
    assert mailbox.messages[1]["To"] == "Pekka <pekka@other.example>"
    first = added.json["attendees"][0]["id"]
    match = {"If-Match": added.headers["ETag"]}
    gone = program.delete(f"{world.address}/attendees/{first}", headers=match)
    assert [one["name"] for one in gone.json["attendees"]] == ["Pekka"]
    send_all(clock, deliver)
    assert len(mailbox.messages) == 3
    assert mailbox.messages[2]["To"] == "Outi Kallio <outi@kallio.example>"
    assert calendar_of(mailbox.messages[2])[0]["METHOD"] == "CANCEL"


def test_guests_do_not_learn_who_else_is_invited(
    world, program, mailbox, deliver, clock
):
    both = [{"contact": world.outi.id}, {"address": "pekka@other.example"}]
    invite(program, world, attendees=both)
    send_all(clock, deliver)
    assert len(mailbox.messages) == 2
    for message in mailbox.messages:
        other = "pekka" if "outi" in message["To"] else "outi"
        assert other not in message.as_string().lower()


def test_mails_are_in_the_language_of_each_guest(
    world, program, mailbox, deliver, clock
):
    mika = {"user": world.mika.id}
    both = [mika, {"contact": world.outi.id}]
    invite(program, world, attendees=both)
    send_all(clock, deliver)
    languages = {
        one["To"].addresses[0].addr_spec: html_of(one).split('lang="')[1][:2]
        for one in mailbox.messages
    }
    assert languages == {"outi@kallio.example": "fi", world.mika.email: "en"}


# -- Time ----------------------------------------------------------------------------


def test_a_meeting_after_the_clocks_change_is_at_its_own_hour(
    api, mailbox, deliver, clock, app
):
    clock.move_to(datetime(2027, 3, 20, 12, tzinfo=UTC))
    # Nine o'clock in Helsinki, by the time of summer that begins on March 28.
    start = datetime(2027, 4, 6, 6, tzinfo=UTC)
    world = make_invited(occurred_at=start)
    invite(api(world.anna), world)
    send_all(clock, deliver)
    [message] = mailbox.messages
    calendar, _part = calendar_of(message)
    [event] = calendar.walk("VEVENT")
    assert event["DTSTART"].dt == start
    assert event["DTSTART"].dt.hour == 9
    assert str(event["DTSTART"].params["TZID"]) == "Europe/Helsinki"
    [zone] = calendar.walk("VTIMEZONE")
    assert zone["TZID"] == "Europe/Helsinki"
    here = datetime(2027, 4, 6, 9, tzinfo=zone.to_tz())
    offset = here.utcoffset()
    assert offset == timedelta(hours=3)
    assert "09.00" in text_of(message) or "9.00" in text_of(message)


def test_an_hour_is_an_hour_when_the_clocks_change_within(
    api, mailbox, deliver, clock, app
):
    clock.move_to(datetime(2027, 3, 20, 12, tzinfo=UTC))
    start = datetime(2027, 3, 28, 0, 30, tzinfo=UTC)
    world = make_invited(occurred_at=start)
    invite(api(world.anna), world)
    send_all(clock, deliver)
    event = event_of(mailbox.messages[0])
    ends = event["DTEND"].dt.astimezone(UTC)
    assert ends - start == timedelta(hours=1)


def test_an_organiser_in_utc_needs_no_description_of_a_zone(
    api, mailbox, deliver, clock, app
):
    world = make_invited(timezone="UTC")
    invite(api(world.anna), world)
    send_all(clock, deliver)
    calendar, _part = calendar_of(mailbox.messages[0])
    assert calendar.walk("VTIMEZONE") == []
    assert event_of(mailbox.messages[0])["DTSTART"].to_ical().endswith(b"Z")


def test_nobody_is_told_of_what_is_over(world, program, mailbox, deliver, clock):
    invite(program, world)
    send_all(clock, deliver)
    clock.shift(timedelta(days=4))
    trash_entry(program, world)
    send_all(clock, deliver)
    assert len(mailbox.messages) == 1


# -- Faults --------------------------------------------------------------------------


def test_a_mail_server_that_is_down_loses_nothing_and_repeats_nothing(
    world, program, mailbox, deliver, clock
):
    mailbox.stop()
    invite(program, world)
    send_all(clock, deliver)
    change_entry(program, world, occurred_at=moved(world, hours=2))
    send_all(clock, deliver)
    clock.shift(timedelta(minutes=30))
    deliver()
    mailbox.start()
    clock.shift(timedelta(hours=1))
    deliver()
    [message] = mailbox.messages
    start = world.entry.occurred_at + timedelta(hours=2)
    assert event_of(message)["DTSTART"].dt == start
    clock.shift(timedelta(hours=1))
    deliver()
    assert len(mailbox.messages) == 1


def test_an_address_that_is_refused_is_shown_on_the_entry(
    world, program, as_user, mailbox, deliver, clock
):
    mailbox.refuse["outi@kallio.example"] = "550 no such mailbox"
    invite(program, world)
    send_all(clock, deliver)
    page = as_user(world.anna).get(world.page).text
    assert "the mail did not arrive" in page


def test_a_guest_in_the_trash_is_sent_nothing_more(
    world, program, as_user, mailbox, deliver, clock
):
    invite(program, world)
    send_all(clock, deliver)
    with db.transaction() as session:
        session.get_one(Contact, world.outi.id).trashed_at = now()
    change(program, world, place="Turku")
    send_all(clock, deliver)
    assert len(mailbox.messages) == 1
    assert "in the trash" in as_user(world.anna).get(world.page).text


def test_a_guest_whose_data_was_erased_stays_without_a_name_and_is_sent_nothing(
    world, program, api, as_user, mailbox, deliver, clock
):
    both = [{"contact": world.outi.id}, {"user": world.mika.id}]
    invite(program, world, attendees=both)
    send_all(clock, deliver)
    link = next(link_of(one) for one in mailbox.messages if "outi@" in one["To"])
    sent = len(mailbox.messages)
    boss = api(make_user("Ad Min", roles=["admin"]))
    why = {"reason": "Asked for it on the phone.", "confirm": "Outi Kallio"}
    place = f"/api/v1/contacts/{world.outi.id}/erase"
    assert boss.post(place, json=why).status_code == 201
    change_entry(program, world, occurred_at=moved(world, hours=1))
    send_all(clock, deliver)
    assert [one["To"] for one in mailbox.messages[sent:]] == [
        f"Mika Salo <{world.mika.email}>"
    ]
    page = as_user(world.anna).get(world.page).text
    assert "Erased person" in page
    assert "is sent nothing" in page
    assert "erased.invalid" not in page
    assert as_user(world.anna).get(link).status_code in {404, 410}
    change(program, world, place="Turku", attendees=both)
    send_all(clock, deliver)
    assert len(mailbox.messages) == sent + 2


def test_who_is_erased_leaves_no_trace_in_a_meeting(
    world, program, mailbox, deliver, clock
):
    both = [{"contact": world.outi.id}, {"user": world.mika.id}]
    invite(program, world, attendees=both)
    send_all(clock, deliver)
    with db.transaction() as session:
        session.delete(session.get_one(Contact, world.outi.id))
    [left] = meeting_now().guests
    assert left.user_id == world.mika.id
    change_entry(program, world, occurred_at=moved(world, hours=1))
    send_all(clock, deliver)
    assert mailbox.messages[-1]["To"] == f"Mika Salo <{world.mika.email}>"


def test_who_loses_the_right_changes_nothing_and_a_moderator_does(
    world, program, as_user, api, mailbox, deliver, clock
):
    invite(program, world)
    send_all(clock, deliver)
    with db.transaction() as session:
        session.get_one(User, world.anna.id).roles = []
    assert program.get(world.address).status_code == 403
    etag = {"If-Match": "*"}
    for answer in (
        program.put(world.address, json=world.wish(place="Turku"), headers=etag),
        program.delete(world.address, headers=etag),
        as_user(world.anna).get(f"{world.page}/invite"),
        as_user(world.anna).post(f"{world.page}/call-off"),
    ):
        assert answer.status_code == 403
    boss = api(make_user("Ad Min", roles=["admin"]))
    assert boss.delete(world.address, headers=etag).status_code == 204
    send_all(clock, deliver)
    assert calendar_of(mailbox.messages[1])[0]["METHOD"] == "CANCEL"


def test_without_the_right_to_share_only_colleagues_are_invited(
    world, program, mailbox
):
    with db.transaction() as session:
        role = session.scalars(sa.select(Role).where(Role.name == "sales")).one()
        role.permissions = [one for one in role.permissions if "share" not in one]
    assert program.put(world.address, json=world.wish()).status_code == 403
    mika = [{"user": world.mika.id}]
    assert invite(program, world, attendees=mika).json["attendees"][0]["name"]


def test_without_the_right_to_share_no_guest_is_written_to_again(
    world, program, api, mailbox
):
    invite(program, world)
    with db.transaction():
        ensure_role("quiet", [one for one in ROLES["sales"] if "share" not in one])
        role = db.session.scalars(sa.select(Role).where(Role.name == "quiet")).one()
        db.session.get_one(User, world.anna.id).roles = [role]
    match = {"If-Match": program.get(world.address).headers["ETag"]}
    for words in ({"title": "Other"}, {"attendees": [{"user": world.mika.id}]}):
        sent = world.wish(**words)
        answer = program.put(world.address, json=sent, headers=match)
        assert answer.status_code == 403, answer.text
    assert meeting_now().title == "Four developments"


def test_without_a_mail_server_nobody_is_said_to_be_invited(world, program):
    answer = program.put(world.address, json=world.wish())
    assert answer.status_code == 422
    assert "No mail server is set" in answer.text
    assert meeting_now() is None


@pytest.mark.parametrize(
    ("entry", "wish", "field"),
    [
        ({"kind": "note"}, {}, "meetings and visits"),
        ({"occurred_at": datetime(2020, 1, 1, tzinfo=UTC)}, {}, "past"),
        ({}, {"attendees": []}, "attendees"),
        ({}, {"attendees": [{"address": "nobody"}]}, "not an e-mail address"),
        ({}, {"attendees": [{"contact": 999_999}]}, "no contact"),
        ({}, {"attendees": [{"user": 999_999}]}, "account"),
        ({}, {"title": " "}, "title"),
        ({}, {"minutes": 0}, "minutes"),
        ({}, {"timezone": "Mars/Base"}, "timezone"),
    ],
)
def test_what_is_no_invitation_is_refused_with_words(
    app, api, mailbox, entry, wish, field
):
    world = make_invited(**entry)
    answer = api(world.anna).put(world.address, json=world.wish(**wish))
    assert answer.status_code == 422
    assert field in answer.text
    assert meeting_now() is None


def test_a_change_needs_the_version_it_changes(world, program, mailbox):
    etag = invite(program, world).headers["ETag"]
    assert program.put(world.address, json=world.wish()).status_code == 428
    for stale, status in (('"99"', 412), (etag, 200)):
        match = {"If-Match": stale}
        answer = program.put(world.address, json=world.wish(), headers=match)
        assert answer.status_code == status
    assert program.delete(world.address).status_code == 428


def test_a_contact_one_may_not_see_cannot_be_invited_nor_is_named(
    world, program, api, mailbox
):
    from core.users.defaults import ROLES
    from core.users.services import ensure_role

    with db.transaction():
        ensure_role("narrow", ROLES["sales"], reach="own")
    narrow = make_user("Narrow", roles=["narrow"])
    with db.transaction() as session:
        session.get_one(Contact, world.firm.id).owner_id = narrow.id
        session.get_one(Interaction, world.entry.id).author_id = narrow.id
    theirs = api(narrow)
    refused = theirs.put(world.address, json=world.wish())
    assert refused.status_code == 422
    assert "no contact" in refused.text
    hidden = make_contact(
        "Hilla Hidden", kind="person", emails=[{"address": "h@x.example", "label": ""}]
    )
    with db.transaction() as session:
        session.get_one(Interaction, world.entry.id).author_id = world.anna.id
    invite(program, world, attendees=[{"contact": hidden.id}])
    seen = theirs.get(world.address)
    assert seen.status_code == 200
    assert "h@x.example" not in seen.text
    assert "Hilla" not in seen.text


def test_who_may_not_write_outside_moves_no_guest_s_meeting_by_any_door(
    world, program, as_user, mailbox, deliver, clock
):
    invite(program, world)
    send_all(clock, deliver)
    mailbox.messages.clear()
    with db.transaction() as session:
        role = session.scalars(sa.select(Role).where(Role.name == "sales")).one()
        role.permissions = [
            one for one in role.permissions if not one.endswith("share")
        ]
    place = f"/api/v1{world.page}"
    etag = program.get(place).headers["ETag"]
    later = (world.entry.occurred_at + timedelta(days=1)).isoformat()
    for answer in (
        program.patch(place, json={"occurred_at": later}, headers={"If-Match": etag}),
        program.delete(place, headers={"If-Match": etag}),
        as_user(world.anna).post(f"{world.page}/trash"),
    ):
        assert answer.status_code == 403
        assert "may not write to customers or vendors" in answer.text
    # Its words are the house's own business.
    change_entry(program, world, body="Bring the new drawings.")
    send_all(clock, deliver)
    assert mailbox.messages == []
