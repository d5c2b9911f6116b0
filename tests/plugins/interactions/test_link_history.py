"""Whom an entry is about and what it is linked to, in its history and taken back."""

import re

import pytest
import sqlalchemy as sa

from core.audiences import AudienceSpec
from core.contacts.models import Contact
from core.db import db
from core.events import Event
from core.interactions.models import Interaction
from core.records import Link
from core.testing.factories import make_contact, make_interaction, make_user
from core.users.services import ensure_role
from tests.plugins.interactions.test_links import opened

pytestmark = pytest.mark.soak_on_postgresql


@pytest.fixture
def mika(app):
    return make_user("Mika Koski", teams=["Sales", "Support"])


@pytest.fixture
def pekka(app):
    return make_contact("Pekka Virtanen", kind="person")


@pytest.fixture
def outi(app):
    return make_contact("Outi Kallio", kind="person")


@pytest.fixture
def ticket(firm, mika):
    """A ticket that every colleague reads."""
    return opened(firm, mika, "Leaking valve", audience=AudienceSpec("staff"))


@pytest.fixture
def secret(firm, mika):
    """A ticket that Anna does not read."""
    own = AudienceSpec("private", users=frozenset({mika.id}))
    return opened(firm, mika, "Their lawyer wrote", audience=own)


@pytest.fixture
def entry(firm, anna):
    return make_interaction(firm, author=anna, body="Wants windows")


def look(entry):
    db.session.rollback()
    found = db.session.get_one(Interaction, entry.id)
    refs = db.session.scalars(
        sa.select(Link.to_ref).where(Link.from_ref == entry.ref)
    ).all()
    return found, set(found.contact_ids), set(refs)


def save(browser, entry, *, contacts=(), links=(), body="Wants windows"):
    found, _about, _refs = look(entry)
    sent = {
        "version": found.version,
        "kind": "note",
        "body": body,
        "audience": "staff",
        "contacts": [one.id for one in contacts],
        "links": [one.ref for one in links],
    }
    answer = browser.post(f"/interactions/{entry.id}/edit", data=sent)
    assert answer.status_code == 303
    return answer


def history(browser, entry):
    page = browser.get(f"/interactions/{entry.id}/history")
    assert page.status_code == 200
    return page.text


def undone(browser, *, status=303):
    page = browser.get("/me/changes").text
    number = page.split('action="/me/undo/')[1].split('"')[0]
    answer = browser.post(f"/me/undo/{number}")
    assert answer.status_code == status
    return answer.text


def test_people_and_links_that_came_and_went_stand_in_the_history(
    anna, mika, pekka, outi, entry, ticket, as_user
):
    browser = as_user(anna)
    save(browser, entry, contacts=[pekka], links=[ticket])
    said = history(as_user(mika), entry)
    assert "With: <ins>Pekka Virtanen</ins>" in said
    assert re.search(r"Linked to: <ins>Ticket: #\d+ Leaking valve</ins>", said)
    save(browser, entry, contacts=[outi])
    said = history(as_user(mika), entry)
    assert "With: <del>Pekka Virtanen</del> <ins>Outi Kallio</ins>" in said
    assert re.search(r"Linked to: <del>Ticket: #\d+ Leaking valve</del>", said)
    assert "What it said was erased." not in said


def test_one_change_of_words_people_and_links_is_one_event(
    anna, pekka, entry, ticket, as_user
):
    save(as_user(anna), entry, contacts=[pekka], links=[ticket], body="Wants doors")
    changes = sa.select(Event).where(
        Event.subject == entry.ref, Event.type == "interaction.updated"
    )
    db.session.rollback()
    assert len(db.session.scalars(changes).all()) == 1
    said = history(as_user(anna), entry)
    assert "<del>windows</del><ins>doors</ins>" in said
    assert "With: <ins>Pekka Virtanen</ins>" in said
    undone(as_user(anna))
    found, about, refs = look(entry)
    assert (found.body, about, refs) == ("Wants windows", {entry.contact_id}, set())


def test_who_does_not_see_a_record_learns_nothing_of_its_link(
    anna, mika, entry, secret, as_user, api
):
    with db.transaction() as session:
        session.get_one(Interaction, entry.id).author_id = mika.id
    before = history(as_user(anna), entry)
    save(as_user(mika), entry, links=[secret])
    assert "Their lawyer wrote" in history(as_user(mika), entry)
    now = history(as_user(anna), entry)
    # Not even that something was changed.
    assert strip(now) == strip(before)
    for page in (now, api(anna).get("/api/v1/events?cursor=0.0&limit=200").text):
        assert secret.ref not in page
        assert "Linked to" not in page
        assert "lawyer" not in page


def strip(page):
    return re.search(r"<ul class=\"rows edits\".*?</ul>", page, re.DOTALL).group(0)


def test_who_does_not_see_a_contact_learns_nothing_of_a_participant(
    firm, anna, pekka, entry, as_user
):
    rights = ("contacts:read", "interactions:read", "interactions:write")
    with db.transaction():
        ensure_role("narrow", rights, reach="own")
    nina = make_user("Nina Narrow", roles=("narrow",))
    with db.transaction() as session:
        session.get_one(Contact, firm.id).owner_id = nina.id
    before = history(as_user(nina), entry)
    save(as_user(anna), entry, contacts=[pekka])
    assert "Pekka Virtanen" in history(as_user(anna), entry)
    assert strip(history(as_user(nina), entry)) == strip(before)


def test_links_and_people_are_taken_back_under_recent_changes(
    firm, anna, pekka, outi, entry, ticket, as_user
):
    browser = as_user(anna)
    save(browser, entry, contacts=[pekka])
    save(browser, entry, contacts=[outi], links=[ticket])
    assert "Changed: With, Linked to" in browser.get("/me/changes").text
    undone(browser)
    _found, about, refs = look(entry)
    assert (about, refs) == ({firm.id, pekka.id}, set())
    assert "With: <del>Outi Kallio</del> <ins>Pekka Virtanen</ins>" in history(
        browser, entry
    )


def test_what_others_linked_since_stays_and_what_they_unlinked_is_refused(
    anna, entry, ticket, secret, as_user
):
    browser = as_user(anna)
    save(browser, entry, links=[ticket])
    with db.transaction() as session:
        session.add(Link(from_ref=entry.ref, to_ref=secret.ref))
    undone(browser)
    assert look(entry)[2] == {secret.ref}
    save(browser, entry, links=[ticket])
    with db.transaction() as session:
        session.execute(sa.delete(Link).where(Link.to_ref == ticket.ref))
    assert "changed again since" in undone(browser, status=409)
    assert look(entry)[2] == {secret.ref}
