"""Moving a meeting on its entry's edit page: who gets the new time is listed first."""

import re
from datetime import timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from core.contacts.models import Contact
from core.db import db, now
from core.interactions.models import Interaction
from core.testing.factories import make_interaction
from core.users.defaults import ROLES
from core.users.models import Role, User
from core.users.services import ensure_role
from tests.plugins.interactions.meeting_world import invite, send_all

pytestmark = pytest.mark.soak_on_postgresql


@pytest.fixture
def browser(world, as_user):
    return as_user(world.anna)


def look(world):
    db.session.rollback()
    return db.session.get_one(Interaction, world.entry.id)


def move(browser, world, *, hours=2, **more):
    """Save the entry's edit page with another time, by the organiser's clock."""
    entry = look(world)
    at = (entry.occurred_at + timedelta(hours=hours)).astimezone(zone(world))
    sent = {
        "version": entry.version,
        "kind": "meeting",
        "body": entry.body,
        "audience": "staff",
        "occurred_at": at.strftime("%Y-%m-%dT%H:%M"),
    }
    return browser.post(f"{world.page}/edit", data=sent | more)


def zone(world):
    return ZoneInfo(world.anna.timezone)


def listed(answer):
    """Give whom the page lists, and what its button sends as a yes to them."""
    assert answer.status_code == 422, answer.text
    box = answer.text.split('id="who-gets-it"')[1].split("</form")[0]
    rows = re.findall(r"<li>(.*?)</li>", box, re.DOTALL)
    names = [unescape(re.sub(r"<[^>]*>|\s+", " ", one)).split() for one in rows]
    seen = re.search(r'name="guests" value="(\w+)"', box)[1]
    return [" ".join(one) for one in names], seen


def test_who_gets_the_new_time_is_listed_before_it_is_saved(
    world, browser, program, mailbox, deliver, clock
):
    invite(
        program, world, attendees=[{"contact": world.outi.id}, {"user": world.mika.id}]
    )
    send_all(clock, deliver)
    before = look(world).occurred_at
    asked = move(browser, world, body="Wants doors")
    names, seen = listed(asked)
    assert set(names) == {
        "Outi Kallio outi@kallio.example outside",
        f"Mika Salo {world.mika.email} colleague",
    }
    assert "2 people get a mail with the new time:" in asked.text
    assert "Save and send to 2 people" in asked.text
    # Nothing typed is lost, and nothing was done.
    assert "Wants doors</textarea>" in asked.text
    assert look(world).occurred_at == before
    # The usual button, which a key presses as well, asks again.
    listed(move(browser, world))
    assert move(browser, world, guests=seen).status_code == 303
    assert look(world).occurred_at > before
    send_all(clock, deliver)
    assert len(mailbox.messages) == 4


def test_whoever_was_added_since_is_asked_about_again(
    world, browser, program, mailbox, deliver, clock
):
    invite(program, world)
    send_all(clock, deliver)
    _names, seen = listed(move(browser, world))
    match = {"If-Match": program.get(world.address).headers["ETag"]}
    both = [{"contact": world.outi.id}, {"address": "pekka@other.example"}]
    wish = world.wish(attendees=both)
    answer = program.put(world.address, json=wish, headers=match)
    assert answer.status_code == 200, answer.text
    before = look(world).occurred_at
    names, again = listed(move(browser, world, guests=seen))
    assert "pekka@other.example outside" in names
    assert look(world).occurred_at == before
    assert move(browser, world, guests=again).status_code == 303


def test_nobody_is_asked_where_nobody_outside_is_written_to(
    world, browser, program, mailbox, deliver, clock
):
    # Nobody is invited; then only a colleague; then it is called off.
    assert move(browser, world).status_code == 303
    invite(program, world, attendees=[{"user": world.mika.id}])
    assert move(browser, world).status_code == 303
    match = {"If-Match": program.get(world.address).headers["ETag"]}
    assert (
        program.put(world.address, json=world.wish(), headers=match).status_code == 200
    )
    # What changes nothing for the guests asks nothing, nor what is over.
    send_all(clock, deliver)
    assert move(browser, world, hours=0, body="Wants doors").status_code == 303
    past = int((now() - look(world).occurred_at) / timedelta(hours=1)) - 5
    assert move(browser, world, hours=past).status_code == 303
    assert move(browser, world, hours=-past).status_code == 303
    listed(move(browser, world, hours=3))
    match = {"If-Match": program.get(world.address).headers["ETag"]}
    assert program.delete(world.address, headers=match).status_code == 204
    assert move(browser, world, hours=3).status_code == 303


def test_a_wider_audience_and_guests_are_both_agreed_to(
    world, browser, program, mailbox, deliver, clock
):
    invite(program, world)
    send_all(clock, deliver)
    shared = {"audience": "shared", "shared_with": [world.firm.id]}
    first = move(browser, world, **shared)
    assert first.status_code == 422
    assert 'name="looked" value="1"' in first.text
    second = move(browser, world, looked="1", **shared)
    _names, seen = listed(second)
    assert 'name="looked" value="1"' in second.text
    last = move(browser, world, looked="1", guests=seen, **shared)
    assert last.status_code == 303
    assert look(world).audience.kind == "shared"


def test_a_contact_one_may_not_see_is_a_guest_without_a_name(
    world, browser, program, mailbox, deliver, clock, as_user
):
    invite(program, world)
    send_all(clock, deliver)
    with db.transaction() as session:
        rights = [*ROLES["sales"], "interactions:moderate"]
        ensure_role("narrow", rights, reach="own")
        session.get_one(Contact, world.firm.id).owner_id = world.anna.id
        role = session.scalars(sa.select(Role).where(Role.name == "narrow")).one()
        session.get_one(User, world.anna.id).roles = [role]
    names, _seen = listed(move(browser, world))
    assert names == ["A guest outside"]
    assert "outi@kallio.example" not in move(browser, world).text


def test_without_the_right_to_share_the_new_time_reaches_nobody_outside(
    world, browser, program, mailbox, deliver, clock
):
    invite(program, world)
    send_all(clock, deliver)
    with db.transaction() as session:
        ensure_role("quiet", [one for one in ROLES["sales"] if "share" not in one])
        role = session.scalars(sa.select(Role).where(Role.name == "quiet")).one()
        session.get_one(User, world.anna.id).roles = [role]
    before = look(world).occurred_at
    refused = move(browser, world, body="Wants doors")
    assert "Your role may not write to customers or vendors." in refused.text
    assert "Wants doors</textarea>" in refused.text
    assert look(world).occurred_at == before


def test_a_plain_note_has_nobody_to_ask_about(world, browser):
    note = make_interaction(world.firm, author=world.anna, body="Plain")
    sent = {"version": note.version, "kind": "note", "body": "Plain"}
    sent |= {"audience": "staff", "occurred_at": "2026-03-05T10:30"}
    answer = browser.post(f"/interactions/{note.id}/edit", data=sent)
    assert answer.status_code == 303
