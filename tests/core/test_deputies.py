"""Somebody is away, and somebody stands in for them."""

from datetime import UTC, date, datetime, timedelta

import pytest

from core.audiences import AudienceSpec
from core.contacts.models import Contact
from core.contacts.services import change_contact
from core.db import db
from core.events import acting
from core.notifications.services import notify
from core.testing.factories import make_contact, make_interaction, make_user
from core.users.deputies import (
    acts_for,
    deputies_of,
    looked_after_by,
    standing_in_for,
)
from core.users.models import User
from core.users.services import ensure_role
from core.visibility import visible_to
from plugins.support.models import Ticket

TODAY = date(2026, 3, 2)


@pytest.fixture(autouse=True)
def monday(clock):
    clock.move_to(datetime(2026, 3, 2, 12, tzinfo=UTC))
    return clock


@pytest.fixture
def anna():
    return make_user("Anna Laine")


@pytest.fixture
def mika():
    return make_user("Mika Salo")


def stand_in(as_user, anna, mika, first=TODAY, last=TODAY + timedelta(days=3)):
    form = {"deputy": mika.id, "from_on": first, "until_on": last}
    return as_user(anna).post("/me/deputies", data=form)


def due(owner, name, step="Ask about the tank"):
    contact = make_contact(name)
    with db.transaction() as session:
        row = session.get_one(Contact, contact.id)
        words = {"owner": owner.id, "next_step": step, "next_step_on": "2026-03-01"}
        change_contact(row, words, actor=None)
    return contact


def test_a_deputy_finds_the_other_s_work_beside_their_own(app, as_user, anna, mika):
    due(anna, "Kallion Vesijohto Oy")
    browser = as_user(mika)
    assert "Kallion Vesijohto Oy" not in browser.get("/").text
    assert stand_in(as_user, anna, mika).status_code == 303
    assert "Kallion Vesijohto Oy" in browser.get("/").text
    assert "Mika Salo stands in from" in as_user(anna).get("/me").text


def test_tickets_of_who_is_away_stand_among_mine(app, as_user, api, anna, mika):
    contact = make_contact()
    sent = {"contact": contact.id, "subject": "Loud pump", "body": "Since Monday."}
    made = api(anna).post("/api/v1/tickets", json=sent)
    assert made.status_code == 201, made.json
    browser = as_user(mika)
    assert "Loud pump" not in browser.get("/support?view=mine").text
    stand_in(as_user, anna, mika)
    assert "Loud pump" in browser.get("/support?view=mine").text


def test_a_contact_says_until_when_its_owner_is_away_and_whom_to_ask(
    app, as_user, anna, mika
):
    contact = due(anna, "Kallion Vesijohto Oy")
    browser = as_user(mika)
    assert "away until" not in browser.get(f"/contacts/{contact.id}").text
    stand_in(as_user, anna, mika)
    page = browser.get(f"/contacts/{contact.id}").text
    assert "owner Anna Laine (away until Mar 5, 2026, ask Mika Salo)" in page


def test_it_begins_and_ends_by_the_calendar_of_who_is_away(app, as_user, clock):
    anna = make_user("Anna Laine", timezone="Pacific/Auckland")
    mika = make_user("Mika Salo", timezone="America/New_York")
    stand_in(as_user, anna, mika, first=date(2026, 3, 4), last=date(2026, 3, 4))
    with db.read_only() as session:
        user, deputy = session.get_one(User, anna.id), session.get_one(User, mika.id)
        for moment, there in (
            (datetime(2026, 3, 3, 10, 59, tzinfo=UTC), False),
            (datetime(2026, 3, 3, 11, 1, tzinfo=UTC), True),
            (datetime(2026, 3, 4, 10, 59, tzinfo=UTC), True),
            (datetime(2026, 3, 4, 11, 1, tzinfo=UTC), False),
        ):
            clock.move_to(moment)
            assert [one.id for one in deputies_of(user)] == [mika.id] * there
            assert acts_for(deputy) == ({anna.id} if there else set())
            assert looked_after_by(deputy) == acts_for(deputy) | {mika.id}
            told = [one.deputy_id for one in standing_in_for([anna.id])]
            assert told == [mika.id] * there


def test_a_deputy_reads_nothing_more_than_before(app, as_user, api, anna):
    with db.transaction():
        ensure_role("own", ["contacts:read", "interactions:read"], reach="own")
    narrow = make_user("Noora Virta", roles=["own"])
    contact = due(anna, "Hidden Oy")
    secret = make_interaction(
        contact,
        author=anna,
        audience=AudienceSpec("private", users=frozenset({anna.id})),
    )
    with db.read_only() as session:
        user = session.get_one(User, narrow.id)
        before = session.scalars(visible_to(user, Contact)).all()
    stand_in(as_user, anna, narrow)
    with db.read_only() as session:
        user = session.get_one(User, narrow.id)
        assert acts_for(user) == {anna.id}
        assert session.scalars(visible_to(user, Contact)).all() == before == []
    browser = as_user(narrow)
    assert "Hidden Oy" not in browser.get("/").text
    assert browser.get(f"/contacts/{contact.id}").status_code == 404
    assert api(narrow).get(f"/api/v1/interactions/{secret.id}").status_code == 404
    assert browser.get("/support?view=mine").status_code == 403


