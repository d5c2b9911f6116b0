"""Erasing a person's data for good: nothing is left anywhere, but what the docs say."""

import pytest
import sqlalchemy as sa

from core.contacts.merging.models import Merge
from core.contacts.merging.parting import part
from core.contacts.merging.services import merge
from core.contacts.models import Contact
from core.db import db
from core.errors import Conflict
from core.events import Event
from core.testing.factories import make_contact, make_user
from core.users.models import User
from tests.core.contacts.erasing_world import (
    MARK,
    NAME,
    hold_everything,
    joined,
    where_is,
)

pytestmark = pytest.mark.soak_on_postgresql

REASON = "Asked for it on the phone."


@pytest.fixture
def held(app, api):
    return hold_everything(api)


def erase(client, person, **more):
    sent = {"reason": REASON, "confirm": NAME, **more}
    return client.post(f"/api/v1/contacts/{person.id}/erase", json=sent)


def test_of_what_concerns_others_too_the_words_stay_unless_they_are_to_go(
    held, api, as_user
):
    client = api(held.anna)
    address = f"/api/v1/interactions/{held.shared}"
    assert erase(api(held.chief), held.person).status_code == 201
    kept = client.get(address).json
    assert kept["body"] == "We all met."
    assert client.get(f"/api/v1/interactions/{held.own}").json["body"] == "Erased"
    page = as_user(held.anna).get(f"/interactions/{held.shared}").text
    assert "Erased person" in page
    finnish = {"Accept-Language": "fi"}
    assert client.get(address, headers=finnish).json["body"] == "We all met."


def test_entries_with_others_lose_their_words_when_that_is_asked_for(held, api):
    assert erase(api(held.chief), held.person, entries="all").status_code == 201
    entry = api(held.anna).get(f"/api/v1/interactions/{held.shared}").json
    assert entry["body"] == "Erased"


def test_what_was_erased_is_in_no_list_search_or_export_and_nothing_brings_it_back(
    held, api, as_user, deliver
):
    chief = api(held.chief)
    deliver()
    assert chief.get(f"/api/v1/search?q={MARK}").json["total"] >= 1
    assert erase(chief, held.person).status_code == 201
    deliver()
    assert chief.get(f"/api/v1/search?q={MARK}").json["total"] == 0
    assert chief.get(f"/api/v1/contacts/{held.person.id}").status_code == 404
    assert MARK not in chief.get("/api/v1/contacts?limit=200").text
    browser = as_user(held.chief)
    trash = browser.get("/contacts?view=trash").text
    assert "Erased person" not in trash
    answer = browser.post(f"/contacts/{held.person.id}/restore")
    assert answer.status_code == 409
    ticked = {"act": "restore", "contact": [held.person.id]}
    browser.post("/contacts/selected", data=ticked)
    again = erase(chief, held.person, confirm="Erased person")
    assert again.status_code == 409
    with db.read_only() as session:
        contact = session.get_one(Contact, held.person.id)
        assert contact.trashed_at
        assert contact.name == "Erased person"
    assert joined(held.firm.id, held.person.id) == 0


def test_the_page_of_the_erased_says_who_and_when_and_the_reason_to_those_who_may(
    held, as_user
):
    browser = as_user(held.chief)
    place = f"/contacts/{held.person.id}/erase"
    page = browser.get(place).text
    for words in ("What goes", "What stays", "Entry", "Document", "zyxqv@x.example"):
        assert words in page
    data = {"reason": REASON, "confirm": NAME}
    assert browser.post(place, data=data).status_code == 303
    shown = browser.get(f"/contacts/{held.person.id}").text
    assert "Ada Admin erased the data held here for good." in shown
    assert REASON in shown
    assert MARK not in shown
    seen = as_user(held.anna).get(f"/contacts/{held.person.id}").text
    assert "Ada Admin erased" in seen
    assert REASON not in seen
    assert browser.get(place).status_code == 303


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"confirm": "Somebody Else"}, "confirm"),
        ({"confirm": " "}, "confirm"),
        ({"reason": "short"}, "reason"),
        ({"reason": f"{NAME} asked for it."}, "reason"),
        ({"reason": "zyxqv@x.example asked for it."}, "reason"),
        ({"entries": "some"}, "entries"),
    ],
)
def test_without_the_name_typed_and_a_reason_that_names_nobody_nothing_is_erased(
    held, api, sent, field
):
    answer = erase(api(held.chief), held.person, **sent)
    assert answer.status_code == 422
    assert field in answer.json["errors"]
    assert "contact.name" in where_is(MARK)


