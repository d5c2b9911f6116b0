"""Undo: what one did is taken back for 30 days, unless somebody built on it."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.audiences import AudienceSpec
from core.contacts.affiliations import affiliate
from core.contacts.models import Affiliation, Contact
from core.contacts.services import change_contact
from core.db import db, now
from core.events import acting
from core.importing.running import run_import
from core.interactions.models import Interaction
from core.interactions.services import change_interaction
from core.testing.factories import make_contact, make_interaction, make_user
from core.undo.services import latest_change
from core.users.models import Role, User
from tests.core.contacts.reading import form_of


@pytest.fixture
def anna(app):
    return make_user("Anna Laine", teams=["Sales"])


@pytest.fixture
def mika(app):
    return make_user("Mika Koski", teams=["Sales"])


@pytest.fixture
def firm(app, anna):
    return make_contact(
        "Kallion Vesijohto Oy",
        owner=anna.id,
        tags=["retail"],
        next_step="Call back",
        next_step_on=now().date().isoformat(),
        phones=[{"number": "+358401234567", "label": "mobile"}],
    )


def change(contact, by, **values):
    """Change a contact as somebody; give the id of their change."""
    with db.transaction() as session, acting(by.id):
        user, found = session.get_one(User, by.id), session.get_one(Contact, contact.id)
        change_contact(found, values, actor=user)
        return latest_change(user, found)


def look(record):
    with db.read_only() as session:
        found = session.get_one(type(record), record.id)
        session.expunge_all()
    return found


def undo(browser, number):
    return browser.post(f"/me/undo/{number}")


def test_every_field_of_a_contact_comes_back(app, firm, anna, mika, as_user, api):
    number = change(
        firm,
        anna,
        name="Other Oy",
        owner=mika.id,
        tags=["wholesale"],
        next_step="",
        next_step_on=None,
        phones=[],
    )
    browser = as_user(anna)
    page = browser.get("/me/changes").text
    assert "Other Oy" in page
    assert "Owner" in page
    assert undo(browser, number).status_code == 303
    back = look(firm)
    assert (back.name, back.sort_name) == (firm.name, firm.sort_name)
    assert (back.owner_id, back.tags) == (anna.id, ["retail"])
    assert (back.next_step, back.next_step_on) == (firm.next_step, firm.next_step_on)
    assert back.phones == firm.phones
    found = api(anna).get("/api/v1/contacts?q=0401234567").json["items"]
    assert [one["id"] for one in found] == [firm.id]


def test_the_form_and_the_trash_offer_their_way_back(app, firm, anna, as_user):
    browser = as_user(anna)
    address = f"/contacts/{firm.id}/edit"
    form = form_of(browser.get(address).text, address) | {"name": ["Typed Oy"]}
    saved = browser.post(address, data=form, follow_redirects=True).text
    assert 'action="/me/undo/' in saved
    gone = browser.post(f"/contacts/{firm.id}/trash", follow_redirects=True).text
    number = gone.split('action="/me/undo/')[1].split('"')[0]
    answer = undo(browser, number)
    assert answer.location == f"/contacts/{firm.id}"
    assert look(firm).trashed_at is None


def test_what_was_taken_back_says_so_and_is_not_taken_back_twice(
    app, firm, anna, as_user
):
    number = change(firm, anna, name="Other Oy")
    browser = as_user(anna)
    assert undo(browser, number).status_code == 303
    page = browser.get("/me/changes").text
    assert page.count('id="change-') == 1
    assert "Taken back" in page
    again = undo(browser, number)
    assert again.status_code == 409
    assert "This was taken back already." in again.text


def test_what_somebody_changed_since_is_refused_by_name(app, firm, anna, mika, as_user):
    number = change(firm, anna, owner=mika.id, name="Other Oy")
    change(firm, mika, owner=anna.id)
    refused = undo(as_user(anna), number)
    assert refused.status_code == 409
    said = "Mika Koski changed this after you: Owner. Look at both."
    assert said in refused.text
    assert look(firm).name == "Other Oy"
    assert "Changed again since" in as_user(anna).get("/me/changes").text


def test_what_others_changed_beside_it_stays(app, firm, anna, mika, as_user):
    number = change(firm, anna, name="Other Oy")
    change(firm, mika, website="https://kallio.example")
    assert undo(as_user(anna), number).status_code == 303
    back = look(firm)
    assert (back.name, back.website) == (firm.name, "https://kallio.example")


def test_nobody_takes_back_what_another_did(app, firm, anna, mika, as_user):
    number = change(firm, anna, name="Other Oy")
    assert undo(as_user(mika), number).status_code == 404
    assert undo(as_user(mika), 2**40).status_code == 404
    assert "Other Oy" not in as_user(mika).get("/me/changes").text
    assert look(firm).name == "Other Oy"


def test_a_right_that_was_taken_away_takes_its_undo_along(app, firm, anna, as_user):
    number = change(firm, anna, name="Other Oy")
    with db.transaction() as session:
        role = session.scalars(sa.select(Role).where(Role.name == "sales")).one()
        role.permissions = [one for one in role.permissions if one != "contacts:write"]
    assert undo(as_user(anna), number).status_code == 404
    assert look(firm).name == "Other Oy"


def test_after_30_days_it_is_too_late(app, firm, anna, as_user, clock):
    number = change(firm, anna, name="Other Oy")
    clock.shift(timedelta(days=31))
    browser = as_user(anna)
    assert "Nothing to take back." in browser.get("/me/changes").text
    assert undo(browser, number).status_code == 404


def test_done_and_snooze_are_taken_back(app, firm, anna, as_user):
    browser = as_user(anna)
    for act, data in (("done", {}), ("later", {"days": "3"})):
        page = browser.post(
            f"/contacts/{firm.id}/step/{act}", data=data, follow_redirects=True
        ).text
        number = page.split('action="/me/undo/')[1].split('"')[0]
        assert look(firm).next_step_on != firm.next_step_on
        assert undo(browser, number).status_code == 303
        back = look(firm)
        assert (back.next_step, back.next_step_on) == ("Call back", firm.next_step_on)
    for days in ("0", "-1", "x", "99999"):
        refused = browser.post(f"/contacts/{firm.id}/step/later", data={"days": days})
        assert refused.status_code == 422


def test_who_left_comes_back(app, firm, anna, as_user):
    pekka = make_contact("Pekka Virtanen", kind="person")
    with db.transaction() as session:
        person, house = (
            session.get_one(Contact, pekka.id),
            session.get_one(Contact, firm.id),
        )
        seat = affiliate(person, organisation=house, role="Buyer")
        address = f"/contacts/{pekka.id}/affiliations/{seat.id}/end"
    browser = as_user(anna)
    page = browser.post(address, follow_redirects=True).text
    assert "Pekka Virtanen has left." in page
    number = page.split('action="/me/undo/')[1].split('"')[0]
    assert undo(browser, number).status_code == 303
    with db.read_only() as session:
        kept = session.scalars(sa.select(Affiliation)).one()
        assert (kept.active, kept.until) == (True, None)


def test_an_entry_and_its_replies_come_back_by_their_author_only(
    app, firm, anna, mika, as_user
):
    entry = make_interaction(firm, author=anna, body="Wants one delivery window.")
    browser = as_user(anna)
    browser.post(f"/interactions/{entry.id}/trash")
    page = browser.get("/me/changes").text
    number = page.split('action="/me/undo/')[1].split('"')[0]
    assert undo(as_user(mika), number).status_code == 404
    assert undo(browser, number).status_code == 303
    assert look(entry).trashed_at is None


def test_old_words_are_not_put_before_new_readers(app, firm, anna, as_user):
    entry = make_interaction(firm, author=anna, body="They are nearly broke.")
    with db.transaction() as session, acting(anna.id):
        user, found = (
            session.get_one(User, anna.id),
            session.get_one(Interaction, entry.id),
        )
        change_interaction(found, actor=user, body="Prices attached.")
        number = latest_change(user, found)
    with db.transaction() as session, acting(anna.id):
        user, found = (
            session.get_one(User, anna.id),
            session.get_one(Interaction, entry.id),
        )
        shared = AudienceSpec("shared", shared_with=frozenset({firm.id}))
        change_interaction(found, actor=user, audience=shared)
    refused = undo(as_user(anna), number)
    assert refused.status_code == 409
    assert "Who reads this was changed since." in refused.text
    assert look(entry).body == "Prices attached."


def test_what_an_import_did_is_not_listed_line_by_line(app, as_user, tmp_path):
    boss = make_user("Bea Boss", roles=("admin",))
    file = tmp_path / "firms.csv"
    for name in ("A Oy", "B Oy"):
        rows = {"key": "1", "kind": "organisation", "name": name}
        head, row = ",".join(rows), ",".join(rows.values())
        file.write_text(f"{head}\n{row}\n", "utf-8")
        run_import(app, "contacts", file, actor_id=boss.id)
    assert "Nothing to take back." in as_user(boss).get("/me/changes").text


def test_erased_values_cannot_be_taken_back(app, firm, anna, as_user):
    number = change(firm, anna, name="Other Oy")
    with db.transaction() as session:
        session.execute(sa.text("UPDATE event SET personal = NULL"))
    assert "Nothing to take back." in as_user(anna).get("/me/changes").text
    assert undo(as_user(anna), number).status_code == 404


def test_long_lists_have_older_pages(app, firm, anna, as_user):
    for n in range(52):
        change(firm, anna, name=f"Name {n}")
    browser = as_user(anna)
    page = browser.get("/me/changes").text
    assert page.count('id="change-') == 50
    older = page.split('href="/me/changes?before=')[1].split('"')[0]
    assert browser.get(f"/me/changes?before={older}").text.count('id="change-') == 2


def test_the_message_is_a_form_that_works_without_scripts(app, firm, anna, as_user):
    page = as_user(anna).post(f"/contacts/{firm.id}/trash", follow_redirects=True).text
    form = page.split('<form method="post" action="/me/undo/')[1].split("</form>")[0]
    assert 'name="csrf_token"' in form
    assert "Undo" in form