def test_standing_in_is_taken_back(app, as_user, anna, mika):
    due(anna, "Kallion Vesijohto Oy")
    stand_in(as_user, anna, mika)
    page = as_user(anna).get("/me/deputies").text
    end = page.split('action="/me/deputies/')[1].split('"')[0]
    stranger = as_user(mika).post(f"/me/deputies/{end}")
    assert stranger.status_code == 404
    assert as_user(anna).post(f"/me/deputies/{end}").status_code == 303
    assert "Kallion Vesijohto Oy" not in as_user(mika).get("/").text


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("2026-03-05", "2026-03-02", "The last day is before the first."),
        ("2026-02-01", "2026-02-03", "These days are over."),
        ("2026-03-05", "2028-03-05", "A year at most."),
        ("soon", "2026-03-05", "Write a date."),
    ],
)
def test_days_that_cannot_be_are_refused_beside_their_field(
    as_user, anna, mika, first, last, said
):
    answer = stand_in(as_user, anna, mika, first=first, last=last)
    assert answer.status_code == 422
    assert said in answer.text


def test_only_a_colleague_who_is_here_stands_in(app, as_user, anna):
    outi = make_user("Outi", kind="customer", contact=make_contact())
    gone = make_user("Gone Away")
    as_user(make_user(roles=["admin"])).post(f"/admin/users/{gone.id}/close")
    for who in (anna, outi, gone):
        assert stand_in(as_user, anna, who).status_code == 422
    assert as_user(outi).get("/me/deputies").status_code == 404
    assert stand_in(as_user, outi, anna).status_code == 404
    assert "While you are away" not in as_user(outi).get("/me").text


def test_a_deputy_whose_account_is_closed_stands_in_no_more(app, as_user, anna, mika):
    stand_in(as_user, anna, mika)
    as_user(make_user(roles=["admin"])).post(f"/admin/users/{mika.id}/close")
    with db.read_only() as session:
        assert deputies_of(session.get_one(User, anna.id)) == []
        assert standing_in_for([anna.id]) == []


def test_an_administrator_names_a_deputy_for_who_fell_ill(app, as_user, anna, mika):
    command = app.extensions["rapport_commands"]["user"]
    words = ["deputy", anna.email, "--to", mika.email]
    days = ["--from", "2026-03-01", "--until", "2026-03-05"]
    told = app.test_cli_runner().invoke(command, words + days)
    assert told.exit_code == 0, told.output
    with db.read_only() as session:
        assert acts_for(session.get_one(User, mika.id)) == {anna.id}


def test_who_stands_in_is_told_what_the_absent_colleague_is_told(
    app, as_user, api, deliver, anna, mika
):
    boss = make_user("Ad Min", roles=("admin",))
    stand_in(as_user, anna, mika)
    contact = make_contact("Kallion Vesijohto Oy")
    page = as_user(boss)
    saved = page.get(f"/contacts/{contact.id}/edit").text
    version = saved.split('name="version" value="')[1].split('"')[0]
    form = {"kind": "organisation", "name": contact.name, "owner": anna.id}
    answer = page.post(f"/contacts/{contact.id}/edit", data=form | {"version": version})
    assert answer.status_code == 303, answer.text
    ask = {"contact": contact.id, "subject": "Loud pump", "body": "Since Monday."}
    ticket = api(boss).post("/api/v1/tickets", json=ask).json
    with acting(boss.id), db.transaction() as session:
        session.get_one(Ticket, ticket["id"]).owner_id = anna.id
    deliver()
    told = "Ad Min made you the owner of Kallion Vesijohto Oy."
    assert told in as_user(anna).get("/notifications").text
    for one in (told, f"Yours now: #{ticket['number']} Loud pump"):
        assert f"For Anna Laine: {one}" in as_user(mika).get("/notifications").text
    assert "For Anna Laine" not in as_user(boss).get("/notifications").text


def test_a_deputy_is_told_of_nothing_they_may_not_see(app, as_user, deliver, anna):
    with db.transaction():
        ensure_role("own", ["contacts:read"], reach="own")
    narrow, boss = make_user("Noora Virta", roles=["own"]), make_user("Ad Min")
    stand_in(as_user, anna, narrow)
    contact = make_contact("Hidden Oy")
    with acting(boss.id), db.transaction() as session:
        session.get_one(Contact, contact.id).owner_id = anna.id
    deliver()
    assert "Hidden Oy" in as_user(anna).get("/notifications").text
    assert "Hidden Oy" not in as_user(narrow).get("/notifications").text


def test_nobody_is_told_twice_and_nobody_of_what_they_did(app, as_user, anna, mika):
    boss = make_user("Ad Min")
    contact = make_contact()
    stand_in(as_user, anna, mika)
    with db.transaction() as session:
        both = [session.get_one(User, one.id) for one in (anna, mika)]
        about = {"kind": "contacts.owner", "text": "Look", "deputies": True}
        record = session.get_one(Contact, contact.id)
        for key, readers, by, told in (
            ("1", both, None, [anna.id, mika.id]),
            ("2", both[:1], mika.id, [anna.id]),
            ("3", both[:1], boss.id, [anna.id, mika.id]),
        ):
            assert notify(readers, record=record, key=key, by=by, **about) == told