def test_only_who_has_the_permission_erases(held, api, as_user):
    assert erase(api(held.anna), held.person).status_code == 403
    browser = as_user(held.anna)
    place = f"/contacts/{held.person.id}"
    assert browser.get(f"{place}/erase").status_code == 403
    assert "Erase for good" not in browser.get(place).text


def test_erasing_leaves_one_fact_without_a_word_about_the_person(held, api, deliver):
    erase(api(held.chief), held.person)
    query = sa.select(Event).where(Event.type == "contact.erased")
    [event] = db.session.scalars(query)
    assert event.subject == f"contact/{held.person.id}"
    assert event.actor_id == held.chief.id
    assert event.data == {"with_others": False}
    assert event.personal is None


def test_the_account_of_the_erased_opens_nothing_any_more(held, api, as_user):
    browser = as_user(held.account)
    assert browser.get("/portal").status_code == 200
    erase(api(held.chief), held.person)
    assert browser.get("/portal").status_code != 200
    with db.read_only() as session:
        account = session.get_one(User, held.account.id)
        assert (account.active, account.password_hash) == (False, None)
        assert account.name == "Erased person"
        assert account.email.endswith("@erased.invalid")


def test_an_undo_of_a_change_from_before_brings_no_word_back(held, api, as_user):
    browser = as_user(held.anna)
    query = sa.select(Event.id).where(
        Event.subject == f"contact/{held.person.id}", Event.type == "contact.updated"
    )
    change = db.session.scalars(query.order_by(Event.id)).first()
    erase(api(held.chief), held.person)
    assert browser.post(f"/me/undo/{change}").status_code in {404, 409}
    assert where_is(MARK) == set()


def test_an_organisation_is_erased_and_its_people_stay(app, api):
    chief = make_user("Ada Admin", roles=["admin"])
    firm = make_contact(NAME, emails=[{"address": "me@zyxqv.example", "label": ""}])
    outi = make_contact("Outi Kallio", kind="person")
    client = api(chief)
    address = f"/api/v1/contacts/{outi.id}"
    match = {"If-Match": client.get(address).headers["ETag"]}
    joins = {"affiliations": [{"organisation": firm.id, "role": "Buyer"}]}
    client.patch(address, json=joins, headers=match)
    assert erase(client, firm).status_code == 201
    assert where_is(MARK) == set()
    found = client.get(address).json
    assert found["name"] == "Outi Kallio"
    with db.read_only() as session:
        assert session.get_one(Contact, firm.id).name == "Erased organisation"


def test_who_was_merged_into_the_person_is_erased_with_them(app, api):
    chief = make_user("Ada Admin", roles=["admin"])
    person = make_contact(NAME, kind="person")
    double = make_contact(f"{MARK} A.", kind="person", job_title=MARK)
    client = api(chief)
    address = f"/api/v1/contacts/{person.id}"
    match = {"If-Match": client.get(address).headers["ETag"]}
    merged = client.post(f"{address}/merge", json={"contact": double.id}, headers=match)
    assert merged.status_code == 200, merged.text
    # The address of the one that went leads to the other: there is nothing to erase.
    assert erase(client, double, confirm=f"{MARK} A.").status_code in {404, 409}
    assert erase(client, person).status_code == 201
    assert where_is(MARK) == set()


def test_what_was_erased_is_not_parted_any_more(app, api):
    chief = make_user("Ada Admin", roles=["admin"])
    person = make_contact(NAME, kind="person")
    double = make_contact(f"{MARK} A.", kind="person")
    with db.transaction() as session:
        made = merge(
            session.get_one(Contact, person.id),
            session.get_one(Contact, double.id),
            actor=None,
        ).id
    assert erase(api(chief), person).status_code == 201
    with pytest.raises(Conflict), db.transaction() as session:
        part(session.get_one(Merge, made))
    with db.read_only() as session:
        assert session.get_one(Contact, double.id).trashed_at is not None
    assert where_is(MARK) == set()
